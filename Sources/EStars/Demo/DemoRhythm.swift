import Foundation

/// The ninety days of a history, and when in them people are about: more every week, and by the
/// hour and weekday of São Paulo, which has had no summer time since 2019.
struct DemoRhythm {
  static let days = 90
  private static let daySeconds: Int64 = 86_400
  private static let zoneSeconds: Int64 = -3 * 3600

  /// The last moment, in Unix seconds.
  let end: Int64
  /// Local days since 1970 of the first day; the last one is the day that ends with, or holds, `end`.
  private let firstDay: Int64

  init(until: Date) {
    end = Int64(until.timeIntervalSince1970)
    firstDay = (end - 1 + Self.zoneSeconds) / Self.daySeconds - Int64(Self.days - 1)
  }

  /// Unix seconds of a second of a day.
  func moment(day: Int, second: Int) -> Int64 {
    (firstDay + Int64(day)) * Self.daySeconds - Self.zoneSeconds + Int64(second)
  }

  /// The day of a moment; 0 is the first.
  func day(of moment: Int64) -> Int {
    Int((moment + Self.zoneSeconds) / Self.daySeconds - firstDay)
  }

  /// How likely a day is, in percent of a usual one.
  func liveliness(day: Int, isOffice: Bool) -> Int {
    // 1970-01-01 was a Thursday; 0 is Sunday.
    let weekday = Int((firstDay + Int64(day) + 4) % 7)
    return isOffice ? Self.officeDays[weekday] : Self.leisureDays[weekday]
  }

  func second(isOffice: Bool, _ random: inout DemoRandom) -> Int {
    let hour = random.index(ofWeights: isOffice ? Self.officeHours : Self.leisureHours)
    return hour * 3600 + random.below(3600)
  }

  /// The day somebody first comes: the last days bring three times as many as the first.
  func arrivalDay(_ random: inout DemoRandom) -> Int {
    random.index(ofWeights: Self.arrivals)
  }

  private static let arrivals = (0..<days).map { 45 + $0 }
  private static let leisureDays = [125, 90, 88, 92, 98, 112, 130]
  private static let officeDays = [12, 100, 110, 112, 108, 95, 20]
  private static let leisureHours = [
    4, 2, 1, 1, 1, 1, 2, 4, 6, 7, 8, 9, 11, 10, 8, 8, 9, 10, 12, 15, 17, 17, 14, 8,
  ]
  private static let officeHours = [
    0, 0, 0, 0, 0, 0, 1, 4, 12, 18, 18, 15, 7, 12, 18, 18, 16, 12, 6, 3, 2, 1, 0, 0,
  ]
}
