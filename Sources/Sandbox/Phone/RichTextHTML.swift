import Foundation
import Telegram

/// A message's text as HTML: everything escaped, styles and links from its entities.
enum RichTextHTML {
  private static let tagOfEntity = [
    "bold": "b", "italic": "i", "underline": "u", "strikethrough": "s", "code": "code",
    "pre": "code", "blockquote": "q", "spoiler": "span",
  ]

  /// - Parameter target: where a link leads on the phone; nil leaves it as text.
  static func render(
    _ text: String, entities: [MessageEntity], target: (String) -> String?
  ) -> String {
    let units = Array(text.utf16)
    let entities = (entities + links(in: text)).filter {
      $0.offset >= 0 && $0.length > 0 && $0.offset <= units.count
        && $0.length <= units.count - $0.offset
    }
    var cuts: Set<Int> = [0, units.count]
    for entity in entities { cuts.formUnion([entity.offset, entity.offset + entity.length]) }
    let points = cuts.sorted()
    var html = ""
    // Each stretch opens and closes its own tags, so overlapping entities stay well formed.
    for (start, end) in zip(points, points.dropFirst()) {
      let piece = String(decoding: units[start..<end], as: UTF16.self)
      let active = entities.filter { $0.offset <= start && end <= $0.offset + $0.length }
      html += wrap(escape(piece), in: active, text: units, target: target)
    }
    return html
  }

  static func escape(_ text: String) -> String {
    var output = ""
    for character in text.unicodeScalars {
      switch character {
      case "&": output += "&amp;"
      case "<": output += "&lt;"
      case ">": output += "&gt;"
      case "\"": output += "&quot;"
      case "'": output += "&#39;"
      default: output.unicodeScalars.append(character)
      }
    }
    return output
  }

  private static func wrap(
    _ html: String, in entities: [MessageEntity], text: [UInt16], target: (String) -> String?
  ) -> String {
    var html = html
    var isLinked = false
    for entity in entities {
      if let tag = tagOfEntity[entity.type] {
        html = "<\(tag)>\(html)</\(tag)>"
      } else if !isLinked, ["url", "text_link"].contains(entity.type) {
        let own = text[entity.offset..<entity.offset + entity.length]
        let address = entity.url ?? String(decoding: own, as: UTF16.self)
        guard let link = target(address) else { continue }
        html = "<a href=\"\(escape(link))\" rel=\"noopener noreferrer\">\(html)</a>"
        isLinked = true
      }
    }
    return html
  }

  /// Addresses typed out in the text.
  private static func links(in text: String) -> [MessageEntity] {
    var found: [MessageEntity] = []
    var rest = text[...]
    while let start = rest.range(of: "https?://", options: .regularExpression) {
      let address = rest[start.lowerBound...].prefix { !$0.isWhitespace && $0 != "<" }
      found.append(
        MessageEntity(
          type: "url", offset: text.utf16.distance(from: text.startIndex, to: start.lowerBound),
          length: address.utf16.count))
      rest = rest[address.endIndex...]
    }
    return found
  }
}
