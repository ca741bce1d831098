import EStars
import Foundation
import HTTPTypes

/// Refund cases: the list, one case, and asking for one.
enum RefundsController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    let (scope, pool, query) = (visit.scope, visit.platform.pool, visit.inbound.query)
    var filter = RefundFilter(
      query["show"].flatMap(RefundFilter.Show.init(rawValue:)) ?? .waiting,
      reason: query["reason"].flatMap(Refund.Reason.init(rawValue:)),
      source: query["source"].flatMap(Refund.Source.init(rawValue:)),
      botID: query["bot"].flatMap { Int64($0) })
    var customer: Customer?
    if let id = query["customer"].flatMap({ Int64($0) }) {
      customer = try await Customer.find(id: id, in: scope, pool)
      guard customer != nil else { throw Refusal.notFound }
      filter.customerID = id
    }
    let after = query["after"].flatMap { Int64($0) }
    var refunds = try await Refund.list(
      filter, after: after, limit: Limits.pageSize + 1, in: scope, pool)
    let hasMore = refunds.count > Limits.pageSize
    if hasMore { refunds.removeLast() }
    let payments = try await Refund.payments(of: refunds, in: scope, pool)
    let people = try await Customer.named(
      refunds.compactMap(\.customerID) + payments.values.map(\.customerID), in: scope, pool)
    let undecided = refunds.filter { $0.state.waitsForDecision }.compactMap { payments[$0.charge] }
    let verdicts = try await Refund.verdicts(on: undecided, in: scope, pool)
    let view = RefundsView(
      show: .init(rawValue: filter.show.rawValue) ?? .waiting,
      filter: .init(
        reason: filter.reason.flatMap { .init(rawValue: $0.rawValue) },
        source: filter.source.flatMap { .init(rawValue: $0.rawValue) }, botID: filter.botID,
        customer: customer.map(CustomerLabel.init)),
      bots: try await Bot.all(in: scope, pool).map(BotLabel.init),
      rule: RefundRule(try await RefundPolicy.load(in: scope, pool)),
      rows: refunds.map { refund in
        let payment = payments[refund.charge]
        var row = RefundRow(
          refund, payment, (refund.customerID ?? payment?.customerID).flatMap { people[$0] })
        row.clause =
          refund.state.waitsForDecision
          ? payment.flatMap { verdicts[$0.id] }.flatMap { RefundClause($0.clause) } : nil
        return row
      },
      paging: Paging(
        nextCursor: hasMore ? refunds.last.map { String($0.id) } : nil, isFirst: after == nil,
        isAscending: filter.isOldestFirst))
    return try await visit.page(view.render)
  }

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    var view = try await visit.refundView(try await visit.refund())
    if visit.inbound.query["known"] != nil { view.warning = .known }
    return try await visit.page(view.render)
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let form = try visit.inbound.form()
    guard let botID = form["bot"].flatMap({ Int64($0) }), let chargeID = form["charge"],
      let payment = try await Payment.find(
        botID: botID, chargeID: chargeID, in: visit.scope, visit.platform.pool)
    else { throw Refusal.notFound }
    guard let reason = form["reason"].flatMap(Refund.Reason.init(rawValue:)),
      Refund.Reason.choices.contains(reason)
    else {
      throw Refusal(
        .unprocessableContent, "reason", "Choose one of the reasons of the list.")
    }
    let note = visit.inbound.words(form["note"])
    guard note.unicodeScalars.count <= Limits.noteCharacters else {
      let request = RefundRequestForm(
        reason: .init(rawValue: reason.rawValue) ?? .other, note: note, noteIsTooLong: true)
      var reply = try await PaymentsController.page(of: payment, visit, request: request)
      reply.status = .unprocessableContent
      return reply
    }
    let (refund, isNew): (Refund, Bool)
    do {
      (refund, isNew) = try await Refund.request(
        payment, reason: reason, note: note, by: visit.actor, in: visit.scope, visit.platform.pool)
    } catch RefundRefusal.erased {
      var reply = try await PaymentsController.page(
        of: payment, visit, request: RefundRequestForm())
      reply.status = .conflict
      return reply
    }
    // The rule may decide it now, and the page that follows says so.
    if isNew { await visit.platform.refunds.settleNow(refund.id) }
    return .seeOther(
      Links.with(
        Links.refund(visit.workspace.slug, refund.id), [("known", isNew ? nil : "1")]))
  }
}

/// The three ends of a case. Each is a noun of its own under the case's address.
enum RefundApprovalController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    try await visit.decide(.approval) { form, _ in .refund(previewed: form["previewed"] ?? "") }
  }
}

