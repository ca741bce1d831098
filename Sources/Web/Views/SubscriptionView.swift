import Foundation

/// One subscription: how it stands, what was paid, what happened, and what may be done.
struct SubscriptionView: Sendable, Equatable {
  /// What an operator may ask for.
  enum Deed: String, Sendable, CaseIterable { case cancellation, reactivation, downgrade, end }

  /// Why something was not done.
  enum Problem: String, Sendable, CaseIterable {
    case missing, long
    /// It has changed since the page was made.
    case moved
    case plan
  }

  /// Who ended the renewal.
  enum Cause: String, Sendable, CaseIterable {
    case user, `operator`, bot, upgrade, downgrade, refund
  }

  struct Wish: Sendable, Equatable {
    var wish: SubscriptionWish
    var by: String
    var at: Date
  }

  /// A period and what came with it.
  struct Cycle: Sendable, Equatable {
    var startsAt: Date
    var endsAt: Date?
    /// nil = as many as they like.
    var credits: Int64?
    var carried: Int64
    var refundedAt: Date?
    var payment: PaymentKey?
  }

  struct Change: Sendable, Equatable {
    enum Kind: String, Sendable, CaseIterable {
      case trial, subscribe, renew, upgrade, downgrade, cancel, allow, reenable, fail, grace
      case expire, refund, replace
    }

    var kind: Kind
    /// `user`, `telegram`, `job`, `bot`, or an operator's e-mail address.
    var by: String
    /// Titles of plans.
    var fromPlan: String?
    var toPlan: String?
    /// A code, or an operator's words.
    var reason: String
    var payment: PaymentKey?
    var at: Date
  }

  /// A form that was sent and refused.
  struct Draft: Sendable, Equatable {
    var deed: Deed
    var reason = ""
    var plan = ""
    var problem: Problem
  }

