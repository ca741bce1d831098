import CLibpq
import Foundation

/// One row of an answer.
public struct Row: Sendable {
  let result: ResultSet
  let index: Int32

  /// The column's value. Throws `.decoding` when the column is missing, NULL or of another type.
  public func get<T: SQLDecodable>(_ column: String, as type: T.Type = T.self) throws -> T {
    guard let value = try getIfPresent(column, as: type) else {
      throw PostgresError(.decoding, "column \"\(column)\" is NULL")
    }
    return value
  }

  /// The column's value, or nil for NULL. Throws `.decoding` when the column is missing or of
  /// another type.
  public func getIfPresent<T: SQLDecodable>(
    _ column: String, as type: T.Type = T.self
  ) throws -> T? {
    let number = try result.number(of: column)
    guard let text = result.text(row: index, column: number) else { return nil }
    do {
      return try T(sqlText: text)
    } catch let error as PostgresError {
      throw PostgresError(.decoding, "column \"\(column)\": \(error.message)")
    }
  }

  /// The columns' names, in order.
  public var columns: [String] { result.columns }
}

/// An answer as libpq holds it. Rows read from it in place, so nothing is copied before it is
/// asked for. Reading a `PGresult` changes nothing, so any thread may do it.
final class ResultSet: @unchecked Sendable {
  private let pointer: OpaquePointer
  let rowCount: Int32
  private let columnCount: Int32

  /// Takes over the result and frees it in the end.
  init(_ pointer: OpaquePointer) {
    self.pointer = pointer
    rowCount = PQntuples(pointer)
    columnCount = PQnfields(pointer)
  }

  deinit { PQclear(pointer) }

  var rows: [Row] { (0..<rowCount).map { Row(result: self, index: $0) } }

  var affectedRows: Int { Int(String(cString: PQcmdTuples(pointer))) ?? 0 }

  /// `SELECT 1`, `COMMIT`, `ROLLBACK`, …
  var commandTag: String { String(cString: PQcmdStatus(pointer)) }

  var columns: [String] { (0..<columnCount).map { String(cString: PQfname(pointer, $0)) } }

  func number(of column: String) throws -> Int32 {
    // PQfnumber folds case, which would miss a column whose quoted name has capitals.
    let number = column.withCString { name in
      (0..<columnCount).first { strcmp(PQfname(pointer, $0), name) == 0 }
    }
    guard let number else {
      throw PostgresError(.decoding, "there is no column \"\(column)\"")
    }
    return number
  }

  func text(row: Int32, column: Int32) -> String? {
    if PQgetisnull(pointer, row, column) == 1 { return nil }
    let bytes = UnsafeRawBufferPointer(
      start: PQgetvalue(pointer, row, column), count: Int(PQgetlength(pointer, row, column)))
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension PostgresError {
  /// Reads the fields of an error result.
  init(result: OpaquePointer) {
    // libpq defines the field names as characters; Swift sees them as Int32.
    func field(_ code: Int32) -> String? {
      PQresultErrorField(result, code).map { String(cString: $0) }
    }
    let severity = field(Int32(UInt8(ascii: "V"))) ?? ""
    let ends = severity == "FATAL" || severity == "PANIC"
    let state = field(Int32(UInt8(ascii: "C"))).map(SQLState.init(rawValue:))
    let fallback = PostgresError.oneLine(PQresultErrorMessage(result))
    self.init(
      ends || state == nil ? .connection : .server,
      field(Int32(UInt8(ascii: "M"))) ?? fallback,
      sqlState: state,
      constraint: field(Int32(UInt8(ascii: "n"))),
      detail: field(Int32(UInt8(ascii: "D"))),
      position: field(Int32(UInt8(ascii: "P"))).flatMap(Int.init),
      routine: field(Int32(UInt8(ascii: "R"))))
  }

  /// The first line of libpq's message: the others are hints.
  static func oneLine(_ text: UnsafePointer<CChar>?) -> String {
    let message = text.map { String(cString: $0) } ?? ""
    return message.split(whereSeparator: \.isNewline).first.map(String.init)
      ?? "the connection was lost"
  }
}
