import Foundation
import Ledger
import Postgres

/// Why a refund case was not opened or decided as asked. Nothing was changed.
public enum RefundRefusal: Error, Sendable, Equatable {
  case notFound
  /// The Stars are back already.
  case settled
  /// Somebody else decided meanwhile.
  case decided(Refund.State)
  /// The charge's credits moved since the preview was read: look again.
  case previewChanged
  /// The customer has as many open lots as fit.
  case tooManyLots
  /// Two people have to agree, and this one has spoken.
  case needsAnother
  /// The customer was erased: Telegram takes a refund by the buyer's id alone, and it is forgotten.
  case erased
}

/// What an operator decided about a case, with the words that go along.
public struct RefundDecision: Sendable, Equatable {
  public enum Outcome: Sendable, Equatable {
    /// Give the Stars back, as the preview with this fingerprint says.
    case refund(previewed: String)
    case decline(Refund.DeclineReason)
    /// Credits instead of Stars; they never expire.
    case goodwill(credits: Int64)
    /// Ends the proposal of the first of two people; the case stays as it is.
    case withdrawal
  }

  public let outcome: Outcome
  /// For colleagues; kept with the case.
  public let note: String
  /// For the buyer, after our own words.
  public let buyerMessage: String

  public init(_ outcome: Outcome, note: String = "", buyerMessage: String = "") {
    self.outcome = outcome
    self.note = note
    self.buyerMessage = buyerMessage
  }
}

extension Refund {
  /// Opens the case of a payment, or gives the one that there is, as it is.
  public static func request(
    _ payment: Payment, reason: Reason, note: String, by actor: Actor, in scope: WorkspaceScope,
    _ pool: Pool
  ) async throws -> (refund: Refund, isNew: Bool) {
    try await pool.transaction(in: scope) { tx in
      try await tx.requestRefund(
        payment, source: .operator, reason: reason, note: note, by: actor, in: scope,
        at: scope.now)
    }
  }

  /// Decides a case. What the decision costs is posted in the same transaction, and so is the job
  /// that carries it to Telegram. Where two people have to agree, the first approval is a proposal
  /// and moves nothing.
  ///
  /// - Throws: ``RefundRefusal``
  public static func decide(
    _ id: Int64, _ decision: RefundDecision, by actor: Actor, in scope: WorkspaceScope,
    _ pool: Pool
  ) async throws -> Refund {
    try await pool.transaction(in: scope) { tx in
      try await tx.decideRefund(id, decision, by: actor, in: scope, at: scope.now)
    }
  }
}

extension Transaction {
  func requestRefund(
    _ payment: Payment, source: Refund.Source, reason: Refund.Reason, note: String,
    by actor: Actor, in scope: WorkspaceScope, at: Date
  ) async throws -> (refund: Refund, isNew: Bool) {
    try await lockCharge(payment.botID, payment.chargeID)
    if let known = try await refund(of: payment.charge, in: scope) { return (known, false) }
    try await lockPayer(payment.customerID, in: scope)
    let opened = try await query(
      """
      insert into refunds (workspace_id, bot_id, charge_id, customer_id, stars, source, state,
        reason, note, opened_at, state_at)
      values (\(scope.workspaceID), \(payment.botID), \(payment.chargeID), \(payment.customerID),
        \(payment.stars), \(source.rawValue), 'requested', \(reason.rawValue), \(note), \(at), \(at))
      returning *
      """)[0]
    let refund = try Refund(opened)
    try await audit(
      actor, "refund.requested", "refund", String(refund.id),
      after: ["stars": String(payment.stars), "reason": reason.rawValue], in: scope, at: at)
    if try await refundPolicy(in: scope).autoApproves {
      // In a transaction of its own: whatever comes of it, a payment that made the case is booked.
      try await Job.enqueue(.refundSettle, subject: String(refund.id), in: scope, self)
    }
    return (refund, true)
  }

