import Foundation
import Telegram
import Testing

@testable import Sandbox

@Suite struct RichTextTests {
  private func parse(_ text: String, _ mode: String) throws -> RichText {
    let form = try JSONEncoder().encode(["text": text, "parse_mode": mode])
    return try RichText.parse(
      try Parameters(query: nil, contentType: "application/json", body: Array(form)))
  }

  /// `type:words` of each entity, cut out of the text by its offsets.
  private func styles(_ rich: RichText) -> [String] {
    let units = Array(rich.text.utf16)
    return rich.entities.map {
      "\($0.type):" + String(decoding: units[$0.offset..<$0.offset + $0.length], as: UTF16.self)
    }
  }

  @Test(arguments: [
    ("HTML", "<b>a <i>é</i></b> &lt;&#128075;&gt;", "a é <👋>", ["bold:a é", "italic:é"]),
    ("HTML", "👋 <a href=\"https://e.x\">link</a> & co", "👋 link & co", ["text_link:link"]),
    ("HTML", "<pre>x</pre><code></code>", "x", ["pre:x"]),
    ("MarkdownV2", "*a _é_* 1\\.5 \\_", "a é 1.5 _", ["bold:a é", "italic:é"]),
    (
      "MarkdownV2", "__u__ ~s~ ||p|| `c_c`", "u s p c_c",
      ["underline:u", "strikethrough:s", "spoiler:p", "code:c_c"]
    ),
    ("MarkdownV2", "[a](https://e.x)\n>q", "a\n>q", ["text_link:a"]),
    ("Markdown", "*a* 1.5 - b!", "a 1.5 - b!", ["bold:a"]),
  ])
  func readsMarks(_ mode: String, _ source: String, _ text: String, _ expected: [String]) throws {
    let rich = try parse(source, mode)
    #expect(rich.text == text)
    #expect(styles(rich) == expected)
  }

  @Test(arguments: [
    ("MarkdownV2", "1.5", "Character '.' is reserved and must be escaped with the preceding '\\'"),
    ("MarkdownV2", "*a", "Can't find end of the entity starting at byte offset 0"),
    ("MarkdownV2", "é `a", "Can't find end of the entity starting at byte offset 3"),
    ("HTML", "a <b", "Unclosed start tag at byte offset 2"),
    ("HTML", "a</b>", "Unexpected end tag at byte offset 1"),
  ])
  func saysWhatIsWrong(_ mode: String, _ source: String, _ reason: String) {
    #expect(throws: BotAPIError.bad("can't parse entities: \(reason)")) {
      try parse(source, mode)
    }
  }
}
