import Telegram

extension RichText {
  /// Reads `MarkdownV2`, or the older `Markdown`, which knows fewer marks and lets special
  /// characters stand. Block quotes stay plain.
  ///
  /// - Throws: `BotAPIError` in Telegram's words.
  static func markdown(_ source: String, isVersion2: Bool) throws -> RichText {
    var reader = MarkdownReader(source, isVersion2: isVersion2)
    try reader.readAll()
    return reader.rich
  }
}

private struct MarkdownReader {
  private struct Open {
    let mark: String
    let offset: Int
    let byte: Int
  }

  var rich = RichText(text: "")
  private let source: String
  private let isVersion2: Bool
  private var rest: Substring
  private var open: [Open] = []

  private static let reserved = Set("_*[]()~`>#+-=|{}.!")
  private static let typeOfMark = [
    "*": "bold", "_": "italic", "__": "underline", "~": "strikethrough", "||": "spoiler",
    "[": "text_link",
  ]

  init(_ source: String, isVersion2: Bool) {
    self.source = source
    self.isVersion2 = isVersion2
    rest = source[...]
  }

  private var byte: Int { source.utf8.distance(from: source.startIndex, to: rest.startIndex) }
  private var offset: Int { rich.text.utf16.count }

  mutating func readAll() throws {
    while let character = rest.first {
      if character == "\\", let next = rest.dropFirst().first, isEscapable(next) {
        rich.text.append(next)
        rest = rest.dropFirst(2)
      } else if rest.hasPrefix("```") {
        try readVerbatim("```", type: "pre")
      } else if character == "`" {
        try readVerbatim("`", type: "code")
      } else if character == "]", open.last?.mark == "[" {
        try closeLink()
      } else if let mark = mark() {
        toggle(mark)
      } else {
        try readPlain(character)
      }
    }
    if let mark = open.last {
      throw BotAPIError.bad(
        "can't parse entities: Can't find end of the entity starting at byte offset \(mark.byte)")
    }
    rich.entities.sort { ($0.offset, -$0.length) < ($1.offset, -$1.length) }
  }

  private func isEscapable(_ character: Character) -> Bool {
    isVersion2
      ? character.isASCII && (MarkdownReader.reserved.contains(character) || character == "\\")
      : "_*`[".contains(character)
  }

  private func mark() -> String? {
    let known = isVersion2 ? ["__", "||", "*", "_", "~", "["] : ["*", "_", "["]
    return known.first { rest.hasPrefix($0) }
  }

  private mutating func toggle(_ mark: String) {
    let start = byte
    rest = rest.dropFirst(mark.count)
    if open.last?.mark == mark, mark != "[" {
      close(url: nil)
    } else {
      open.append(Open(mark: mark, offset: offset, byte: start))
    }
  }

  private mutating func closeLink() throws {
    let start = byte
    guard rest.hasPrefix("]("), let end = rest.firstIndex(of: ")") else {
      throw BotAPIError.bad(
        "can't parse entities: Can't find end of a URL at byte offset \(start)")
    }
    let url = rest[rest.index(rest.startIndex, offsetBy: 2)..<end]
    rest = rest[rest.index(after: end)...]
    close(url: String(url.replacing("\\", with: "")))
  }

  private mutating func close(url: String?) {
    guard let start = open.popLast(), let type = MarkdownReader.typeOfMark[start.mark],
      offset > start.offset
    else { return }
    rich.entities.append(
      MessageEntity(type: type, offset: start.offset, length: offset - start.offset, url: url))
  }

  private mutating func readVerbatim(_ fence: String, type: String) throws {
    let start = byte
    let body = rest.dropFirst(fence.count)
    guard let end = body.range(of: fence) else {
      throw BotAPIError.bad(
        "can't parse entities: Can't find end of the entity starting at byte offset \(start)")
    }
    let text = body[..<end.lowerBound].replacing("\\`", with: "`").replacing("\\\\", with: "\\")
    if !text.isEmpty {
      rich.entities.append(
        MessageEntity(type: type, offset: offset, length: text.utf16.count))
      rich.text += String(text)
    }
    rest = rest[end.upperBound...]
  }

  private mutating func readPlain(_ character: Character) throws {
    // A quote's mark may begin a line.
    let beginsLine = rich.text.isEmpty || rich.text.last == "\n"
    if isVersion2, MarkdownReader.reserved.contains(character), !(character == ">" && beginsLine) {
      throw BotAPIError.bad(
        "can't parse entities: Character '\(character)' is reserved and must be escaped "
          + "with the preceding '\\'")
    }
    rich.text.append(character)
    rest = rest.dropFirst()
  }
}
