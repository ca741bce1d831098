/// Text that is safe to stand in a page, between tags or inside a quoted attribute.
struct HTML: Sendable, Equatable {
  let text: String

  /// Takes markup that this module produced itself. Never pass anything a person typed.
  init(trusted text: String) { self.text = text }

  /// Escapes by byte. Comparing `Character`s would not do: `<` joined to a neighbouring combining
  /// or prepended mark is one grapheme, equal to nothing in a table of escapes, and slips through.
  init(escaping text: String) {
    guard text.utf8.contains(where: { Self.escape(of: $0) != nil }) else {
      self.text = text
      return
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count + 32)
    for byte in text.utf8 {
      if let escape = Self.escape(of: byte) {
        bytes.append(contentsOf: escape.utf8)
      } else {
        bytes.append(byte)
      }
    }
    self.text = String(decoding: bytes, as: UTF8.self)
  }

  private static func escape(of byte: UInt8) -> StaticString? {
    switch byte {
    case UInt8(ascii: "<"): "&lt;"
    case UInt8(ascii: ">"): "&gt;"
    case UInt8(ascii: "&"): "&amp;"
    case UInt8(ascii: "\""): "&quot;"
    case UInt8(ascii: "'"): "&#39;"
    default: nil
    }
  }
}

extension StaticString {
  fileprivate var utf8: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
  }
}
