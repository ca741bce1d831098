import Foundation
import Postgres

/// A calendar day, whoever's zone it is in.
public struct Day: Sendable, Hashable, Comparable, Strideable, CustomStringConvertible {
  /// Since 1 January 1970.
  public let number: Int

  public init(number: Int) { self.number = number }

  /// The day that it is somewhere at a moment.
  public init(_ date: Date, in zone: TimeZone) {
    let local = date.timeIntervalSince1970 + Double(zone.secondsFromGMT(for: date))
    self.init(number: Int((local / 86_400).rounded(.down)))
  }

  /// `2026-11-21`; nil for anything else, for a day that there is not, and for one of a year outside
  /// ``Limits/years``.
  public init?(_ iso: String) {
    guard iso.wholeMatch(of: /[0-9]{4}-[0-9]{2}-[0-9]{2}/) != nil else { return nil }
    let parts = iso.split(separator: "-").compactMap { Int($0) }
    guard Limits.years.contains(parts[0]) else { return nil }
    let days = Self.number(parts[0], parts[1], parts[2])
    self.init(number: days)
    guard description == iso else { return nil }
  }

  /// `2026-11-21`.
  public var description: String {
    // Months from March on, so that the leap day is the last of its year.
    let z = number + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let ofEra = z - era * 146_097
    let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * ofYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    func padded(_ value: Int, _ width: Int) -> String {
      let digits = String(value)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let day = ofYear - (153 * shifted + 2) / 5 + 1
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
  }

  private static func number(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let ofEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + ofYear
    return era * 146_097 + ofEra - 719_468
  }

  /// When it begins somewhere: midnight, or the first moment after one that summer time skips.
  public func start(in zone: TimeZone) -> Date {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    // Noon is on its day in every zone that there is, whatever the clocks do at night.
    let noon = Date(timeIntervalSince1970: Double(number) * 86_400 + 43_200)
    return calendar.startOfDay(for: noon - Double(zone.secondsFromGMT(for: noon)))
  }

  public static func < (one: Day, other: Day) -> Bool { one.number < other.number }
  public func distance(to other: Day) -> Int { other.number - number }
  public func advanced(by days: Int) -> Day { Day(number: number + days) }
}

extension Row {
  /// A column of type `date` that was read as text.
  func day(_ column: String) throws -> Day {
    let text: String = try get(column)
    guard let day = Day(text) else {
      throw PostgresError(.decoding, "\"\(text)\" is not a day")
    }
    return day
  }
}

extension ClosedRange<Day> {
  /// For a condition on a column of type `date`.
  func covers(_ column: SQL) -> SQL {
    """
    \(column) between \(lowerBound.description)::date and \(upperBound.description)::date
    """
  }

  /// The same number of days just before.
  public var before: ClosedRange<Day> {
    let first = lowerBound.advanced(by: -count)
    return first...lowerBound.advanced(by: -1)
  }
}
