import Foundation
import Ledger
import Postgres

/// A buyer's question or complaint, with everything that was said about it.
public struct SupportCase: Sendable, Equatable {
  public enum State: String, Sendable, CaseIterable {
    /// The next word is ours.
    case open
    /// The next word is the buyer's.
    case waiting
    case closed
  }

  public enum Topic: String, Sendable, CaseIterable {
    case creditsMissing = "credits_missing"
    case refund
    case notDelivered = "not_delivered"
    case access, subscription, other
  }

  /// Who opened it.
  public enum Source: String, Sendable, CaseIterable {
    /// The bot's own program, by the API.
    case bot
    /// The buyer, by `/paysupport`.
    case buyer
    case `operator`
    /// A rule: a second payment of one invoice, say.
    case system
  }

  public let id: Int64
  /// The bot that speaks with the buyer.
  public let botID: Int64
  public let customerID: Int64
  /// What it is about, where that is known.
  public let paymentID: Int64?
  public let refundID: Int64?
  /// Key of the pack or plan of that payment; empty where there is none.
  public let product: String
  public let topic: Topic
  public let subject: String
  public let source: Source
  public let state: State
  /// The operator who takes care of it.
  public let assignedTo: Int64?
  /// The operator's name.
  public let assignee: String?
  public let openedAt: Date
  /// Since when the next word is ours; nil while it is not.
  public let waitsSince: Date?
  public let firstAnsweredAt: Date?
  public let closedAt: Date?
  public let closedBy: String?
  public let lastMessageAt: Date

  /// Of `support_cases s`.
  static let columns: SQL = """
    s.*, (select o.name from operators o where o.operator_id = s.assigned_to) as assignee
    """

  init(_ row: Row) throws {
    id = try row.get("support_case_id")
    botID = try row.get("bot_id")
    customerID = try row.get("customer_id")
    paymentID = try row.getIfPresent("payment_id")
    refundID = try row.getIfPresent("refund_id")
    product = try row.get("product")
    topic = Topic(rawValue: try row.get("topic")) ?? .other
    subject = try row.get("subject")
    source = Source(rawValue: try row.get("source")) ?? .operator
    let name: String = try row.get("state")
    guard let state = State(rawValue: name) else {
      throw PostgresError(.decoding, "\"\(name)\" is not a state of a support case")
    }
    self.state = state
    assignedTo = try row.getIfPresent("assigned_to")
    assignee = try row.getIfPresent("assignee")
    openedAt = try row.get("opened_at")
    waitsSince = try row.getIfPresent("waits_since")
    firstAnsweredAt = try row.getIfPresent("first_answered_at")
    closedAt = try row.getIfPresent("closed_at")
    closedBy = try row.getIfPresent("closed_by")
    lastMessageAt = try row.get("last_message_at")
  }

  /// Whether the buyer has been waiting for longer than the workspace means to let anybody wait.
  public func isOverdue(slaMinutes: Int, at: Date) -> Bool {
    waitsSince.map { at.timeIntervalSince($0) > Double(slaMinutes) * 60 } ?? false
  }

  public static func find(
    id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> SupportCase? {
    try await pool.query(
      """
      select \(columns) from support_cases s
      where s.workspace_id = \(scope.workspaceID) and s.support_case_id = \(id)
      """, in: scope
    ).first.map(SupportCase.init)
  }

  /// A customer's cases, newest first.
  ///
  /// - Parameter from: Only those opened from then on and before `until`.
  public static func of(
    customer id: Int64, from: Date = .distantPast, until: Date = .distantFuture,
    limit: Int = 50, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [SupportCase] {
    try await pool.query(
      """
      select \(columns) from support_cases s
      where s.workspace_id = \(scope.workspaceID) and s.customer_id = \(id)
        and s.opened_at >= \(from) and s.opened_at < \(until)
      order by s.support_case_id desc limit \(limit)
      """, in: scope
    ).map(SupportCase.init)
  }

  /// The cases about a payment, newest first.
  public static func of(
    payment id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [SupportCase] {
    try await pool.query(
      """
      select \(columns) from support_cases s
      where s.workspace_id = \(scope.workspaceID) and s.payment_id = \(id)
      order by s.support_case_id desc limit 50
      """, in: scope
    ).map(SupportCase.init)
  }

  /// How many cases wait for a word of ours.
  public static func openCount(in scope: WorkspaceScope, _ pool: Pool) async throws -> Int {
    try await pool.query(
      """
      select count(*)::int as cases from support_cases
      where workspace_id = \(scope.workspaceID) and state = 'open'
      """, in: scope
    )[0].get("cases")
  }
}

extension Transaction {
  /// The case, locked until the end of the transaction.
  func lockSupportCase(_ id: Int64, in scope: WorkspaceScope) async throws -> SupportCase? {
    try await query(
      """
      select \(SupportCase.columns) from support_cases s
      where s.workspace_id = \(scope.workspaceID) and s.support_case_id = \(id)
      for update of s
      """
    ).first.map(SupportCase.init)
  }
}