  func decideRefund(
    _ id: Int64, _ decision: RefundDecision, by actor: Actor, in scope: WorkspaceScope, at: Date
  ) async throws -> Refund {
    guard let refund = try await lockRefund(id, in: scope),
      let payment = try await payment(of: refund.charge, in: scope)
    else { throw RefundRefusal.notFound }
    guard payment.state != .refunded, refund.state != .confirmed else {
      throw RefundRefusal.settled
    }
    try await lockPayer(payment.customerID, in: scope)
    switch decision.outcome {
    case .refund(let previewed):
      if refund.state.isUnderWay { return refund }
      return try await approve(
        refund, payment, previewed: previewed, decision, by: actor, in: scope, at: at)
    case .withdrawal:
      return try await withdrawProposal(of: refund, by: actor, in: scope, at: at)
    case .decline(let reason):
      if refund.proposedBy != nil, [.declined, .goodwill].contains(refund.state) {
        return try await withdrawProposal(of: refund, by: actor, in: scope, at: at)
      }
      if refund.state == .declined { return refund }
      guard refund.state.waitsForDecision else { throw RefundRefusal.decided(refund.state) }
      let preview = try await refundPreview(of: payment, in: scope, at: at)
      let declined = try await close(
        refund, .declined, decision, preview.verdict, reason: reason, by: actor, in: scope, at: at)
      try await audit(
        actor, "refund.declined", "refund", String(refund.id),
        before: ["state": refund.state.rawValue],
        after: ["reason": reason.rawValue, "verdict": preview.verdict.clause.rawValue],
        in: scope, at: at)
      try await emit(.refundDeclined, refund, paymentID: payment.id, in: scope, at: at)
      return declined
    case .goodwill(let credits):
      guard refund.state.isOpenToDecision else { throw RefundRefusal.decided(refund.state) }
      guard refund.goodwillCredits == nil else { throw RefundRefusal.decided(.goodwill) }
      return try await compensate(
        refund, payment, credits: credits, decision, by: actor, in: scope, at: at)
    }
  }

  /// Approves a case that the workspace's rule speaks for, where the rule may. What two people have
  /// to agree on waits for them.
  ///
  /// - Returns: Whether it did.
  func autoApprove(_ id: Int64, in scope: WorkspaceScope, at: Date) async throws -> Bool {
    let policy = try await refundPolicy(in: scope)
    guard policy.autoApproves, let refund = try await lockRefund(id, in: scope),
      refund.state == .requested, refund.source != .telegram, refund.proposedBy == nil,
      let payment = try await payment(of: refund.charge, in: scope), payment.state == .credited,
      !policy.needsTwo(for: payment.stars)
    else { return false }
    // Of two cases of one customer that come here together, one is the first.
    guard try await lockedCustomer(payment.customerID, in: scope)?.erasedAt == nil else {
      return false
    }
    let preview = try await refundPreview(of: payment, in: scope, at: at)
    guard preview.verdict.recommendsRefund else { return false }
    _ = try await approve(
      refund, payment, previewed: preview.fingerprint,
      RefundDecision(.refund(previewed: preview.fingerprint)), by: Refund.policyActor, in: scope,
      at: at)
    return true
  }

  /// Holds what is left of the charge, so that approved credits cannot be spent meanwhile. Only
  /// then, with the account in hand, are the figures those that the decision was about or not.
  private func approve(
    _ refund: Refund, _ payment: Payment, previewed: String, _ decision: RefundDecision,
    by actor: Actor, in scope: WorkspaceScope, at: Date
  ) async throws -> Refund {
    if try await refundPolicy(in: scope).needsTwo(for: payment.stars) {
      guard let first = refund.proposedBy else {
        return try await propose(
          refund, payment, previewed: previewed, decision, by: actor, in: scope, at: at)
      }
      guard first != actor.name else {
        // The same form sent twice.
        guard decision.note == refund.decisionNote,
          decision.buyerMessage == refund.buyerMessage
        else { throw RefundRefusal.needsAnother }
        return refund
      }
    }
    let number = refund.approvals + 1
    let key = "refund:hold:\(number):\(refund.botID):\(refund.chargeID)"
    let hold = try await self.hold(refund.charge, key: key, in: scope, at: at)
    // Nothing left, or nothing ever credited: there is nothing to hold.
    guard [.applied, .none, .unknown].contains(hold.status) else {
      throw PaymentProblem(description: "the refund's hold was answered \(hold.status.rawValue)")
    }
    let preview = try await refundPreview(of: payment, in: scope, at: at)
    guard preview.fingerprint == previewed else { throw RefundRefusal.previewChanged }
    let row = try await query(
      """
      update refunds set state = 'approved', state_at = \(at), decided_at = \(at),
        decided_by = \(actor.name), approvals = \(number),
        hold_key = \(hold.status == .applied ? key : nil), debt_policy = \(preview.policy.rawValue),
        decision_note = \(decision.note), buyer_message = \(decision.buyerMessage),
        verdict = \(preview.verdict.clause.rawValue), decline_reason = null,
        notice_state = null, last_error = null
      where workspace_id = \(scope.workspaceID) and refund_id = \(refund.id)
      returning *
      """)[0]
    try await audit(
      actor, "refund.approved", "refund", String(refund.id),
      before: ["state": refund.state.rawValue],
      after: [
        "stars": String(preview.stars), "credits_held": String(hold.amount ?? 0),
        "used": String(preview.used), "debt_policy": preview.policy.rawValue,
        "verdict": preview.verdict.clause.rawValue,
      ], in: scope, at: at)
    try await emit(.refundApproved, refund, paymentID: payment.id, in: scope, at: at)
    try await Job.enqueue(.refundSettle, subject: String(refund.id), in: scope, self)
    return try Refund(row)
  }