enum RefundGoodwillController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    try await visit.decide(.goodwill) { form, problems in
      guard let credits = Inbound.wholeNumber(form["credits"] ?? ""),
        (1...Limits.goodwillCredits).contains(credits)
      else {
        problems.append(.credits)
        return .goodwill(credits: 0)
      }
      return .goodwill(credits: credits)
    }
  }
}

enum RefundDeclineController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    try await visit.decide(.decline) { form, problems in
      guard let reason = form["reason"].flatMap(Refund.DeclineReason.init(rawValue:)) else {
        problems.append(.reason)
        return .decline(.other)
      }
      return .decline(reason)
    }
  }
}

/// The first word of two, taken back or refused. The case stays to be decided.
enum RefundWithdrawalController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let refund = try await visit.refund()
    do {
      _ = try await Refund.decide(
        refund.id, RefundDecision(.withdrawal), by: visit.actor, in: visit.scope,
        visit.platform.pool)
    } catch RefundRefusal.notFound {
      throw Refusal.notFound
    } catch let refusal as RefundRefusal {
      var view = try await visit.refundView(try await visit.refund())
      view.warning = refusal == .erased ? nil : .decided
      return try await visit.page(view.render, .conflict)
    }
    return .seeOther(Links.refund(visit.workspace.slug, refund.id))
  }
}

extension Visit {
  var actor: Actor { Actor(.operator, session.operator.email) }

  fileprivate func refund() async throws -> Refund {
    guard
      let refund = try await Refund.find(id: inbound.id("refund"), in: scope, platform.pool)
    else { throw Refusal.notFound }
    return refund
  }

  /// Carries a decision out, or shows its form again with what was typed and what is wrong with it.
  fileprivate func decide(
    _ kind: RefundView.Decision,
    _ outcome: ([String: String], inout [RefundView.Draft.Problem]) -> RefundDecision.Outcome
  ) async throws -> Reply {
    let refund = try await refund()
    let form = try inbound.form()
    var problems: [RefundView.Draft.Problem] = []
    let chosen = outcome(form, &problems)
    let decision = RefundDecision(
      chosen, note: inbound.words(form["note"]), buyerMessage: inbound.words(form["message"]))
    if decision.buyerMessage.unicodeScalars.count > Limits.noteCharacters {
      problems.append(.message)
    }
    if decision.note.unicodeScalars.count > Limits.noteCharacters { problems.append(.note) }
    func again(
      _ status: HTTPResponse.Status, warning: RefundView.Notice? = nil
    ) async throws -> Reply {
      var view = try await refundView(
        try await self.refund(), saying: problems.isEmpty ? decision : nil)
      view.warning = warning
      view.draft = .init(
        decision: kind, note: decision.note, message: decision.buyerMessage,
        credits: form["credits"] ?? "",
        reason: form["reason"].flatMap { DeclineReason(rawValue: $0) }, problems: problems)
      var reply = try await page(view.render)
      reply.status = status
      return reply
    }
    guard problems.isEmpty else { return try await again(.unprocessableContent) }
    if form["read"] != nil { return try await again(.ok) }
    do {
      let decided = try await Refund.decide(
        refund.id, decision, by: actor, in: scope, platform.pool)
      await platform.refunds.settleNow(decided.id)
      return .seeOther(Links.refund(workspace.slug, refund.id))
    } catch RefundRefusal.notFound {
      throw Refusal.notFound
    } catch RefundRefusal.previewChanged {
      return try await again(.conflict, warning: .previewChanged)
    } catch RefundRefusal.erased {
      return try await again(.conflict)
    } catch RefundRefusal.needsAnother {
      return try await again(.conflict, warning: .needsAnother)
    } catch RefundRefusal.settled, RefundRefusal.decided {
      // The same form sent twice: what it says is done, and once.
      let now = try await self.refund()
      if now.isResult(of: chosen, by: actor) {
        return .seeOther(Links.refund(workspace.slug, refund.id))
      }
      return try await again(.conflict, warning: .decided)
    } catch RefundRefusal.tooManyLots {
      problems.append(.lots)
      return try await again(.unprocessableContent)
    }
  }
}

extension Refund {
  fileprivate func isResult(of outcome: RefundDecision.Outcome, by actor: Actor) -> Bool {
    guard decidedBy == actor.name else { return false }
    switch outcome {
    case .refund: return state == .confirmed || state.isUnderWay
    case .decline(let reason): return state == .declined && declineReason == reason
    case .goodwill(let credits): return state == .goodwill && goodwillCredits == credits
    case .withdrawal: return proposedBy == nil
    }
  }
}

extension Inbound {
  /// What a person typed into a text field: without spaces around it, with plain line ends.
  func words(_ text: String?) -> String {
    (text ?? "").replacing("\r\n", with: "\n").replacing("\0", with: "")
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
