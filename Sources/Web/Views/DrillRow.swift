import Foundation

/// One drill of a run, as a line of the strip: what was done, what was seen, and what to do where it
/// failed.
struct DrillRow: Sendable, Equatable {
  enum Name: String, Sendable, CaseIterable {
    case botMapped = "bot_mapped"
    case rulesDefined = "rules_defined"
    case webhookSeen = "webhook_seen"
    case paymentCredited = "payment_credited"
    case doubleDelivery = "double_delivery"
    case preCheckoutP95 = "pre_checkout_p95"
    case debitRetried = "debit_retried"
    case refund
    case reconciliation
    case ledgerVerified = "ledger_verified"
  }

  enum State: String, Sendable, CaseIterable { case waiting, running, passed, failed, skipped }

  enum Problem: String, Sendable, CaseIterable {
    case sandboxAway = "sandbox_away"
    case sandboxRefused = "sandbox_refused"
    case token
    case noPack = "no_pack"
    case noAction = "no_action"
    case nothingAffordable = "nothing_affordable"
    case webhookElsewhere = "webhook_elsewhere"
    case updateNotSeen = "update_not_seen"
    case checkoutRefused = "checkout_refused"
    case paymentRefused = "payment_refused"
    case preCheckoutUnanswered = "pre_checkout_unanswered"
    case notCredited = "not_credited"
    case wrongCredits = "wrong_credits"
    case notRepeated = "not_repeated"
    case tooSlow = "too_slow"
    case notDebited = "not_debited"
    case notReplayed = "not_replayed"
    case refundFailed = "refund_failed"
    case refundUnfinished = "refund_unfinished"
    case starsNotBack = "stars_not_back"
    case booksUnread = "books_unread"
    case booksDiffer = "books_differ"
    case ledgerProblems = "ledger_problems"
    case timeOver = "time_over"
    case interrupted, unexpected
  }

  var name: Name
  var state: State
  var problem: Problem?
  /// The drill that failed before, without which this one would show nothing.
  var missing: Name?
  var botID: Int64
  /// What was seen; see `Drill.facts`.
  var facts: [String: String] = [:]
  var finishedAt: Date?
  /// From its beginning to its end.
  var milliseconds: Int64?

  /// - Parameter slug: Of the test side, for links; nil where the reader may not open them.
  func model(_ page: PageContext, slug: String?) -> [String: TemplateValue] {
    let t = page.strings
    let missing = missing.map { t[.init("drill.name_\($0.rawValue)")] }
    return [
      "what": .text(t[.init("drill.name_\(name.rawValue)")]),
      "tone": .text(tone.rawValue), "quantity": .text(quantity(page)),
      "state": .text(t[.init("drill.state_\(state.rawValue)")]),
      "state_class": .text(stateClass),
      "about": state == .waiting || state == .running
        ? .text(t[.init("drill.about_\(name.rawValue)")]) : .none,
      "saw": state == .passed
        ? .text(t(.init("drill.saw_\(name.rawValue)"), places(page))) : .none,
      "took": .optional(
        milliseconds.flatMap {
          $0 < 100 ? nil : t("drill.took", ["seconds": seconds($0, page)])
        }),
      "skipped": .optional(missing.map { t("drill.needs", ["drill": $0]) }),
      "problem": .optional(problem) { problem in
        [
          "said": .text(t(.init("drill.problem_\(problem.rawValue)"), places(page))),
          "quoted": .optional(facts["words"]),
          "fix": .text(t[.init("drill.fix_\(problem.rawValue)")]),
          "link": link(to: problem, page, slug),
        ]
      },
      "links": .list(links(page, slug)),
    ]
  }

  private var stateClass: String {
    switch state {
    case .passed: "good"
    case .failed: "bad"
    case .running: "requested"
    case .waiting: "unknown"
    case .skipped: "ended"
    }
  }

  private var tone: Tone {
    switch name {
    case _ where state != .passed: .quiet
    case .paymentCredited, .doubleDelivery: .in
    case .debitRetried: .use
    case .refund: .back
    default: .quiet
    }
  }

  private func number(_ fact: String) -> Int64 { facts[fact].flatMap { Int64($0) } ?? 0 }

  private func seconds(_ milliseconds: Int64, _ page: PageContext) -> String {
    page.format.decimal(String(format: "%.1f", Double(max(0, milliseconds)) / 1000))
  }

