import EStars
import Foundation
import Testing

@testable import Web

@Suite struct StringsTests {
  private func english() throws -> Strings { try GoldenTests.renderer().strings(.en) }

  /// The text of every Swift file that may speak to a person.
  private static func sources() throws -> String {
    var text = ""
    for folder in ["Sources/Web/Views", "Sources/Web/HTML"] {
      let url = GoldenTests.root.appending(path: folder)
      for name in try FileManager.default.subpathsOfDirectory(atPath: url.path)
      where name.hasSuffix(".swift") {
        text += try String(contentsOf: url.appending(path: name), encoding: .utf8)
      }
    }
    return text
  }

  @Test func everyKeyThatCodeNamesExists() throws {
    let keys = Set(try english().keys.map(\.name))
    let sections = Set(keys.compactMap { $0.split(separator: ".").first.map(String.init) })
    for match in try Self.sources().matches(of: /"([a-z_]+)\.([a-z0-9_]+)"/)
    where sections.contains(String(match.output.1)) {
      let name = "\(match.output.1).\(match.output.2)"
      #expect(keys.contains(name), "\(name) is named in code but missing from the tables")
    }
  }

  @Test func everyKeyIsUsed() throws {
    let renderer = try GoldenTests.renderer()
    let source = try Self.sources()
    let literals = Set(source.matches(of: /"([a-z_]+\.[a-z0-9_]+)"/).map { String($0.output.1) })
    // Keys that end in a value: "source.\(…)".
    let prefixes = source.matches(of: /"([a-z_]+\.[a-z0-9_]*)\\\(/).map { String($0.output.1) }
    let inTemplates = Set(renderer.templates.stringKeys.map(\.name))
    for key in try english().keys.map(\.name).sorted() {
      let isUsed =
        literals.contains(key) || inTemplates.contains(key)
        || prefixes.contains { key.hasPrefix($0) }
      #expect(isUsed, "\(key) is in the tables but nothing uses it")
    }
  }

  @Test(arguments: Language.allCases) func everyCaseHasItsWord(_ language: Language) throws {
    let strings = try GoldenTests.renderer().strings(language)
    var names: [String] = []
    names += LotSource.allCases.flatMap { ["source.\($0)", "credit.\($0)"] }
    names += PaymentState.allCases.map { "payment_state.\($0)" }
    names += WorkspacesView.Role.allCases.map { "role.\($0)" }
    names += PageContext.Place.allCases.map { "nav.\($0)" }
    names += ["live", "test"].flatMap { ["side.\($0)", "side.switch_\($0)"] }
    names += ["active", "coming", "ended", "revoked"].map { "access.\($0)" }
    names += ErrorView.worded.flatMap { ["error.title_\($0)", "error.advice_\($0)"] }
    names += ["minutes", "hours", "days"].flatMap { ["time.\($0)_ago", "time.\($0)_in"] }
    names += RefundState.allCases.map { "refund_state.\($0)" }
    names += CreditGrantForm.Problem.allCases.map { "grant.problem_\($0.rawValue)" }
    names += CreditPolicyView.Field.allCases.flatMap {
      ["credit_policy.\($0.rawValue)", "credit_policy.\($0.rawValue)_hint"]
    }
    names += QuotaRow.Period.allCases.map { "quota.\($0)" }
    names += HoldState.allCases.map { "hold_state.\($0)" } + ["hold_state.stuck"]
    names += HoldView.Problem.allCases.map { "hold.reason_\($0)" }
    names += HoldsView.Filter.allCases.flatMap {
      ["holds.\($0)", "holds.hint_\($0)", "holds.none_\($0)", "holds.none_hint_\($0)"]
    }
    names += [
      "given", "joined", "used", "held", "expired", "taken_back", "paid_debt", "passed_on", "left",
    ].flatMap { ["lot.sum_\($0)", "lot.line_\($0)"] }
    names += CheckoutState.allCases.map { "checkout_state.\($0)" }
    names += CheckoutReason.allCases.map { "checkout_reason.\($0.rawValue)" }
    names += CheckoutsView.Filter.allCases.flatMap { ["checkouts.\($0)", "checkouts.hint_\($0)"] }
    names += NewCheckoutView.Problem.Code.allCases.map { "checkouts.problem_\($0.rawValue)" }
    names += PaymentView.Review.allCases.map { "payment.review_\($0.rawValue)" }
    names += [
      "requested", "proposed", "proposal_withdrawn", "approved", "declined", "goodwill",
      "confirmed", "failed", "told",
      "untold",
    ].map {
      "audit.refund_\($0)"
    }
    names += SubscriptionPages.words
    names += ["yes", "no"].map { "rule.\($0)" }
    names += EventState.allCases.map { "event_state.\($0)" }
    names += EventProblem.allCases.map { "event_problem.\($0.rawValue)" }
    names += EventView.Warning.allCases.map { "event.\($0.rawValue)" }
    names += EventAddressView.Problem.allCases.map { "event_address.problem_\($0.rawValue)" }
    names += EventAddressView.Warning.allCases.map { "event_address.warning_\($0)" }
    names += ["replayed", "tested"].map { "audit.event_\($0)" }
    names += ["set", "rotated", "removed"].map { "audit.event_address_\($0)" }
    names += Done.allCases.map { "done.\($0.rawValue)" }
    names += SupportSamples.words
    names += Samples.teamWords + OnboardingSamples.words + Samples.applicationWords
    names += Samples.pilotWords
    names += PeriodChoice.allCases.map(\.key.name)
    names += PaymentProduct.allCases.map { "payments.product_\($0)" }
    names += PaymentsView.Problem.allCases.map { "payments.problem_\($0)" }
    names += Self.connections + Self.reconciliation + Self.messages + AlertSamples.words
    names += Self.refunds + Self.rules + Self.customers
    for name in names { #expect(strings.keys.contains(.init(name)), "\(language) lacks \(name)") }
  }

  private static var refunds: [String] {
    var names: [String] = []
    names += RefundState.allCases.filter(\.isUnderWay).map { "refund.progress_\($0)" }
    names += RefundReason.allCases.map { "refund_reason.\($0.rawValue)" }
    names += RefundSource.allCases.flatMap {
      ["refund.source_\($0.rawValue)", "refunds.from_\($0.rawValue)"]
    }
    names += RefundClause.allCases.flatMap {
      ["refund.verdict_\($0.rawValue)", "refunds.says_\($0.rawValue)"]
    }
    names += RefundsView.Show.allCases.map { "refunds.\($0.rawValue)" }
    names += DeclineReason.allCases.map { "decline_reason.\($0.rawValue)" }
    names += RefundEffect.Policy.allCases.flatMap {
      ["refund_policy.used_\($0)", "rule.refund_debt_policy_\($0)"]
    }
    names += RefundNotice.allCases.map { "refund.told_\($0)" }
    names += RefundEffect.Policy.allCases.flatMap {
      ["refund.row_held_\($0)", "refund.was_\($0)"]
    }
    names += RefundView.Decision.allCases.flatMap { ["refund.do_\($0)", "refund.hint_\($0)"] }
    names += RefundView.Draft.Problem.allCases.map { "refund.problem_\($0)" }
    names += RefundView.Problem.Code.allCases.map { "refund.problem_\($0.rawValue)" }
    names += RefundView.Notice.allCases.map { "refund.\($0.rawValue)" }
    return names
  }

  private static var rules: [String] {
    var names: [String] = []
    names += RulesTab.allCases.map { "rules_tab.\($0)" }
    names += CatalogTab.allCases.map { "catalog_tab.\($0)" }
    names += PackRow.Audience.allCases.map { "packs.audience_\($0.rawValue)" }
    names += PackRow.State.allCases.map { "packs.state_\($0)" }
    names += ["withdrawal", "restoration"].flatMap {
      ["packs.do_\($0)", "packs.hint_\($0)", "packs.discount_\($0)"]
    }
    names += [
      "created", "edited", "withdrawn", "restored", "discount_added", "discount_withdrawn",
      "discount_restored",
    ].map { "audit.pack_\($0)" }
    names += AllowanceRow.Period.allCases.flatMap { ["rule.period_\($0)", "actions.free_\($0)"] }
    names += PaywallView.State.allCases.flatMap {
      ["paywall.\($0.rawValue)", "paywall.about_\($0.rawValue)"]
    }
    names += TrialsView.Outcome.allCases.map { "trials.outcome_\($0.rawValue)" }
    names += ["withdrawal", "restoration"].flatMap { noun in
      ["actions", "plans"].flatMap { ["\($0).do_\(noun)", "\($0).hint_\(noun)"] }
    }
    names += PlanDraft.Kind.allCases.flatMap { ["plans.kind_\($0)", "rule.plan_kind_\($0)"] }
    return names
  }

  private static let customers: [String] =
    CustomerView.Filter.allCases.map { "customer.show_\($0)" } + ["customer.show_all"]
    + CreditAnswerView.languages.map { "buyer_language.\($0.replacing("-", with: "_"))" }
    + CreditAnswerForm.Problem.allCases.map { "credit_answer.problem_\($0.rawValue)" }
    + ["customer_erased", "customer_answered"].map { "audit.\($0)" }
    + OutgoingMessage.Kind.allCases.map {
      "message_kind.\($0.rawValue.replacing(".", with: "_"))"
    }
    + Subscription.Change.Kind.allCases.map { "strip.subscription_\($0)" }

  private static let reconciliation: [String] =
    MismatchKind.allCases.flatMap { kind in
      ["kind", "why"].map { "mismatch.\($0)_\(kind.rawValue)" }
    } + MismatchState.allCases.map { "mismatch_state.\($0)" }
    + MismatchView.Effect.Kind.allCases.flatMap { kind in
      ["effect", "do"].map { "mismatch.\($0)_\(kind.rawValue)" }
    } + MismatchView.Warning.allCases.map { "mismatch.warning_\($0)" }
    + MismatchView.Problem.allCases.map { "mismatch.note_\($0)" }
    + ["fixed", "accepted"].map { "audit.mismatch_\($0)" }
    + ReconciliationRow.State.allCases.map { "reconciliation.state_\($0)" }
    + ReconciliationRow.Problem.Code.allCases.map { "reconciliation.problem_\($0.rawValue)" }

  private static let messages: [String] =
    MessageState.allCases.flatMap { ["message_state.\($0)", "carts.reminder_\($0)"] }
    + MessageRow.Problem.Code.allCases.map { "message_problem.\($0.rawValue)" }
    + CartsView.Skip.allCases.map { "cart_skip.\($0.rawValue)" }
    + AlertChatsView.Problem.allCases.map { "alert_chats.problem_\($0.rawValue)" }
    + ComplianceCard.Point.allCases.map { "compliance.\($0)" }
    + ComplianceCard.Verdict.allCases.map { "compliance.is_\($0)" }
    + [
      "bot_receipts_changed", "bot_commands_added", "alert_chat_linked", "alert_chat_unlinked",
      "alert_chat_code_made", "payment_receipt_resent",
    ].map { "audit.\($0)" }

  private static let connections: [String] =
    BotMode.allCases.flatMap { mode in
      ["mode", "way", "way_hint", "button"].map { "bot.\($0)_\(mode)" }
    } + BotEnvironment.allCases.map { "bot.environment_\($0)" }
    + BotSegment.allCases.map { "bot.segment_\($0.rawValue)" }
    + BotFormView.Problem.allCases.map { "bot.problem_\($0.rawValue)" }
    + BotView.Problem.allCases.map { "bot.problem_\($0.rawValue)" }
    + BotConnectionView.Problem.allCases.map { "bot.problem_\($0)" }
    + BotView.Draft.allCases.map { "bot.do_\($0)" }
    + TelegramTrouble.Code.allCases.map { "bot.trouble_\($0.rawValue)" }
    + WebhookFacts.Difference.allCases.map { "bot.difference_\($0)" }
    + BotRepliesView.languages.map { "replies.language_\($0.replacing("-", with: "_"))" }
    + KeyState.allCases.map { "key.state_\($0)" }
    + KeyScope.allCases.flatMap { ["key.scope_\($0)", "key.scope_hint_\($0)"] }
    + KeyView.overlaps.map { "key.overlap_\($0)" }
    + KeyView.Warning.allCases.map { "key.\($0)" }
    + KeyFormView.Problem.allCases.map { "key.problem_\($0)" }

  @Test func portugueseIsNotLeftInEnglish() throws {
    let renderer = try GoldenTests.renderer()
    let (one, other) = (renderer.strings(.en), renderer.strings(.ptBR))
    // Words that are the same in both.
    let same: Set<String> = [
      "nav.menu", "nav.bots", "nav.paywall", "payment.stars", "payment.bot", "strip.version",
      "login.email", "key.bot", "rule.bot", "audit_kind.bot", "audit_kind.paywall",
      "replies.language_en",
      "replies.language_pt_br",
    ]
    for key in one.plainKeys where !same.contains(key.name) {
      #expect(one[key] != other[key], "\(key.name)")
    }
    #expect(one["strip.version"] == "v{n}")
  }

  @Test func valuesAreFilledOnce() throws {
    let strings = try english()
    #expect(strings("customers.none_found", ["query": "{n} {query}"]).contains("“{n} {query}”"))
    #expect(strings("strip.payment_of", ["pack": "$0 {pack}"]) == "Payment, pack $0 {pack}")
  }

  @Test(arguments: [
    ("a: b", "`a` must be a mapping"), ("a: {b: 1}", "`a.b` must be text"),
    ("a: {b: {one: x}}", "`a.b` must be text"), ("- a", "mapping of sections"),
    ("a: {b: \"x", "not valid YAML"),
  ])
  func aBrokenTableNamesItsKey(_ yaml: String, _ expected: String) {
    let error = #expect(throws: ContentError.self) {
      try Strings(language: .en, yaml: yaml, file: "Templates/strings/en.yaml")
    }
    #expect(error?.description.contains(expected) == true, "\(String(describing: error))")
  }
}
