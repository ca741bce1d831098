import Foundation
import Ledger
import Postgres
import Telegram

/// The refund case of a charge: who asked, who decided, how far Telegram is. One row per charge,
/// for ever.
public struct Refund: Sendable, Equatable {
  public enum State: String, Sendable, CaseIterable {
    /// Waits for a decision.
    case requested
    /// Decided: what is left of the charge is held. Nothing was sent yet.
    case approved
    /// Telegram is being asked to give the Stars back.
    case sending
    /// Telegram was asked and gave no answer. Its own books decide.
    case unknown
    /// The Stars are back with the buyer and the credits with the workspace.
    case confirmed
    /// Telegram refused, or did not do it. The hold is released.
    case failed
    case declined
    /// Closed with credits instead of Stars.
    case goodwill

    /// Between the decision and Telegram's word on it.
    public var isUnderWay: Bool { [.approved, .sending, .unknown].contains(self) }
    /// Nothing goes on by itself.
    public var waitsForDecision: Bool { self == .requested || self == .failed }
    /// A decision may still be made, or made anew.
    public var isOpenToDecision: Bool { self != .confirmed && !isUnderWay }
  }

  public enum Source: String, Sendable {
    case `operator`
    /// Telegram reported a refund that nobody asked us for.
    case telegram
    /// Somebody paid the same invoice twice.
    case secondPayment = "second_payment"
    /// The buyer asked through the bot.
    case buyer
  }

  public enum Reason: String, Sendable, CaseIterable {
    case customerAsked = "customer_asked"
    case notDelivered = "not_delivered"
    case boughtByMistake = "bought_by_mistake"
    case doublePayment = "double_payment"
    case other
    case refundedElsewhere = "refunded_elsewhere"

    /// What an operator may choose from.
    public static let choices: [Reason] = allCases.filter { $0 != .refundedElsewhere }
  }

  /// Why a refund was declined.
  public enum DeclineReason: String, Sendable, CaseIterable {
    case outsidePolicy = "outside_policy"
    case creditsUsed = "credits_used"
    case alreadyRefundedOnce = "already_refunded_once"
    case delivered
    case suspectedAbuse = "suspected_abuse"
    case other
  }

  /// Whether the buyer was told of the decision.
  public enum Notice: String, Sendable { case due, sent, failed }

  public let id: Int64
  public let botID: Int64
  public let chargeID: String
  /// nil: a refund came whose payment was never seen, of a person we do not know.
  public let customerID: Int64?
  public let stars: Int64
  public let source: Source
  public let state: State
  public let reason: Reason
  public let note: String
  public let decisionNote: String
  public let openedAt: Date
  /// When it came into its present state.
  public let stateAt: Date
  public let decidedAt: Date?
  public let decidedBy: String?
  public let declineReason: DeclineReason?
  /// The first of two people who agree that the Stars go back, and when.
  public let proposedBy: String?
  public let proposedAt: Date?
  /// What the rule said when it was decided.
  public let verdict: RefundVerdict.Clause?
  public let buyerMessage: String
  /// The policy it was approved under.
  public let debtPolicy: DebtPolicy?
  public let approvals: Int
  let holdKey: String?
  public let goodwillCredits: Int64?
  public let notice: Notice?
  let unansweredAt: Date?
  /// What stands in the way at the moment, or why it failed.
  public let problem: RefundProblem?
  public let refundedAt: Date?

  public var charge: Charge { Charge(botID: botID, chargeID: chargeID) }

  /// Who approves what the workspace's rule speaks for, where no person has to.
  public static let policyActor = Actor(.system, "refund-policy")

  init(_ row: Row) throws {
    id = try row.get("refund_id")
    botID = try row.get("bot_id")
    chargeID = try row.get("charge_id")
    customerID = try row.getIfPresent("customer_id")
    stars = try row.get("stars")
    source = Source(rawValue: try row.get("source")) ?? .telegram
    // A state that a newer release made is no state to decide about.
    let name: String = try row.get("state")
    guard let state = State(rawValue: name) else {
      throw PostgresError(.decoding, "\"\(name)\" is not a state of a refund")
    }
    self.state = state
    reason = Reason(rawValue: try row.get("reason")) ?? .other
    note = try row.get("note")
    decisionNote = try row.get("decision_note")
    openedAt = try row.get("opened_at")
    stateAt = try row.get("state_at")
    decidedAt = try row.getIfPresent("decided_at")
    decidedBy = try row.getIfPresent("decided_by")
    declineReason = try row.getIfPresent("decline_reason", as: String.self)
      .flatMap(DeclineReason.init(rawValue:))
    proposedBy = try row.getIfPresent("proposed_by")
    proposedAt = try row.getIfPresent("proposed_at")
    verdict = try row.getIfPresent("verdict", as: String.self)
      .flatMap(RefundVerdict.Clause.init(rawValue:))
    buyerMessage = try row.get("buyer_message")
    debtPolicy = try row.getIfPresent("debt_policy", as: String.self)
      .flatMap(DebtPolicy.init(rawValue:))
    approvals = try row.get("approvals")
    holdKey = try row.getIfPresent("hold_key")
    goodwillCredits = try row.getIfPresent("goodwill_credits")
    notice = try row.getIfPresent("notice_state", as: String.self).flatMap(Notice.init(rawValue:))
    unansweredAt = try row.getIfPresent("unanswered_at")
    problem = try row.getIfPresent("last_error", as: String.self).map(RefundProblem.init)
    refundedAt = try row.getIfPresent("refunded_at")
  }

