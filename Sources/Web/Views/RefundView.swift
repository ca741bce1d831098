import Foundation

/// One refund case: what was asked, what a refund would do, the decision, and how far it came.
struct RefundView: Sendable, Equatable {
  enum Decision: String, Sendable, CaseIterable { case approval, goodwill, decline }

  /// What was typed into a decision's form that could not be carried out.
  struct Draft: Sendable, Equatable {
    enum Problem: String, Sendable, CaseIterable { case credits, reason, note, message, lots }

    var decision: Decision
    var note = ""
    var message = ""
    var credits = ""
    var reason: DeclineReason?
    var problems: [Problem] = []
  }

  /// Where two people have to agree.
  struct FourEyes: Sendable, Equatable {
    /// From so many Stars on.
    var stars: Int64
    /// Who has agreed already, and what they wrote.
    var first: Decided?
    var isReader = false
    var note = ""
    var message = ""
  }

  /// What the buyer would be told, in the buyer's language.
  struct BuyerWords: Sendable, Equatable {
    var language: String
    var texts: [Decision: String]
  }

  /// A support case about the same payment.
  struct Support: Sendable, Equatable {
    var id: Int64
    var subject: String
  }

  enum Notice: String, Sendable, CaseIterable {
    /// The credits moved since the reader looked.
    case previewChanged = "preview_changed"
    /// Somebody else was faster.
    case decided
    /// There was a case already when this one was asked for.
    case known
    /// The reader has proposed it: another one has to agree.
    case needsAnother = "needs_another"
  }

  /// Why a refund does not get on.
  enum Problem: Sendable, Equatable {
    enum Code: String, Sendable, CaseIterable {
      case noAnswer = "no_answer"
      case notReached = "not_reached"
      case notInBooks = "not_in_books"
      case token, erased
    }

    /// Telegram's own words.
    case telegram(String)
    case code(Code)
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
    /// Nobody's decision but the rule's.
    var isByRule = false
  }

  var refund: RefundRow
  var payment: PaymentKey?
  var path = RefundPath(steps: [])
  var source: RefundSource
  var note: String
  var decided: Decided?
  var decisionNote = ""
  var declineReason: DeclineReason?
  /// What the rule said when it was decided.
  var clause: RefundClause?
  var support: [Support] = []
  var fourEyes: FourEyes?
  var buyerWords: BuyerWords?
  var refundedAt: Date?
  var buyerMessage: String
  var notice: RefundNotice?
  var problem: Problem?
  var goodwillCredits: Int64?
  /// nil when there is nothing to decide any more, or no payment to decide about.
  var effect: RefundEffect?
  /// Whether its customer was erased, so that nothing can be decided about it.
  var isErased = false
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
    var values = facts(page)
    values.merge(
      [
        "refund": .record(refund.model(page)),
        "warning": .optional(warning.map { t[.init("refund.\($0.rawValue)")] }),
        "erased": .flag(isErased),
        "problem": failure(page),
        "progress": progress(page),
        "proposal": proposal(page),
        "path": path.model(page),
        "effect": .optional(effect) { $0.model(page) },
        "result": .optional(result) { $0.model(page) },
        "forms": mayDecide ? forms(page) : .none,
        "audit": PaymentView.audit(audit, page),
      ]) { _, new in new }
    return page.page(
      .refund, title: title, place: .refunds,
      trail: [(title: t["nav.refunds"], href: Links.refunds(page.slug))], values)
  }

  private func facts(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "customer": .optional(refund.customer) { page.customer($0) },
      "charge": .optional(payment) { page.payment($0) },
      "source": .text(t[.init("refund.source_\(source.rawValue)")]),
      "note": note.isEmpty ? .none : .text(note),
      "decision_note": decisionNote.isEmpty ? .none : .text(decisionNote),
      "decided": .optional(decided) {
        ["by": .text($0.isByRule ? t["refund.by_rule"] : $0.by), "time": format.time($0.at)]
      },
      "decline_reason": .optional(
        declineReason.map { t[.init("decline_reason.\($0.rawValue)")] }),
      "said": .optional(clause.map { t[.init("refund.verdict_\($0.rawValue)")] }),
      "support": support.isEmpty
        ? .none
        : .record([
          "rows": .records(support) {
            [
              "href": .text(Links.supportCase(page.slug, $0.id)), "subject": .text($0.subject),
            ]
          }
        ]),
      "refunded": .optional(refundedAt) { ["time": format.time($0)] },
      "told": .optional(notice.map { t[.init("refund.told_\($0.rawValue)")] }),
      "buyer_message": buyerMessage.isEmpty ? .none : .text(buyerMessage),
      "goodwill": .optional(goodwillCredits.map { format.credits($0) }),
    ]
  }

  /// Who has agreed, where one is not enough.
  private func proposal(_ page: PageContext) -> TemplateValue {
    guard effect != nil, let fourEyes, let first = fourEyes.first else { return .none }
    let key: Strings.Key = fourEyes.isReader ? "refund.proposed_by_you" : "refund.proposed_by"
    return [
      "words": .text(
        page.strings(
          key, ["who": first.by, "n": page.format.stars(fourEyes.stars)])),
      "time": page.format.time(first.at),
      "withdrawal": mayDecide
        ? .record([
          "action": .text(Links.refund(page.slug, refund.id) + "/withdrawal"),
          "button": .text(
            page.strings[fourEyes.isReader ? "refund.do_withdraw" : "refund.do_refuse"]),
        ]) : .none,
    ]
  }

  private func failure(_ page: PageContext) -> TemplateValue {
    guard problem != nil, refund.state == .failed || notice == .failed else { return .none }
    let key: Strings.Key = refund.state == .failed ? "refund.failed_hint" : "refund.untold_hint"
    return ["words": .text(page.strings[key]), "detail": detail(page)]
  }

  private func detail(_ page: PageContext) -> TemplateValue {
    switch problem {
    case .telegram(let words)?: .text(page.strings("refund.telegram_said", ["words": words]))
    case .code(let code)?: .text(page.strings[.init("refund.problem_\(code.rawValue)")])
    case nil: .none
    }
  }

  /// The way of an approved refund, with the place where it is now.
  private func progress(_ page: PageContext) -> TemplateValue {
    guard refund.state.isUnderWay else { return .none }
    let t = page.strings
    return [
      "words": .text(t[.init("refund.progress_\(refund.state.rawValue)")]),
      "detail": detail(page),
      "href": .text(Links.refund(page.slug, refund.id)),
    ]
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
