import Telegram

/// A text as Telegram stores it: plain characters and the parts that are styled.
struct RichText: Sendable, Equatable {
  var text: String
  var entities: [MessageEntity] = []

  /// Reads `text` by `parse_mode`.
  ///
  /// - Throws: `BotAPIError` in Telegram's words.
  static func parse(_ parameters: Parameters) throws -> RichText {
    guard let text = parameters.text("text") else {
      throw BotAPIError.bad("message text is empty")
    }
    var rich: RichText
    switch parameters.text("parse_mode")?.lowercased() {
    case "html": rich = try html(text)
    case "markdownv2": rich = try markdown(text, isVersion2: true)
    case "markdown": rich = try markdown(text, isVersion2: false)
    case nil:
      rich = RichText(text: text)
      rich.entities =
        try parameters.json(
          "entities", as: [MessageEntity].self, failure: "can't parse entities JSON object")
        ?? []
    default: throw BotAPIError.bad("unsupported parse_mode")
    }
    guard rich.text.contains(where: { !$0.isWhitespace }) else {
      throw BotAPIError.bad("message text is empty")
    }
    guard rich.text.utf16.count <= Telegram.Limits.textLength.upperBound else {
      throw BotAPIError.bad("message is too long")
    }
    return rich
  }

  private static let entityOfTag = [
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline",
    "ins": "underline", "s": "strikethrough", "strike": "strikethrough",
    "del": "strikethrough", "code": "code", "pre": "pre", "a": "text_link",
    "blockquote": "blockquote", "tg-spoiler": "spoiler", "span": "spoiler",
  ]

  private struct OpenTag {
    let name: String
    let offset: Int
    let url: String?
  }

  private static func html(_ source: String) throws -> RichText {
    var rich = RichText(text: "")
    var open: [OpenTag] = []
    var rest = source[...]
    while let character = rest.first {
      switch character {
      case "<":
        let offset = source.utf8.distance(from: source.startIndex, to: rest.startIndex)
        guard let end = rest.firstIndex(of: ">") else {
          throw BotAPIError.bad("can't parse entities: Unclosed start tag at byte offset \(offset)")
        }
        let tag = rest[rest.index(after: rest.startIndex)..<end]
        rest = rest[rest.index(after: end)...]
        try read(tag, at: offset, into: &rich, open: &open)
      case "&":
        let (value, length) = decodeReference(rest)
        rich.text += value
        rest = rest.dropFirst(length)
      default:
        rich.text.append(character)
        rest = rest.dropFirst()
      }
    }
    if let tag = open.last {
      throw BotAPIError.bad(
        "can't parse entities: Can't find end tag corresponding to start tag \"\(tag.name)\"")
    }
    rich.entities.sort { ($0.offset, -$0.length) < ($1.offset, -$1.length) }
    return rich
  }

  private static func read(
    _ tag: Substring, at offset: Int, into rich: inout RichText, open: inout [OpenTag]
  ) throws {
    if tag.first == "/" {
      let name = tag.dropFirst().lowercased()
      guard let start = open.popLast(), start.name == name, let type = entityOfTag[name] else {
        throw BotAPIError.bad(
          "can't parse entities: Unexpected end tag at byte offset \(offset)")
      }
      let length = rich.text.utf16.count - start.offset
      if length > 0 {
        rich.entities.append(
          MessageEntity(type: type, offset: start.offset, length: length, url: start.url))
      }
      return
    }
    let name = tag.prefix { !$0.isWhitespace }.lowercased()
    guard entityOfTag[name] != nil else {
      throw BotAPIError.bad(
        "can't parse entities: Unsupported start tag \"\(name)\" at byte offset \(offset)")
    }
    open.append(
      OpenTag(
        name: name, offset: rich.text.utf16.count, url: name == "a" ? address(in: tag) : nil))
  }

  private static func address(in tag: Substring) -> String? {
    guard let range = tag.range(of: "href=") else { return nil }
    let value = tag[range.upperBound...]
    guard let quote = value.first, quote == "\"" || quote == "'" else { return nil }
    return String(value.dropFirst().prefix { $0 != quote })
  }

  private static func decodeReference(_ rest: Substring) -> (String, Int) {
    for (name, value) in [("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"), ("&quot;", "\"")]
    where rest.hasPrefix(name) {
      return (value, name.count)
    }
    if rest.hasPrefix("&#"), let end = rest.prefix(10).firstIndex(of: ";") {
      let digits = rest[rest.index(rest.startIndex, offsetBy: 2)..<end]
      let number = digits.first == "x" ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
      if let scalar = number.flatMap(Unicode.Scalar.init) {
        return (String(Character(scalar)), rest.distance(from: rest.startIndex, to: end) + 1)
      }
    }
    return ("&", 1)
  }
}
