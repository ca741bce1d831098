import Foundation

/// An element whose Swift array is one PostgreSQL value: an SQL array, or `bytea` for `UInt8`.
public protocol SQLArrayElement: Sendable {
  static func sqlText(of array: [Self]) -> String?
  static func array(fromSQLText text: String) throws -> [Self]
}

extension Array: SQLValue where Element: SQLArrayElement {
  public var sqlText: String? { Element.sqlText(of: self) }
}

extension Array: SQLDecodable where Element: SQLArrayElement {
  public init(sqlText: String) throws {
    self = try Element.array(fromSQLText: sqlText)
  }
}

extension SQLArrayElement where Self: SQLValue & SQLDecodable {
  public static func sqlText(of array: [Self]) -> String? {
    ArrayText.encode(array.lazy.map(\.sqlText))
  }

  public static func array(fromSQLText text: String) throws -> [Self] {
    try ArrayText.decode(text).map { element in
      guard let element else {
        throw PostgresError(.decoding, "a NULL element where \(Self.self) was expected")
      }
      return try Self(sqlText: element)
    }
  }
}

extension Int: SQLArrayElement {}
extension Int64: SQLArrayElement {}
extension Int32: SQLArrayElement {}
extension Int16: SQLArrayElement {}
extension Bool: SQLArrayElement {}
extension String: SQLArrayElement {}
extension Date: SQLArrayElement {}
extension UUID: SQLArrayElement {}

extension Optional: SQLArrayElement where Wrapped: SQLArrayElement & SQLValue & SQLDecodable {
  public static func sqlText(of array: [Wrapped?]) -> String? {
    ArrayText.encode(array.lazy.map { $0?.sqlText })
  }

  public static func array(fromSQLText text: String) throws -> [Wrapped?] {
    try ArrayText.decode(text).map { try $0.map(Wrapped.init(sqlText:)) }
  }
}

extension UInt8: SQLArrayElement {
  public static func sqlText(of array: [UInt8]) -> String? { ByteaText.encode(array) }

  public static func array(fromSQLText text: String) throws -> [UInt8] {
    try ByteaText.decode(text)
  }
}

/// One-dimensional array text: https://www.postgresql.org/docs/15/arrays.html#ARRAYS-IO
enum ArrayText {
  private static let quote = UInt8(ascii: "\"")
  private static let backslash = UInt8(ascii: "\\")
  private static let comma = UInt8(ascii: ",")
  private static let close = UInt8(ascii: "}")

  static func encode(_ elements: some Sequence<String?>) -> String {
    var text: [UInt8] = [UInt8(ascii: "{")]
    for element in elements {
      if text.count > 1 { text.append(comma) }
      guard let element else {
        text.append(contentsOf: "NULL".utf8)
        continue
      }
      text.append(quote)
      for byte in element.utf8 {
        if byte == quote || byte == backslash { text.append(backslash) }
        text.append(byte)
      }
      text.append(quote)
    }
    text.append(close)
    return String(decoding: text, as: UTF8.self)
  }

  static func decode(_ text: String) throws -> [String?] {
    let bytes = Array(text.utf8)
    guard bytes.first == UInt8(ascii: "{"), bytes.count >= 2, bytes.last == close else {
      throw PostgresError.undecodable(text, as: "a one-dimensional array")
    }
    if bytes.count == 2 { return [] }
    var elements: [String?] = []
    var position = 1
    while position < bytes.count {
      elements.append(try element(of: bytes, at: &position))
      guard position < bytes.count, bytes[position] == comma || bytes[position] == close else {
        throw PostgresError.undecodable(text, as: "an array")
      }
      position += 1
      if position == bytes.count { return elements }
    }
    throw PostgresError.undecodable(text, as: "an array")
  }

  /// Reads one element and leaves `position` at the delimiter behind it.
  private static func element(of bytes: [UInt8], at position: inout Int) throws -> String? {
    var content: [UInt8] = []
    if bytes[position] == UInt8(ascii: "{") {
      throw PostgresError(.decoding, "arrays of more than one dimension are not read")
    }
    guard bytes[position] == quote else {
      while position < bytes.count, bytes[position] != comma, bytes[position] != close {
        content.append(bytes[position])
        position += 1
      }
      let text = String(decoding: content, as: UTF8.self)
      return text == "NULL" ? nil : text
    }
    position += 1
    while position < bytes.count, bytes[position] != quote {
      if bytes[position] == backslash { position += 1 }
      guard position < bytes.count else { break }
      content.append(bytes[position])
      position += 1
    }
    position += 1
    return String(decoding: content, as: UTF8.self)
  }
}