  var row: SubscriptionRow
  var customer: CustomerLabel
  /// Without the @.
  var botUsername: String
  var tier: String
  /// nil = as many as they like.
  var credits: Int64?
  var startedAt: Date
  var periodStartedAt: Date
  /// nil: no end.
  var accessEndsAt: Date?
  var renewalEndedBy: Cause?
  var wish: Wish?
  /// Why Telegram did not do what it was asked last.
  var renewalError: String?
  var nextPlan: String?
  var firstPayment: PaymentKey?
  var cycles: [Cycle]
  /// Newest first.
  var changes: [Change]
  /// What the reader's role and the subscription's state allow.
  var deeds: [Deed] = []
  /// Plans that it may be followed by.
  var lower: [PlanView.Option] = []
  var draft: Draft?
  var audit: [PaymentView.AuditLine] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    return page.page(
      .subscription,
      title: t(
        "subscription.title", ["plan": row.planTitle, "name": page.name(of: customer)]),
      place: .subscriptions,
      trail: [(title: t["nav.subscriptions"], href: Links.subscriptions(page.slug))],
      [
        "state": .text(t[.init("subscription_state.\(row.state.rawValue)")]),
        "state_class": .text(row.state.mark),
        "about_state": .text(t[.init("subscription.about_\(row.state.rawValue)")]),
        "problem": .optional(
          draft.flatMap { draft in
            draft.problem == .moved ? t["subscription.problem_moved"] : nil
          }),
        "waiting": .optional(wish) { waiting($0, page) },
        "error": .optional(renewalError.map { errorWords($0, t) }),
        "facts": .record(facts(page)),
        "cycles": cycles.isEmpty
          ? .none : .record(["rows": .records(cycles) { model($0, page) }]),
        "history": changes.isEmpty
          ? .none : .record(["rows": .records(changes) { model($0, page) }]),
        "deeds": .records(deeds) { form($0, page) },
        "only_managers": .flag(deeds.isEmpty && row.state.isRunning),
        "audit": PaymentView.audit(audit, page),
      ])
  }

  private func waiting(_ wish: Wish, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "words": .text(
        t(
          .init("subscription.waiting_\(wish.wish.rawValue)"),
          ["who": actor(wish.by, page)])),
      "time": page.format.time(wish.at),
    ]
  }

  /// A code of ours has words of its own; the rest is what Telegram said.
  private func errorWords(_ error: String, _ t: Strings) -> String {
    let code = error.hasPrefix("estars:") ? String(error.dropFirst(7)) : nil
    if let code, t.keys.contains(.init("subscription.error_\(code)")) {
      return t[.init("subscription.error_\(code)")]
    }
    return t("subscription.error", ["words": error])
  }

  private func facts(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "who": .record(page.customer(customer)),
      "plan": .text(row.planTitle), "plan_href": .text(Links.plan(page.slug, row.plan)),
      "tier": .text(tier), "bot": .text("@" + botUsername),
      "price": .text(
        row.stars == 0
          ? t["subscription.no_price"]
          : t("subscription.a_month", ["stars": format.stars(row.stars)])),
      "credits": .text(credits.map(format.number) ?? t["plans.unlimited"]),
      "started": .record(["time": format.time(startedAt)]),
      "period_from": .record(["time": format.time(periodStartedAt)]),
      "ends": .optional(row.periodEndsAt) { ["time": format.time($0)] },
      "access": .optional(accessEndsAt) { ["time": format.time($0)] },
      "over": .optional(row.endedAt) { ["time": format.time($0)] },
      "renewal": .text(t[.init("renewal.\(row.renewal.rawValue)")]),
      "renewal_note": .optional(
        renewalEndedBy.map { t[.init("subscription.ended_by_\($0.rawValue)")] }),
      "next": .optional(nextPlan.map { t("subscription.next_words", ["plan": $0]) }),
      "charge": .optional(firstPayment) { page.payment($0) },
    ]
  }

  private func model(_ cycle: Cycle, _ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "from": .text(format.day(cycle.startsAt)),
      "until": .text(cycle.endsAt.map(format.day) ?? t["subscription.no_end"]),
      "credits": .text(cycle.credits.map(format.number) ?? t["plans.unlimited"]),
      "carried": .text(cycle.carried == 0 ? "–" : format.signed(cycle.carried)),
      "state": .text(t[cycle.refundedAt == nil ? "subscription.kept" : "subscription.refunded"]),
      "state_class": .text(cycle.refundedAt == nil ? "good" : "refunded"),
      "charge": .optional(cycle.payment) { page.payment($0) },
    ]
  }

  private func model(_ change: Change, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let key = Strings.Key("subscription_reason.\(change.reason)")
    return [
      "time": page.format.time(change.at), "actor": .text(actor(change.by, page)),
      "did": .text(t[.init("subscription_change.\(change.kind.rawValue)")]),
      "reason": change.reason.isEmpty
        ? .none : .text(t.keys.contains(key) ? t[key] : change.reason),
      "charge": .optional(change.payment) { page.payment($0) },
      "plans": .optional(change.fromPlan == change.toPlan ? nil : change.fromPlan) { from in
        ["from": .text(from), "to": .text(change.toPlan ?? "–")]
      },
    ]
  }

  private func actor(_ by: String, _ page: PageContext) -> String {
    let key = Strings.Key("subscription_actor.\(by)")
    return page.strings.keys.contains(key) ? page.strings[key] : by
  }

  private func form(_ deed: Deed, _ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    let sent = draft?.deed == deed ? draft : nil
    var fields: [FormField] = []
    var problems: [FormProblem] = []
    if deed == .downgrade {
      fields.append(
        FormField(
          id: "plan", label: t["subscription.next"], value: sent?.plan ?? "",
          kind: .choice(lower.map { (value: $0.key, label: $0.title) }), prefix: "\(deed)-"))
    }
    fields.append(
      FormField(
        id: "reason", label: t["grant.reason"], hint: t["subscription.reason_hint"],
        value: sent?.reason ?? "", kind: .area(rows: 2, max: 500), prefix: "\(deed)-"))
    switch sent?.problem {
    case .missing: problems.append(FormProblem(field: "reason", kind: .missing))
    case .long: problems.append(FormProblem(field: "reason", kind: .tooLong(max: 500)))
    case .plan: problems.append(FormProblem(field: "plan", kind: .gone))
    case .moved, nil: break
    }
    let end = row.periodEndsAt.map(format.day) ?? t["subscription.no_end"]
    return [
      "title": .text(t[.init("subscription.do_\(deed.rawValue)")]),
      "hint": .text(
        t(
          .init("subscription.hint_\(deed.rawValue)"),
          ["end": end, "name": page.name(of: customer)]
        )),
      "action": .text(Links.subscription(page.slug, row.id) + "/\(deed.rawValue)"),
      "button_class": .text(deed == .reactivation ? "button-quiet" : "button-danger"),
      "open": .flag(sent != nil && sent?.problem != .moved),
      "summary": problems.summary(page, of: fields, prefix: "\(deed)-"),
      "fields": .list(fields.map { .record($0.model(problems, page)) }),
    ]
  }
}