  /// The first of two who agree. It moves nothing; the second one reads the figures anew.
  private func propose(
    _ refund: Refund, _ payment: Payment, previewed: String, _ decision: RefundDecision,
    by actor: Actor, in scope: WorkspaceScope, at: Date
  ) async throws -> Refund {
    let preview = try await refundPreview(of: payment, in: scope, at: at)
    guard preview.fingerprint == previewed else { throw RefundRefusal.previewChanged }
    let row = try await query(
      """
      update refunds set proposed_by = \(actor.name), proposed_at = \(at),
        decision_note = \(decision.note), buyer_message = \(decision.buyerMessage)
      where workspace_id = \(scope.workspaceID) and refund_id = \(refund.id)
      returning *
      """)[0]
    try await audit(
      actor, "refund.proposed", "refund", String(refund.id),
      after: [
        "stars": String(preview.stars), "verdict": preview.verdict.clause.rawValue,
      ], in: scope, at: at)
    return try Refund(row)
  }

  /// Takes the first word of two back, whoever spoke it. Nobody has been told of it.
  private func withdrawProposal(
    of refund: Refund, by actor: Actor, in scope: WorkspaceScope, at: Date
  ) async throws -> Refund {
    guard refund.state.isOpenToDecision else { throw RefundRefusal.decided(refund.state) }
    guard let first = refund.proposedBy else { return refund }
    let row = try await query(
      """
      update refunds set proposed_by = null, proposed_at = null, decision_note = '',
        buyer_message = ''
      where workspace_id = \(scope.workspaceID) and refund_id = \(refund.id)
      returning *
      """)[0]
    try await audit(
      actor, "refund.proposal_withdrawn", "refund", String(refund.id),
      before: ["proposed_by": first], in: scope, at: at)
    return try Refund(row)
  }

  /// The buyer's row, in hand until the end: no erasure comes in between.
  ///
  /// - Throws: ``RefundRefusal/erased``
  private func lockPayer(_ customer: Int64, in scope: WorkspaceScope) async throws {
    guard try await lockedCustomer(customer, in: scope)?.erasedAt == nil else {
      throw RefundRefusal.erased
    }
  }

  private func compensate(
    _ refund: Refund, _ payment: Payment, credits: Int64, _ decision: RefundDecision,
    by actor: Actor, in scope: WorkspaceScope, at: Date
  ) async throws -> Refund {
    let preview = try await refundPreview(of: payment, in: scope, at: at)
    let unit = try await query(
      """
      select credit_unit from checkouts where workspace_id = \(scope.workspaceID)
        and checkout_id = \(payment.checkoutID)
      """
    ).first?.get("credit_unit", as: Int16.self)
    let granted = try await credit(
      Grant(credits, source: .goodwill, ref: "refund:\(refund.id)"),
      to: Account(payment.customerID, unit: unit ?? 1),
      key: "refund:goodwill:\(refund.botID):\(refund.chargeID)", in: scope, at: at)
    guard granted.status != .lotLimit else { throw RefundRefusal.tooManyLots }
    guard granted.status == .applied else {
      throw PaymentProblem(description: "the goodwill was answered \(granted.status.rawValue)")
    }
    let closed = try await close(
      refund, .goodwill, decision, preview.verdict, credits: credits, by: actor, in: scope, at: at)
    try await audit(
      actor, "refund.goodwill", "refund", String(refund.id),
      before: ["state": refund.state.rawValue],
      after: ["credits": String(credits), "verdict": preview.verdict.clause.rawValue],
      in: scope, at: at)
    try await emit(.refundGoodwill, refund, paymentID: payment.id, in: scope, at: at)
    return closed
  }

  private func close(
    _ refund: Refund, _ state: Refund.State, _ decision: RefundDecision, _ verdict: RefundVerdict,
    reason: Refund.DeclineReason? = nil, credits: Int64? = nil, by actor: Actor,
    in scope: WorkspaceScope, at: Date
  ) async throws -> Refund {
    let row = try await query(
      """
      update refunds set state = \(state.rawValue), state_at = \(at), decided_at = \(at),
        decided_by = \(actor.name), goodwill_credits = coalesce(\(credits)::bigint, goodwill_credits),
        decision_note = \(decision.note), buyer_message = \(decision.buyerMessage),
        decline_reason = \(reason?.rawValue), verdict = \(verdict.clause.rawValue),
        proposed_by = null, proposed_at = null, notice_state = 'due', last_error = null
      where workspace_id = \(scope.workspaceID) and refund_id = \(refund.id)
      returning *
      """)[0]
    try await closeConcerns(about: refund, in: scope, at: at)
    try await Job.enqueue(.refundSettle, subject: String(refund.id), in: scope, self)
    return try Refund(row)
  }
}
