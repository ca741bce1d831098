import Foundation

/// The days that somebody looks at, in the workspace's zone, and those before them to compare with.
public struct Period: Sendable, Equatable {
  public enum Choice: String, Sendable, CaseIterable {
    case today
    /// The hour that runs and the 23 before it.
    case day = "24h"
    case week = "7d"
    case month = "30d"
    case quarter = "90d"
    case custom
  }

  /// What a page may show at most.
  public static let longest = 732

  public let choice: Choice
  public let days: ClosedRange<Day>
  /// As many days just before.
  public var before: ClosedRange<Day> { days.before }

  /// - Parameters:
  ///   - from: Of ``Choice/custom``: the first day; nil: thirty days before the last one.
  ///   - to: The last one; nil: today.
  public init(_ choice: Choice, today: Day, from: Day? = nil, to: Day? = nil) {
    self.choice = choice
    switch choice {
    case .today: days = today...today
    case .day: days = today.advanced(by: -1)...today
    case .week: days = today.advanced(by: -6)...today
    case .month: days = today.advanced(by: -29)...today
    case .quarter: days = today.advanced(by: -89)...today
    case .custom:
      // Whoever mixed the two up meant what lies between.
      let ends = [from ?? (to ?? today).advanced(by: -29), to ?? max(today, from ?? today)].sorted()
      days = max(ends[0], ends[1].advanced(by: 1 - Self.longest))...ends[1]
    }
  }

  /// From the first moment to the last.
  public func moments(in zone: TimeZone) -> Range<Date> {
    days.lowerBound.start(in: zone)..<days.upperBound.advanced(by: 1).start(in: zone)
  }
}
