import Foundation
import Ledger
import Postgres

/// What happened to a customer, newest first: Stars that came and went, and every ledger entry with
/// the lots it filled or burned.
public struct Timeline: Sendable {
  public enum Event: Sendable, Equatable {
    case payment(Payment)
    case refund(Payment)
    /// Somebody decided against a refund; with the title of the pack that was paid.
    case decline(Refund, pack: String?)
    case entry(Movement)
  }

  /// A ledger entry in the product's words.
  public struct Movement: Sendable, Equatable {
    /// `credit`, `debit`, `hold`, `release`, `expire`, `clawback`, `forgive`.
    public let kind: String
    public let operation: String
    public let accountID: Int64
    public let unit: Int16
    public let version: Int64
    public let amount: Int64
    public let balanceAfter: Int64
    public let at: Date
    public let action: String?
    public let units: Int64?
    public let reason: String?
    /// An operator's e-mail address, where a person gave the credits.
    public let givenBy: String?
    public let lots: [LotMove]
  }

  public struct LotMove: Sendable, Equatable {
    public let lot: Int64
    public let source: String
    /// Signed: negative when burned.
    public let amount: Int64
    public let botID: Int64?
    public let chargeID: String?
  }

  public let events: [Event]
  /// The version to go on from; nil at the end.
  public let olderThan: Int64?

  /// One page of a customer's timeline in a credit unit. Payments, refunds and what was decided
  /// about them stand in the first unit's.
  public static func of(
    customer id: Int64, unit: Int16 = 1, before version: Int64?, in scope: WorkspaceScope,
    _ pool: Pool
  ) async throws -> Timeline {
    let older: SQL = version.map { "and e.version < \($0)" } ?? ""
    let limit = Limits.timelinePageSize
    var rows = try await movements(
      """
      e.account_id = \(id) and e.unit = \(unit) \(older)
      order by e.version desc limit \(limit + 1)
      """, in: scope, pool)
    let hasMore = rows.count > limit
    if hasMore { rows.removeLast() }
    guard unit == 1 else {
      return Timeline(
        events: rows.map(Event.entry), olderThan: hasMore ? rows.last?.version : nil)
    }
    // Payments stand between the entries of their time; on the last page, all that are older too.
    let from = hasMore ? rows.last?.at ?? .distantPast : .distantPast
    let until =
      version == nil
      ? Date.distantFuture
      : try await pool.query(
        """
        select created_at from entries where workspace_id = \(scope.workspaceID)
          and account_id = \(id) and unit = 1 and version = \(version)
        """, in: scope
      ).first?.get("created_at") ?? .distantFuture
    let payments = try await Payment.of(customer: id, from: from, until: until, in: scope, pool)
    let declined = try await declines(of: id, in: scope, pool)
    let money: [Event] =
      declined
      + payments.flatMap { payment in
        [.payment(payment)] + (payment.refundedAt != nil ? [.refund(payment)] : [])
      }
    let inPage = money.filter { from <= $0.at && $0.at < until }
    return Timeline(
      events: merge(
        rows.map(Event.entry), inPage.sorted { ($0.moment, $0.rank) > ($1.moment, $1.rank) }),
      olderThan: hasMore ? rows.last?.version : nil)
  }

  /// Puts payments and refunds between the entries of their time, without ever changing the order
  /// of the entries. Within a second, Stars that came stand below what they brought and Stars that
  /// went above what they took.
  private static func merge(_ entries: [Event], _ money: [Event]) -> [Event] {
    var merged: [Event] = []
    var rest = money[...]
    for entry in entries {
      while let next = rest.first, (next.moment, next.rank) > (entry.moment, entry.rank) {
        merged.append(rest.removeFirst())
      }
      merged.append(entry)
    }
    return merged + rest
  }

  private static func declines(
    of customer: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Event] {
    try await pool.query(
      """
      select r.*, p.title from refunds r
      left join payments p on p.workspace_id = r.workspace_id and p.bot_id = r.bot_id
        and p.charge_id = r.charge_id
      where r.workspace_id = \(scope.workspaceID) and r.customer_id = \(customer)
        and r.state = 'declined'
      order by r.refund_id desc limit 200
      """, in: scope
    ).map { .decline(try Refund($0), pack: try $0.getIfPresent("title")) }
  }

