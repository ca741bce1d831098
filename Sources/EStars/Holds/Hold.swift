import Foundation
import Ledger
import Postgres

/// Credits, or units of a quota, that are set aside for something that has not ended.
public struct Hold: Sendable, Equatable {
  public enum Kind: Sendable, Equatable {
    /// For work that a bot reserved; its number.
    case work(Int64)
    /// Over what is left of a charge whose refund was approved; the refund's number.
    case refund(Int64?)
    /// Of the ledger alone.
    case bare
  }

  public enum State: String, Sendable, CaseIterable { case open, committed, released, expired }

  public let kind: Kind
  public let customerID: Int64
  /// nil for a refund.
  public let action: String?
  public let unit: Int16
  public let units: Int64?
  public let credits: Int64
  public let heldAt: Date
  /// `Date.distantFuture` = until it is closed.
  public let expiresAt: Date
  public let state: State
  public let closedAt: Date?
  /// Of a committed one.
  public let usedUnits: Int64?
  public let usedCredits: Int64?
  /// The bot's own note.
  public let ref: String?
  /// In the ledger; work that costs nothing has no hold there.
  public let key: String
  public let botID: Int64?
  /// Whether its units count in quotas.
  public let isCounted: Bool

  /// Of work that a bot reserved.
  public var number: Int64? { if case .work(let id) = kind { id } else { nil } }

  init(_ row: Row) throws {
    let id: Int64 = try row.get("id")
    kind =
      switch try row.get("kind", as: String.self) {
      case "work": .work(id)
      case "refund": .refund(id == 0 ? nil : id)
      default: .bare
      }
    customerID = try row.get("customer_id")
    action = try row.getIfPresent("action")
    unit = try row.get("unit")
    units = try row.getIfPresent("units")
    credits = try row.get("credits")
    heldAt = try row.get("created_at")
    expiresAt = try row.get("expires_at")
    state = State(rawValue: try row.get("state")) ?? .open
    closedAt = try row.getIfPresent("closed_at")
    usedUnits = try row.getIfPresent("used_units")
    usedCredits = try row.getIfPresent("used_credits")
    ref = try row.getIfPresent("ref")
    key = try row.get("hold_key")
    botID = try row.getIfPresent("bot_id")
    isCounted = try row.get("is_counted")
  }

  /// Past its time and still open, or open for very long.
  public func isStuck(at: Date) -> Bool {
    state == .open
      && (expiresAt <= at || heldAt <= at.addingTimeInterval(-Limits.holdStuckSeconds))
  }
}

extension Hold {
  private static let workColumns: SQL = """
    'work' as kind, u.hold_id as id, u.customer_id, u.action, u.credit_unit as unit,
    u.units::bigint as units, u.credits, u.created_at, u.expires_at, u.state, u.closed_at,
    u.used_units::bigint as used_units, u.used_credits, u.ref,
    'api:' || u.idempotency_key as hold_key, u.bot_id, u.day_starts_on is not null as is_counted
    """

  /// Every open hold: the bots' reservations, and what the ledger holds besides.
  private static func open(of customer: Int64?, in scope: WorkspaceScope) -> SQL {
    let theirs: SQL = customer.map { "and u.customer_id = \($0)" } ?? ""
    let account: SQL = customer.map { "and h.account_id = \($0)" } ?? ""
    return """
      select \(workColumns) from usage_holds u
      where u.workspace_id = \(scope.workspaceID) and u.state = 'open' \(theirs)
      union all
      select case when h.charge_id is null then 'bare' else 'refund' end,
        coalesce(r.refund_id, 0), h.account_id, case when h.charge_id is null then e.action end,
        h.unit, e.units::bigint, h.amount, e.created_at, h.expires_at, 'open', null::timestamptz,
        null::bigint, null::bigint, e.ref, h.hold_key, h.bot_id, false
      from holds h
      join entries e on e.workspace_id = h.workspace_id and e.account_id = h.account_id
        and e.unit = h.unit and e.version = h.version
      left join refunds r on r.workspace_id = h.workspace_id and r.bot_id = h.bot_id
        and r.charge_id = h.charge_id
      where h.workspace_id = \(scope.workspaceID) \(account) and (h.charge_id is not null
        or not exists (
          select from usage_holds k where k.workspace_id = h.workspace_id
            and k.idempotency_key = substr(h.hold_key, 5) and h.hold_key like 'api:%'
            and k.state = 'open'))
      """
  }

