import Foundation

/// What Telegram asks of a bot that sells, and whether it is so.
struct ComplianceCard: Sendable, Equatable {
  enum Point: String, Sendable, CaseIterable { case commands, updates, webhook, pending }
  enum Verdict: String, Sendable, CaseIterable {
    case good, bad
    /// Telegram does not say.
    case unknown
  }

  /// With the slash; nil: Telegram gave no answer.
  var missingCommands: [String]?
  var webhook: WebhookFacts?
  var mode: BotMode
  /// Counts where the webhook is ours: nobody else could answer.
  var answersCommands: Bool
  /// Fewer updates waiting are few.
  var pendingLimit: Int
  /// A failed delivery longer ago is over.
  var errorSeconds: TimeInterval

  /// Without these no payment or subscription arrives, whoever reads the others.
  private static let money: Set<String> = ["message", "pre_checkout_query", "subscription"]

  func model(_ page: PageContext, addTo action: String?) -> [String: TemplateValue] {
    let rows = Point.allCases.map { ($0, judge($0, page)) }
    let good = rows.count { $0.1.0 == .good }
    let t = page.strings
    return [
      "sum": .text(
        t("compliance.sum", ["n": String(good), "all": String(rows.count)])),
      "rows": .records(rows) { point, found in
        [
          "point": .text(t[.init("compliance.\(point.rawValue)")]),
          "verdict": .text(t[.init("compliance.is_\(found.0.rawValue)")]),
          "verdict_class": .text(found.0.rawValue), "detail": .text(found.1),
        ]
      },
      "add": .optional((missingCommands ?? []).isEmpty ? nil : action),
    ]
  }

  func judge(_ point: Point, _ page: PageContext) -> (Verdict, String) {
    let t = page.strings
    switch point {
    case .commands: return commands(t)
    case .updates: return updates(t)
    case .webhook: return health(page)
    case .pending:
      guard let webhook else { return (.unknown, t["compliance.no_answer"]) }
      let waiting = t(
        "compliance.waiting", count: Int64(webhook.pending),
        ["n": page.format.number(Int64(webhook.pending))])
      return (webhook.pending < pendingLimit ? .good : .bad, waiting)
    }
  }

  private func commands(_ t: Strings) -> (Verdict, String) {
    guard let missingCommands else { return (.unknown, t["compliance.no_answer"]) }
    guard missingCommands.isEmpty else {
      return (
        .bad,
        t("compliance.commands_missing", ["commands": missingCommands.joined(separator: ", ")])
      )
    }
    guard mode == .webhook else { return (.good, t["compliance.commands_yours"]) }
    return answersCommands
      ? (.good, t["compliance.commands_ours"]) : (.bad, t["compliance.commands_nobody"])
  }

  private func updates(_ t: Strings) -> (Verdict, String) {
    guard let webhook else { return (.unknown, t["compliance.no_answer"]) }
    // A bot that polls names its kinds at every call.
    if webhook.url.isEmpty { return (.unknown, t["compliance.updates_polling"]) }
    let missing =
      mode == .forwarding && !webhook.isOurs
      ? webhook.missing.filter(Self.money.contains) : webhook.missing
    return missing.isEmpty
      ? (.good, t["compliance.updates_all"])
      : (.bad, t("compliance.updates_missing", ["kinds": missing.joined(separator: ", ")]))
  }

  private func health(_ page: PageContext) -> (Verdict, String) {
    let t = page.strings
    guard let webhook else { return (.unknown, t["compliance.no_answer"]) }
    if !Set(webhook.differences).subtracting([.kinds]).isEmpty {
      return (.bad, t["compliance.webhook_differs"])
    }
    if let at = webhook.lastErrorAt, page.frame.now.timeIntervalSince(at) < errorSeconds {
      return (
        .bad,
        t(
          "compliance.webhook_failed",
          ["time": page.format.relative(at), "words": webhook.lastError ?? ""])
      )
    }
    if webhook.url.isEmpty { return (.good, t["compliance.webhook_polling"]) }
    return (.good, t["compliance.webhook_good"])
  }
}
