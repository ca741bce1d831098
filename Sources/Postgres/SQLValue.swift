import Foundation

/// A value that can be bound to a statement, in PostgreSQL's text format.
/// The server infers the type from the statement.
public protocol SQLValue: Sendable {
  /// The text form; nil means NULL.
  var sqlText: String? { get }
}

/// A value that can be read from one column in PostgreSQL's text format.
public protocol SQLDecodable: Sendable {
  /// Throws `PostgresError` of kind `.decoding` when the text is not of this type.
  init(sqlText: String) throws
}

extension Optional: SQLValue where Wrapped: SQLValue {
  public var sqlText: String? { self?.sqlText }
}

extension FixedWidthInteger where Self: SQLDecodable {
  public init(sqlText: String) throws {
    guard let value = Self(sqlText) else {
      throw PostgresError.undecodable(sqlText, as: "\(Self.self)")
    }
    self = value
  }
}

extension FixedWidthInteger where Self: SQLValue {
  public var sqlText: String? { String(self) }
}

extension Int: SQLValue, SQLDecodable {}
extension Int64: SQLValue, SQLDecodable {}
extension Int32: SQLValue, SQLDecodable {}
extension Int16: SQLValue, SQLDecodable {}

extension Bool: SQLValue, SQLDecodable {
  public var sqlText: String? { self ? "true" : "false" }

  public init(sqlText: String) throws {
    switch sqlText {
    case "t", "true": self = true
    case "f", "false": self = false
    default: throw PostgresError.undecodable(sqlText, as: "Bool")
    }
  }
}

extension String: SQLValue, SQLDecodable {
  public var sqlText: String? { self }

  public init(sqlText: String) { self = sqlText }
}

extension UUID: SQLValue, SQLDecodable {
  public var sqlText: String? { uuidString.lowercased() }

  public init(sqlText: String) throws {
    guard let value = UUID(uuidString: sqlText) else {
      throw PostgresError.undecodable(sqlText, as: "UUID")
    }
    self = value
  }
}

/// `bytea` in its hex form.
extension Data: SQLValue, SQLDecodable {
  public var sqlText: String? { ByteaText.encode(self) }

  public init(sqlText: String) throws {
    self = Data(try ByteaText.decode(sqlText))
  }
}

/// The hex form of `bytea`: https://www.postgresql.org/docs/15/datatype-binary.html
enum ByteaText {
  private static let digits = Array("0123456789abcdef".utf8)

  static func encode(_ bytes: some Collection<UInt8>) -> String {
    var text: [UInt8] = [UInt8(ascii: "\\"), UInt8(ascii: "x")]
    text.reserveCapacity(2 + 2 * bytes.count)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  static func decode(_ text: String) throws -> [UInt8] {
    var characters = text.utf8.makeIterator()
    guard characters.next() == UInt8(ascii: "\\"), characters.next() == UInt8(ascii: "x") else {
      throw PostgresError.undecodable(text, as: "bytea")
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count / 2)
    while let high = characters.next() {
      guard let low = characters.next(), let upper = nibble(high), let lower = nibble(low) else {
        throw PostgresError.undecodable(text, as: "bytea")
      }
      bytes.append(upper << 4 | lower)
    }
    return bytes
  }

  private static func nibble(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
