import Foundation

/// The days that a page is about, as its address says them.
enum PeriodChoice: String, Sendable, CaseIterable {
  case today
  case day = "24h"
  case week = "7d"
  case month = "30d"
  case quarter = "90d"
  case custom

  /// Its words, in the strings' section `period`.
  var key: Strings.Key {
    switch self {
    case .today: "period.today"
    case .day: "period.day"
    case .week: "period.week"
    case .month: "period.month"
    case .quarter: "period.quarter"
    case .custom: "period.custom"
    }
  }
}