  /// The newest entries of the whole workspace.
  public static func recent(
    _ limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Movement] {
    try await movements(
      "true order by e.xid desc, e.account_id, e.version desc limit \(limit)", in: scope, pool)
  }

  /// Entries that filled or burned a charge's lots, newest first.
  public static func of(
    _ payment: Payment, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Movement] {
    try await movements(
      """
      e.account_id = \(payment.customerID) and e.lot_ids && array(
          select l.lot_id from lots l where l.workspace_id = \(scope.workspaceID)
            and l.unit = e.unit and l.bot_id = \(payment.botID)
            and l.charge_id = \(payment.chargeID))
        order by e.version desc limit 200
      """, in: scope, pool)
  }

  private static func movements(
    _ condition: SQL, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Movement] {
    let rows = try await pool.query(
      """
      select e.kind::text, e.operation::text, e.account_id, e.unit, e.version, e.amount,
        e.balance_after, e.created_at, e.action, e.units, e.reason, e.lot_ids,
        e.lot_amounts, case when e.kind = 'credit' then e.idempotency_key end as key
      from entries e where e.workspace_id = \(scope.workspaceID) and \(condition)
      """, in: scope)
    let accounts = try Set(rows.map { try $0.get("account_id", as: Int64.self) })
    let lotIDs = try Set(rows.flatMap { try $0.get("lot_ids", as: [Int64].self) })
    let lots = try await pool.query(
      """
      select account_id, unit, lot_id, source, bot_id, charge_id from lots
      where workspace_id = \(scope.workspaceID) and account_id = any(\(Array(accounts)))
        and lot_id = any(\(Array(lotIDs)))
      """, in: scope)
    var known: [[Int64]: Row] = [:]
    for lot in lots {
      known[[try lot.get("account_id"), try lot.get("unit"), try lot.get("lot_id")]] = lot
    }
    let grants = try await CreditGrant.byPosting(
      rows.compactMap { try $0.getIfPresent("key", as: String.self) }, in: scope, pool)
    return try rows.map { row in
      let key = try row.getIfPresent("key", as: String.self)
      return try Movement(row, lots: known, given: key.flatMap { grants[$0] })
    }
  }
}

extension Timeline.Movement {
  fileprivate init(_ row: Row, lots: [[Int64]: Row], given: CreditGrant?) throws {
    kind = try row.get("kind")
    operation = try row.get("operation")
    accountID = try row.get("account_id")
    version = try row.get("version")
    amount = try row.get("amount")
    balanceAfter = try row.get("balance_after")
    at = try row.get("created_at")
    action = try row.getIfPresent("action")
    units = try row.getIfPresent("units")
    reason = try given?.reason ?? row.getIfPresent("reason")
    givenBy = given?.grantedBy
    let isFilling = amount > 0
    let account = accountID
    unit = try row.get("unit")
    let number = Int64(unit)
    self.lots = try zip(
      row.get("lot_ids", as: [Int64].self), row.get("lot_amounts", as: [Int64].self)
    ).map { id, amount in
      let lot = lots[[account, number, id]]
      return Timeline.LotMove(
        lot: id, source: try lot?.get("source") ?? "adjustment",
        amount: isFilling ? amount : -amount, botID: try lot?.getIfPresent("bot_id"),
        chargeID: try lot?.getIfPresent("charge_id"))
    }
  }
}

extension Timeline.Event {
  public var at: Date {
    switch self {
    case .payment(let payment): payment.paidAt
    case .refund(let payment): payment.refundedAt ?? payment.paidAt
    case .decline(let refund, _): refund.stateAt
    case .entry(let movement): movement.at
    }
  }

  /// Telegram's times are whole seconds, the ledger's are not.
  fileprivate var moment: Int64 { Int64(at.timeIntervalSince1970.rounded(.down)) }

  fileprivate var rank: Int {
    switch self {
    case .payment: 0
    case .entry: 1
    case .refund, .decline: 2
    }
  }
}
