/// SQL text with bound values.
///
/// `"select * from t where id = \(id)"` sends `$1` and the value apart from the text, so a value
/// can never become SQL. `\(unsafe: text)` splices text as is; `\(fragment)` of another `SQL`
/// splices its text and renumbers its values.
public struct SQL: ExpressibleByStringInterpolation, Sendable {
  /// Text around the values: always one piece more than there are values.
  private(set) var pieces: [String]
  /// The values in text format; nil is NULL.
  private(set) var values: [String?]

  public init(stringLiteral text: String) {
    pieces = [text]
    values = []
  }

  public init(stringInterpolation: StringInterpolation) {
    self = stringInterpolation.sql
  }

  /// SQL that was made elsewhere (a file, a fixed table of statements) and carries no values.
  public init(unsafe text: String) {
    self.init(stringLiteral: text)
  }

  public static func + (left: SQL, right: SQL) -> SQL {
    var sum = left
    sum.append(right)
    return sum
  }

  public static func += (left: inout SQL, right: SQL) {
    left.append(right)
  }

  /// The text as the server receives it: `$1`, `$2`, … in place of the values.
  var text: String {
    guard pieces.count > 1 else { return pieces[0] }
    var text = pieces[0]
    for index in 1..<pieces.count {
      text += "$"
      text += String(index)
      text += pieces[index]
    }
    return text
  }

  fileprivate mutating func append(text: String) {
    pieces[pieces.count - 1] += text
  }

  fileprivate mutating func append(value: String?) {
    values.append(value)
    pieces.append("")
  }

  fileprivate mutating func append(_ other: SQL) {
    append(text: other.pieces[0])
    pieces.append(contentsOf: other.pieces.dropFirst())
    values.append(contentsOf: other.values)
  }

  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var sql: SQL

    public init(literalCapacity: Int, interpolationCount: Int) {
      sql = SQL(stringLiteral: "")
      sql.pieces.reserveCapacity(interpolationCount + 1)
      sql.values.reserveCapacity(interpolationCount)
    }

    public mutating func appendLiteral(_ literal: String) {
      sql.append(text: literal)
    }

    /// Binds a value.
    public mutating func appendInterpolation(_ value: some SQLValue) {
      sql.append(value: value.sqlText)
    }

    /// Binds a value, or NULL for nil.
    public mutating func appendInterpolation<T: SQLValue>(_ value: T?) {
      sql.append(value: value.flatMap(\.sqlText))
    }

    /// Splices a fragment with its values.
    public mutating func appendInterpolation(_ fragment: SQL) {
      sql.append(fragment)
    }

    /// Splices text as is. Only for text that no user can influence.
    public mutating func appendInterpolation(unsafe text: String) {
      sql.append(text: text)
    }
  }
}
