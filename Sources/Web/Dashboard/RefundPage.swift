import EStars
import Foundation

/// What the page of a refund case is made of.
extension Visit {
  /// - Parameter decision: one that is being written: what the buyer would be told of it.
  func refundView(
    _ refund: Refund, saying decision: RefundDecision? = nil
  ) async throws -> RefundView {
    let pool = platform.pool
    let payment = try await Payment.find(
      botID: refund.botID, chargeID: refund.chargeID, in: scope, pool)
    let customer: Customer? =
      if let id = refund.customerID ?? payment?.customerID {
        try await Customer.find(id: id, in: scope, pool)
      } else {
        nil
      }
    let isErased = customer?.erasedAt != nil
    let open: Payment? =
      refund.state.isOpenToDecision && payment?.state != .refunded && !isErased ? payment : nil
    let clawback = try await refund.clawback(in: scope, pool)
    let audit = try await AuditEntry.about("refund", String(refund.id), in: scope, pool)
    var view = RefundView(
      refund: RefundRow(refund, payment, customer), payment: payment.map(PaymentKey.init),
      source: .init(rawValue: refund.source.rawValue) ?? .telegram, note: refund.note,
      decided: refund.decidedAt.flatMap { at in
        refund.decidedBy.map { .init(at: at, by: $0, isByRule: $0 == Refund.policyActor.name) }
      },
      decisionNote: refund.decisionNote,
      declineReason: refund.declineReason.flatMap { .init(rawValue: $0.rawValue) },
      clause: refund.verdict.flatMap { RefundClause($0) },
      refundedAt: refund.refundedAt,
      buyerMessage: refund.buyerMessage,
      notice: refund.notice.flatMap { .init(rawValue: $0.rawValue) },
      problem: refund.problem.map(RefundView.Problem.init),
      goodwillCredits: refund.goodwillCredits, fingerprint: "",
      result: clawback.map(RefundView.Result.init), mayDecide: membership.role >= .manager,
      audit: audit.map(PaymentView.AuditLine.init))
    if let payment {
      view.path = try await path(of: payment)
      view.support = try await SupportCase.of(payment: payment.id, in: scope, pool)
        .map { .init(id: $0.id, subject: $0.subject) }
    }
    view.isErased = isErased && refund.state != .confirmed
    if let open { try await addDecision(about: refund, open, saying: decision, to: &view) }
    return view
  }

  /// What a decision rests on and what it says.
  private func addDecision(
    about refund: Refund, _ payment: Payment, saying decision: RefundDecision?,
    to view: inout RefundView
  ) async throws {
    let pool = platform.pool
    let preview = try await RefundPreview.of(payment, in: scope, pool)
    let margin = try await RefundMargin.of(payment, in: scope, pool)
    let effect = RefundEffect(preview, payment, margin)
    view.effect = effect
    view.fingerprint = preview.fingerprint
    let policy = preview.verdict.policy
    if policy.needsTwo(for: payment.stars), let stars = policy.fourEyesStars {
      view.fourEyes = .init(stars: stars)
      if let first = refund.proposedBy, let at = refund.proposedAt {
        view.fourEyes?.first = .init(at: at, by: first)
        view.fourEyes?.isReader = first == actor.name
        view.fourEyes?.note = refund.decisionNote
        view.fourEyes?.message = refund.buyerMessage
      }
    }
    let notice = try await EStars.RefundNotice.of(refund, in: scope, pool)
    let reason = RefundView.proposedReason(effect.verdict.clause).flatMap {
      Refund.DeclineReason(rawValue: $0.rawValue)
    }
    var texts: [RefundView.Decision: String] = [
      .approval: notice.text(
        .refunded(taken: preview.taken), addition: view.fourEyes?.message ?? ""),
      .goodwill: notice.text(.goodwill(credits: RefundView.proposedCredits(effect))),
      .decline: notice.text(.declined(reason)),
    ]
    if let decision {
      let words = decision.buyerMessage
      switch decision.outcome {
      case .refund:
        texts[.approval] = notice.text(.refunded(taken: preview.taken), addition: words)
      case .goodwill(let credits):
        texts[.goodwill] = notice.text(.goodwill(credits: credits), addition: words)
      case .decline(let reason):
        texts[.decline] = notice.text(.declined(reason), addition: words)
      case .withdrawal: break
      }
    }
    view.buyerWords = .init(
      language: language.locale.localizedString(
        forLanguageCode: String(notice.language.rawValue.prefix(2)))
        ?? notice.language.rawValue, texts: texts)
  }

