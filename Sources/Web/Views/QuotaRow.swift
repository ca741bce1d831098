import Foundation

/// How much of an action a customer may use in a period, and how much is used.
struct QuotaRow: Sendable, Equatable {
  enum Period: String, Sendable, CaseIterable { case day, month, lifetime }

  var actionTitle: String
  var period: Period
  /// Units.
  var used: Int64
  var limit: Int64
  /// nil: it never resets.
  var resetsAt: Date?

  func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "action": .text(actionTitle),
      "period": .text(t[.init("quota.\(period.rawValue)")]),
      "used": .text(
        t("quota.used_of", ["used": format.number(used), "limit": format.number(limit)])),
      "state": .text(t[used >= limit ? "quota.used_up" : "quota.running"]),
      "state_class": .text(used >= limit ? "bad" : "good"),
      "resets": .optional(resetsAt) { ["time": format.time($0)] },
    ]
  }
}