  /// A customer's open holds, newest first.
  public static func of(
    customer id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Hold] {
    try await pool.query(
      """
      select * from (\(open(of: id, in: scope))) o order by created_at desc, hold_key limit 50
      """, in: scope
    ).map(Hold.init)
  }

  /// A reservation of a bot, by its number.
  public static func find(
    id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Hold? {
    try await pool.query(
      """
      select \(workColumns) from usage_holds u
      where u.workspace_id = \(scope.workspaceID) and u.hold_id = \(id)
      """, in: scope
    ).first.map(Hold.init)
  }

  /// Where a list of open holds goes on. It keeps the time of the first page, so that no hold
  /// becomes a stuck one between two pages.
  public struct Cursor: Sendable, Equatable {
    let asOf: Date
    let isStuck: Bool
    let heldAt: Date
    let key: String

    init(_ hold: Hold, asOf: Date) {
      self.asOf = asOf
      isStuck = hold.isStuck(at: asOf)
      heldAt = hold.heldAt
      key = hold.key
    }

    /// - Returns: nil for a text that is no cursor.
    public init?(_ text: String) {
      let parts = text.split(separator: "~", maxSplits: 3).map(String.init)
      guard parts.count == 4, let asOf = Int64(parts[0]), let heldAt = Int64(parts[2]),
        ["0", "1"].contains(parts[1]), (0...Self.latest).contains(asOf),
        (0...Self.latest).contains(heldAt), parts[3].utf8.count <= 700, !parts[3].contains("\0")
      else { return nil }
      self.asOf = Self.date(asOf)
      isStuck = parts[1] == "1"
      self.heldAt = Self.date(heldAt)
      key = parts[3]
    }

    public var text: String {
      "\(Self.micros(asOf))~\(isStuck ? 1 : 0)~\(Self.micros(heldAt))~\(key)"
    }

    /// The year 9999, in microseconds since 1970.
    private static let latest: Int64 = 253_370_764_800_000_000

    private static func micros(_ date: Date) -> Int64 {
      Int64((date.timeIntervalSince1970 * 1_000_000).rounded())
    }

    private static func date(_ micros: Int64) -> Date {
      Date(timeIntervalSince1970: Double(micros) / 1_000_000)
    }
  }

  /// One page of the workspace's open holds: stuck ones first, each part oldest first.
  public static func open(
    stuckOnly: Bool, after cursor: Cursor?, limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> (holds: [Hold], next: Cursor?) {
    let asOf = cursor?.asOf ?? scope.now
    let since = asOf.addingTimeInterval(-Limits.holdStuckSeconds)
    let stuck: SQL = stuckOnly ? "and is_stuck" : ""
    let later: SQL =
      cursor.map {
        """
        and (not is_stuck, created_at, hold_key)
          > (\(!$0.isStuck)::boolean, \($0.heldAt)::timestamptz, \($0.key)::text)
        """
      } ?? ""
    var holds = try await pool.query(
      """
      select * from (
        select o.*, expires_at <= \(asOf)::timestamptz or created_at <= \(since)::timestamptz
          as is_stuck
        from (\(open(of: nil, in: scope))) o) s
      where true \(stuck) \(later)
      order by not is_stuck, created_at, hold_key limit \(limit + 1)
      """, in: scope
    ).map(Hold.init)
    let hasMore = holds.count > limit
    if hasMore { holds.removeLast() }
    return (holds, hasMore ? holds.last.map { Cursor($0, asOf: asOf) } : nil)
  }

  /// The bots' reservations that have ended, newest first, older than this number.
  public static func closed(
    before id: Int64?, limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Hold] {
    let older: SQL = id.map { "and u.hold_id < \($0)" } ?? ""
    return try await pool.query(
      """
      select \(workColumns) from usage_holds u
      where u.workspace_id = \(scope.workspaceID) and u.state <> 'open' \(older)
      order by u.hold_id desc limit \(limit)
      """, in: scope
    ).map(Hold.init)
  }
}