  /// What moved, or the figure that the drill is about.
  private func quantity(_ page: PageContext) -> String {
    guard state == .passed else { return "" }
    let (t, format) = (page.strings, page.format)
    func milliseconds(_ fact: String) -> String {
      t("drill.ms", ["n": format.number(number(fact))])
    }
    switch name {
    case .botMapped: return milliseconds("answer_ms")
    case .webhookSeen: return milliseconds("arrived_ms")
    case .preCheckoutP95: return t("drill.p95", ["n": format.number(number("p95_ms"))])
    case .rulesDefined: return ""
    case .paymentCredited, .doubleDelivery: return format.signedCredits(number("credits"))
    case .debitRetried: return format.signedCredits(-number("credits"))
    case .refund: return format.signedStars(-number("stars"))
    case .reconciliation:
      let open = number("mismatches")
      return t("drill.differences", count: open, ["n": format.number(open)])
    case .ledgerVerified:
      let problems = number("problems")
      return t("drill.problems", count: problems, ["n": format.number(problems)])
    }
  }

  /// The facts as sentences name them.
  private func places(_ page: PageContext) -> [String: String] {
    let format = page.format
    let counts = [
      "packs": "packs", "actions": "actions", "update": "update", "times": "deliveries",
      "n": "count", "median": "p50_ms", "high": "p95_ms", "max": "max_ms", "limit": "limit_ms",
      "answer": "answer_ms", "arrived": "arrived_ms", "booked": "credited_ms",
      "confirmed": "confirmed_ms", "verified": "verified_ms", "movements": "movements",
      "matched": "matched", "differences": "mismatches", "problems": "problems",
      "entries": "entries", "version": "version",
    ]
    var places = counts.mapValues { format.number(number($0)) }
    for credits in ["credits", "balance"] { places[credits] = format.credits(number(credits)) }
    places["taken"] = format.credits(number("credits_taken"))
    places["used"] = format.credits(number("credits_used"))
    places["stars"] = format.stars(number("stars"))
    places["balance"] = format.credits(number("balance"))
    places["telegram"] = format.stars(number("telegram_stars"))
    places["books"] = format.stars(number("books_stars"))
    for name in ["bot", "pack", "action"] { places[name] = facts[name] ?? "" }
    // An update's number counts nothing.
    places["update"] = facts["update"] ?? ""
    places["mode"] =
      facts["mode"].flatMap(BotMode.init).map {
        page.strings[.init("drill.mode_\($0.rawValue)")]
      } ?? ""
    return places
  }

  private func links(_ page: PageContext, _ slug: String?) -> [TemplateValue] {
    guard let slug else { return [] }
    let t = page.strings
    var links: [(String, String)] = []
    if let charge = facts["charge"] {
      let key = PaymentKey(botID: botID, chargeID: charge)
      links.append((t["drill.link_payment"], Links.payment(slug, key)))
    }
    if let customer = facts["customer"].flatMap({ Int64($0) }) {
      let version = facts["version"].map { "#v\($0)" } ?? ""
      links.append((t["drill.link_customer"], Links.customer(slug, customer) + version))
    }
    if let refund = facts["refund"].flatMap({ Int64($0) }) {
      links.append((t["drill.link_refund"], Links.refund(slug, refund)))
    }
    switch name {
    case .botMapped where state == .passed:
      links.append((t["drill.link_bot"], Links.bot(slug, botID)))
    case .rulesDefined where facts["pack"] != nil:
      links.append((t["drill.link_pack"], Links.pack(slug, facts["pack"] ?? "")))
    case .reconciliation where facts["movements"] != nil:
      links.append((t["nav.reconciliation"], Links.reconciliation(slug)))
    default: break
    }
    return links.map { ["label": .text($0.0), "href": .text($0.1)] }
  }

  /// The page on which it can be put right.
  private func link(
    to problem: Problem, _ page: PageContext, _ slug: String?
  ) -> TemplateValue {
    guard let slug else { return .none }
    let t = page.strings
    let target: (label: String, href: String)? =
      switch problem {
      case .noPack, .nothingAffordable, .checkoutRefused:
        (t["nav.packs"], Links.packs(slug))
      case .noAction, .notDebited: (t["nav.actions"], Links.actions(slug))
      case .webhookElsewhere, .updateNotSeen, .token, .preCheckoutUnanswered, .notRepeated:
        (t["drill.link_bot"], Links.bot(slug, botID))
      case .booksUnread, .booksDiffer: (t["nav.reconciliation"], Links.reconciliation(slug))
      default: nil
      }
    return .optional(target) { ["label": .text($0.label), "href": .text($0.href)] }
  }
}
