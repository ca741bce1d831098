import Foundation

/// One refund case: what was asked, what a refund would do, the decision, and how far it came.
struct RefundView: Sendable, Equatable {
  enum Decision: String, Sendable, CaseIterable { case approval, goodwill, decline }

  /// What was typed into a decision's form that could not be carried out.
  struct Draft: Sendable, Equatable {
    enum Problem: String, Sendable, CaseIterable { case credits, note, message, lots }

    var decision: Decision
    var note = ""
    var message = ""
    var credits = ""
    var problems: [Problem] = []
  }

  enum Notice: String, Sendable, CaseIterable {
    /// The credits moved since the reader looked.
    case preview_changed
    /// Somebody else was faster.
    case decided
  }

  /// What the ledger booked when the Stars went back.
  struct Result: Sendable, Equatable {
    var taken: Int64
    var used: Int64
    var held: Int64
    var expired: Int64
    var policy: RefundEffect.Policy
  }

  struct Decided: Sendable, Equatable {
    var at: Date
    var by: String
  }

  var refund: RefundRow
  var payment: PaymentKey?
  var source: RefundSource
  var note: String
  var decided: Decided?
  var refundedAt: Date?
  var buyerMessage: String
  var notice: RefundNotice?
  var lastError: String?
  var goodwillCredits: Int64?
  /// nil when there is nothing to decide any more, or no payment to decide about.
  var effect: RefundEffect?
  /// What an approval agrees to.
  var fingerprint: String
  var result: Result?
  /// Whether the reader's role may decide.
  var mayDecide: Bool
  var warning: Notice?
  var draft: Draft?
  var audit: [PaymentView.AuditLine]

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, format) = (page.strings, page.format)
    let title = t(
      "refund.title",
      [
        "stars": format.stars(refund.stars),
        "name": refund.customer.map(page.name) ?? t["refund.nobody"],
      ])
    let values: [String: TemplateValue] = [
      "refund": .record(refund.model(page)),
      "customer": .optional(refund.customer) { page.customer($0) },
      "charge": .optional(payment) { page.payment($0) },
      "source": .text(t[.init("refund.source_\(source.rawValue)")]),
      "note": note.isEmpty ? .none : .text(note),
      "decided": .optional(decided) { ["by": .text($0.by), "time": format.time($0.at)] },
      "refunded": .optional(refundedAt) { ["time": format.time($0)] },
      "told": .optional(notice.map { t[.init("refund.told_\($0.rawValue)")] }),
      "buyer_message": buyerMessage.isEmpty ? .none : .text(buyerMessage),
      "goodwill": .optional(goodwillCredits.map { format.credits($0) }),
      "warning": .optional(warning.map { t[.init("refund.\($0.rawValue)")] }),
      "problem": problem(page),
      "progress": progress(page),
      "effect": .optional(effect) { $0.model(page) },
      "result": .optional(result) { $0.model(page) },
      "forms": forms(page),
      "audit": PaymentView.audit(audit, page),
    ]
    return page.page(
      .refund, title: title, place: .refunds,
      trail: [(title: t["nav.refunds"], href: Links.refunds(page.slug))], values)
  }

  private func problem(_ page: PageContext) -> TemplateValue {
    guard let lastError, refund.state == .failed || notice == .failed else { return .none }
    let key: Strings.Key = refund.state == .failed ? "refund.failed_hint" : "refund.untold_hint"
    return ["words": .text(page.strings[key]), "detail": .text(lastError)]
  }

  /// The way of an approved refund, with the place where it is now.
  private func progress(_ page: PageContext) -> TemplateValue {
    guard refund.state.isUnderWay else { return .none }
    let t = page.strings
    return [
      "words": .text(t[.init("refund.progress_\(refund.state.rawValue)")]),
      "detail": .optional(lastError),
      "href": .text(Links.refund(page.slug, refund.id)),
    ]
  }

  private func forms(_ page: PageContext) -> TemplateValue {
    guard let effect, mayDecide else { return .none }
    let (t, format) = (page.strings, page.format)
    let stars = format.stars(effect.stars)
    let decisions: [Decision] = Decision.allCases.filter { decision in
      switch decision {
      case .approval: true
      case .goodwill: goodwillCredits == nil
      case .decline: [.requested, .failed].contains(refund.state)
      }
    }
    return .records(decisions) { decision in
      let draft = self.draft?.decision == decision ? self.draft : nil
      let problems = draft?.problems ?? []
      let verb = t("refund.do_\(decision.rawValue)", ["stars": stars])
      return [
        "id": .text(decision.rawValue),
        "title": .text(verb),
        "open": .flag(draft != nil || self.draft == nil && decision == .approval),
        "hint": .text(t[.init("refund.hint_\(decision.rawValue)")]),
        "action": .text(Links.refund(page.slug, refund.id) + "/" + decision.rawValue),
        "fingerprint": decision == .approval ? .text(fingerprint) : .none,
        "credits": decision == .goodwill
          ? .record([
            "value": .text(draft?.credits ?? String(max(1, effect.used))),
            "problem": .optional(
              problems.first { $0 == .credits || $0 == .lots }
                .map { t[.init("refund.problem_\($0.rawValue)")] }),
          ]) : .none,
        "message": .text(draft?.message ?? ""),
        "message_problem": problems.contains(.message)
          ? .text(t["refund.problem_message"]) : .none,
        "note_text": .text(draft?.note ?? ""),
        "note_problem": problems.contains(.note) ? .text(t["refund.problem_note"]) : .none,
        "summary": problems.isEmpty
          ? .none
          : .record([
            "rows": .records(problems) { problem in
              let field = problem == .lots ? "credits" : problem.rawValue
              return [
                "href": .text("#\(decision.rawValue)-\(field)"),
                "words": .text(t[.init("refund.problem_\(problem.rawValue)")]),
              ]
            }
          ]),
        "button": .text(verb),
        "button_class": .text(decision == .approval ? "button-danger" : "button-quiet"),
      ]
    }
  }
}

extension RefundView.Result {
  fileprivate func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    var rows: [TemplateValue] = [
      ["what": .text(t["refund.took"]), "quantity": .text(format.credits(taken))]
    ]
    if used > 0 {
      rows.append([
        "what": .text(t[.init("refund.was_\(policy.rawValue)")]),
        "quantity": .text(format.credits(used)),
      ])
    }
    if held > 0 {
      rows.append(["what": .text(t["refund.row_held"]), "quantity": .text(format.credits(held))])
    }
    if expired > 0 {
      rows.append([
        "what": .text(t["refund.row_expired"]), "quantity": .text(format.credits(expired)),
      ])
    }
    return ["rows": .list(rows)]
  }
}