  public static func find(
    id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Refund? {
    try await pool.query(
      "select * from refunds where workspace_id = \(scope.workspaceID) and refund_id = \(id)",
      in: scope
    ).first.map(Refund.init)
  }

  /// The case of a payment; nil while nobody asked for one.
  public static func of(
    _ payment: Payment, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Refund? {
    try await pool.query(
      """
      select * from refunds where workspace_id = \(scope.workspaceID)
        and bot_id = \(payment.botID) and charge_id = \(payment.chargeID)
      """, in: scope
    ).first.map(Refund.init)
  }

  /// What the ledger took back when the Stars went back, in credits.
  public struct Clawback: Sendable, Equatable {
    /// `forgive` or `debt`.
    public let policy: String
    public let taken: Int64
    public let used: Int64
    public let held: Int64
    public let expired: Int64
  }

  /// nil while the Stars are not back, and for a charge that gave no credits.
  public func clawback(in scope: WorkspaceScope, _ pool: Pool) async throws -> Clawback? {
    try await pool.query(
      """
      select policy, taken, used, held, expired from clawbacks
      where workspace_id = \(scope.workspaceID) and bot_id = \(botID) and charge_id = \(chargeID)
      """, in: scope
    ).first.map { row in
      Clawback(
        policy: try row.get("policy"), taken: try row.get("taken"), used: try row.get("used"),
        held: try row.get("held"), expired: try row.get("expired"))
    }
  }
}

/// Why a refund does not get on: what Telegram said, or what happened on the way there.
public enum RefundProblem: Sendable, Equatable {
  public enum Code: String, Sendable, CaseIterable {
    /// A call left and no answer came.
    case noAnswer = "no_answer"
    case notReached = "not_reached"
    /// Telegram's books were watched and do not show it.
    case notInBooks = "not_in_books"
    /// The bot's token cannot be read: the deployment's key has changed.
    case token
    /// The buyer was erased, and Telegram takes a refund or a message by the buyer's id alone.
    case erased
  }

  case telegram(String)
  case code(Code)

  private static let prefix = "estars:"

  init(_ text: String) {
    let code = text.hasPrefix(Self.prefix) ? Code(rawValue: String(text.dropFirst(7))) : nil
    self = code.map(RefundProblem.code) ?? .telegram(text)
  }

  var text: String {
    switch self {
    case .telegram(let words): String(words.prefix(300))
    case .code(let code): Self.prefix + code.rawValue
    }
  }
}

extension RefundProblem {
  /// What Telegram itself said is kept word for word; everything else has a name of ours.
  init(_ error: TelegramError) {
    switch error {
    case .api(_, let description, _): self = .telegram(description)
    case .unknownOutcome: self = .code(.noAnswer)
    case .notSent: self = .code(.notReached)
    }
  }
}

extension Transaction {
  /// The case, locked until the end of the transaction together with its charge.
  func lockRefund(_ id: Int64, in scope: WorkspaceScope) async throws -> Refund? {
    guard
      let found = try await query(
        "select * from refunds where workspace_id = \(scope.workspaceID) and refund_id = \(id)"
      ).first.map(Refund.init)
    else { return nil }
    try await lockCharge(found.botID, found.chargeID)
    return try await query(
      """
      select * from refunds where workspace_id = \(scope.workspaceID) and refund_id = \(id)
      for update
      """
    ).first.map(Refund.init)
  }

  func refund(of charge: Charge, in scope: WorkspaceScope) async throws -> Refund? {
    try await query(
      """
      select * from refunds where workspace_id = \(scope.workspaceID)
        and bot_id = \(charge.botID) and charge_id = \(charge.chargeID) for update
      """
    ).first.map(Refund.init)
  }
}