  /// Invoice, pre-checkout, payment, lots, use, and back.
  private func path(of payment: Payment) async throws -> RefundPath {
    let pool = platform.pool
    let checkout = try await payment.checkout(in: scope, pool)
    let steps = try await checkout?.history(in: scope, pool) ?? []
    let lots = try await payment.lots(in: scope, pool)
    let movements = try await Timeline.of(payment, in: scope, pool)
    let catalog = try await platform.directory.catalog(of: workspace.id)
    var path: [RefundPath.Step] = []
    if let checkout {
      path.append(
        .init(
          event: .invoice(openedBy: checkout.openedBy), stars: checkout.stars,
          at: checkout.createdAt, href: Links.checkout(workspace.slug, checkout.id)))
      let asked = steps.filter { $0.at <= payment.paidAt.addingTimeInterval(1) }
        .compactMap(RefundPath.Step.init)
      path += asked.isEmpty ? [.init(event: .notAsked)] : asked
    } else {
      path.append(.init(event: .noInvoice))
    }
    path.append(
      .init(
        event: .payment, stars: payment.stars, at: payment.paidAt,
        href: Links.payment(workspace.slug, PaymentKey(payment))))
    path += lots.map { lot in
      .init(
        event: .lot(LotSource(rawValue: lot.source) ?? .adjustment, number: lot.id),
        credits: lot.granted, at: lot.grantedAt,
        href: Links.lot(
          workspace.slug, LotKey(customer: lot.customerID, unit: lot.unit, lot: lot.id)))
    }
    path += RefundPath.uses(of: Set(lots.map(\.id)), in: movements, catalog)
    if let refundedAt = payment.refundedAt {
      path.append(.init(event: .starsBack, stars: -payment.stars, at: refundedAt))
    }
    return RefundPath(steps: path)
  }
}

extension RefundPath.Step {
  /// Telegram's question before a payment and its answer; other steps are told by what they made.
  fileprivate init?(_ step: Checkout.Step) {
    switch step.to {
    case .validating: self.init(event: .accepted, at: step.at)
    case .rejected: self.init(event: .refused(reason: step.reason), at: step.at)
    default: return nil
    }
  }
}

extension RefundPath {
  /// What became of a charge's lots: uses by action, then what ended them.
  fileprivate static func uses(
    of lots: Set<Int64>, in movements: [Timeline.Movement], _ catalog: Catalog
  ) -> [Step] {
    var steps: [Step] = []
    var places: [String: Int] = [:]
    for movement in movements.reversed() {
      let moved = movement.lots.filter { lots.contains($0.lot) }.reduce(0) { $0 + $1.amount }
      let kinds: [String: Event] = [
        "expire": .expired, "clawback": .takenBack, "forgive": .forgiven,
      ]
      let isUse = movement.kind == "debit"
      let action = catalog.title(of: movement.action) ?? ""
      guard let event = isUse ? .uses(action: action, times: 1) : kinds[movement.kind] else {
        continue
      }
      let name = isUse ? "use \(action)" : movement.kind
      guard let place = places[name] else {
        places[name] = steps.count
        steps.append(Step(event: event, credits: moved, at: movement.at))
        continue
      }
      if case .uses(_, let times) = steps[place].event {
        steps[place].event = .uses(action: action, times: times + 1)
      }
      steps[place].credits = (steps[place].credits ?? 0) + moved
      steps[place].until = movement.at
    }
    return steps
  }
}
