import Foundation
import Telegram

/// The parameters of a Bot API call, from wherever they came. Telegram treats them all as text:
/// a nested value is its JSON, and a library may send it as an object or as a string.
struct Parameters: Sendable {
  private var values: [String: String] = [:]
  private(set) var fileNames: Set<String> = []

  init() {}

  /// Reads the query and the body of a request.
  ///
  /// - Throws: `BotAPIError` for a body that cannot be read as what it says it is.
  init(query: String?, contentType: String?, body: [UInt8]) throws {
    if let query { try addForm(Array(query.utf8)) }
    guard !body.isEmpty else { return }
    let type = (contentType ?? "").split(separator: ";").first
      .map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
    switch type {
    case "application/json": try addJSON(body)
    case "application/x-www-form-urlencoded": try addForm(body)
    case "multipart/form-data": try addMultipart(body, contentType: contentType ?? "")
    default: break
    }
  }

  /// A non-empty text, or nil.
  func text(_ name: String) -> String? {
    guard let value = values[name], !value.isEmpty else { return nil }
    return value
  }

  /// As Telegram words it.
  func requiredText(_ name: String) throws -> String {
    guard let value = text(name) else {
      throw BotAPIError.bad("parameter \"\(name)\" is required")
    }
    return value
  }

  func has(_ name: String) -> Bool { values[name] != nil }

  /// A whole number; nil when absent or not one.
  func integer(_ name: String) -> Int64? {
    text(name).flatMap { Int64($0.trimmingCharacters(in: .whitespaces)) }
  }

  func flag(_ name: String) -> Bool {
    ["true", "yes", "1"].contains(values[name]?.lowercased() ?? "")
  }

  /// A nested value; nil when absent.
  /// - Throws: `BotAPIError` saying what cannot be parsed.
  func json<Value: Decodable>(_ name: String, as: Value.Type, failure: String) throws -> Value? {
    guard let text = text(name) else { return nil }
    let bytes = Array(text.utf8)
    guard JSONDepth.isBounded(bytes),
      let value = try? JSONDecoder().decode(Value.self, from: Data(bytes))
    else { throw BotAPIError.bad(failure) }
    return value
  }

  private mutating func set(_ name: String, _ value: String) throws {
    guard values.count < SandboxLimits.parameterCount else {
      throw BotAPIError.bad("too many parameters")
    }
    values[name] = value
  }

  private mutating func addJSON(_ body: [UInt8]) throws {
    guard String(validating: body, as: UTF8.self) != nil else {
      throw BotAPIError.bad("strings must be encoded in UTF-8")
    }
    guard JSONDepth.isBounded(body),
      let object = try? JSONDecoder().decode([String: AnyJSON].self, from: Data(body))
    else { throw BotAPIError.bad("can't parse JSON object") }
    for (name, value) in object {
      switch value {
      case .null: continue
      case .bool(let flag): try set(name, flag ? "true" : "false")
      case .integer(let number): try set(name, String(number))
      case .number(let number): try set(name, "\(number)")
      case .string(let text): try set(name, text)
      case .array, .object:
        let json = try JSONEncoder().encode(value)
        try set(name, String(decoding: json, as: UTF8.self))
      }
    }
  }

  private mutating func addForm(_ bytes: [UInt8]) throws {
    for pair in bytes.split(separator: UInt8(ascii: "&")) {
      let parts = pair.split(
        separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      try set(
        try Parameters.decode(parts[0]), parts.count > 1 ? try Parameters.decode(parts[1]) : "")
    }
  }

  private mutating func addMultipart(_ body: [UInt8], contentType: String) throws {
    guard let parts = Multipart.parts(of: body, contentType: contentType) else {
      throw BotAPIError.bad("can't parse multipart/form-data request")
    }
    for part in parts {
      if part.isFile {
        fileNames.insert(part.name)
        continue
      }
      guard let value = String(validating: part.bytes, as: UTF8.self) else {
        throw BotAPIError.bad("strings must be encoded in UTF-8")
      }
      try set(part.name, value)
    }
  }

  /// Undoes form encoding.
  static func decode(_ bytes: some Collection<UInt8>) throws -> String {
    var output: [UInt8] = []
    var rest = bytes[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "+") {
        output.append(UInt8(ascii: " "))
      } else if byte == UInt8(ascii: "%"), let high = rest.first?.hexValue,
        let low = rest.dropFirst().first?.hexValue
      {
        output.append(high << 4 | low)
        rest = rest.dropFirst(2)
      } else {
        output.append(byte)
      }
    }
    guard let text = String(validating: output, as: UTF8.self) else {
      throw BotAPIError.bad("strings must be encoded in UTF-8")
    }
    return text
  }
}

extension UInt8 {
  fileprivate var hexValue: UInt8? {
    switch self {
    case 48...57: self - 48
    case 65...70: self - 55
    case 97...102: self - 87
    default: nil
    }
  }
}

/// Refuses JSON that is nested so deeply that reading it would need much stack.
enum JSONDepth {
  static func isBounded(_ bytes: [UInt8], limit: Int = SandboxLimits.jsonDepth) -> Bool {
    var depth = 0
    var isInString = false
    var isEscaped = false
    for byte in bytes {
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): isInString = true
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        depth += 1
        if depth > limit { return false }
      case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
      default: break
      }
    }
    return true
  }
}
