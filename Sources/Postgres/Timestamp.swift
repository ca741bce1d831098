import Foundation

/// `timestamptz`, `timestamp` and `date`, to the microsecond. `Date.distantFuture` and
/// `Date.distantPast` stand for PostgreSQL's `infinity` and `-infinity`.
extension Date: SQLValue, SQLDecodable {
  public var sqlText: String? { TimestampText.encode(self) }

  public init(sqlText: String) throws {
    self = try TimestampText.decode(sqlText)
  }
}

/// The ISO form of times, `2026-11-21 09:00:00.123456+00`, without a formatter: rows carry many.
/// Days are counted as in http://howardhinnant.github.io/date_algorithms.html
enum TimestampText {
  /// From 1970-01-01 to Foundation's reference date, 2001-01-01.
  private static let referenceSeconds: Int64 = 978_307_200
  private static let microsecondsPerDay: Int64 = 86_400_000_000

  static func encode(_ date: Date) -> String {
    if date >= .distantFuture { return "infinity" }
    if date <= .distantPast { return "-infinity" }
    let sinceReference = Int64((date.timeIntervalSinceReferenceDate * 1_000_000).rounded())
    let microseconds = sinceReference + referenceSeconds * 1_000_000
    var day = microseconds / microsecondsPerDay
    var rest = microseconds % microsecondsPerDay
    if rest < 0 {
      rest += microsecondsPerDay
      day -= 1
    }
    let (year, month, dayOfMonth) = civil(fromDays: day)
    var text: [UInt8] = []
    text.reserveCapacity(29)
    append(year, digits: 4, to: &text)
    text.append(UInt8(ascii: "-"))
    append(month, digits: 2, to: &text)
    text.append(UInt8(ascii: "-"))
    append(dayOfMonth, digits: 2, to: &text)
    text.append(UInt8(ascii: " "))
    append(rest / 3_600_000_000, digits: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    append(rest / 60_000_000 % 60, digits: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    append(rest / 1_000_000 % 60, digits: 2, to: &text)
    text.append(UInt8(ascii: "."))
    append(rest % 1_000_000, digits: 6, to: &text)
    text.append(contentsOf: "+00".utf8)
    return String(decoding: text, as: UTF8.self)
  }

  static func decode(_ text: String) throws -> Date {
    if text == "infinity" { return .distantFuture }
    if text == "-infinity" { return .distantPast }
    var scanner = Scanner(text.utf8)
    guard let year = scanner.number(), scanner.skip("-"), let month = scanner.number(),
      scanner.skip("-"), let day = scanner.number(), (1...12).contains(month),
      (1...31).contains(day), year <= 294_276
    else { throw PostgresError.undecodable(text, as: "Date") }
    var seconds = days(fromYear: year, month: month, day: day) * 86_400
    var microseconds: Int64 = 0
    if scanner.skip(" ") {
      guard let hour = scanner.number(), scanner.skip(":"), let minute = scanner.number(),
        scanner.skip(":"), let second = scanner.number(), hour <= 24, minute < 60, second <= 60
      else { throw PostgresError.undecodable(text, as: "Date") }
      seconds += hour * 3600 + minute * 60 + second
      if scanner.skip(".") { microseconds = scanner.fraction() }
      seconds -= scanner.offsetSeconds()
    }
    guard scanner.isAtEnd else { throw PostgresError.undecodable(text, as: "Date") }
    let sinceReference = (seconds - referenceSeconds) * 1_000_000 + microseconds
    return Date(timeIntervalSinceReferenceDate: Double(sinceReference) / 1_000_000)
  }

  private static func append(_ value: Int64, digits: Int, to text: inout [UInt8]) {
    var divisor: Int64 = 1
    for _ in 1..<digits { divisor *= 10 }
    while divisor > 0 {
      text.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
      divisor /= 10
    }
  }

  private static func days(fromYear year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  private struct Scanner {
    private var rest: Substring.UTF8View

    init(_ text: String.UTF8View) { rest = text[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
      guard rest.first == UInt8(ascii: character) else { return false }
      rest.removeFirst()
      return true
    }

    mutating func number() -> Int64? {
      var value: Int64 = 0
      var count = 0
      while let digit = rest.first, (48...57).contains(digit), count < 9 {
        value = value * 10 + Int64(digit - 48)
        count += 1
        rest.removeFirst()
      }
      return count > 0 ? value : nil
    }

    /// Up to six digits behind the point, in microseconds.
    mutating func fraction() -> Int64 {
      var value: Int64 = 0
      var unit: Int64 = 100_000
      while let digit = rest.first, (48...57).contains(digit) {
        value += Int64(digit - 48) * unit
        unit /= 10
        rest.removeFirst()
      }
      return value
    }

    /// `+05:30` in seconds; 0 when there is none.
    mutating func offsetSeconds() -> Int64 {
      let sign: Int64
      if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return 0 }
      var seconds = (number() ?? 0) * 3600
      if skip(":") { seconds += (number() ?? 0) * 60 }
      if skip(":") { seconds += number() ?? 0 }
      return sign * seconds
    }
  }
}
