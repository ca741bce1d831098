import Foundation
import Ledger
import Postgres

/// What a bot may charge for. See ``Pack`` for what is sold.
public struct Action: Sendable, Equatable {
  public let key: String
  public let title: String
  /// Credits per unit.
  public let priceCredits: Int64
  public let requiredEntitlement: String?
  /// Units of one request.
  let maxUnits: Int64
  /// Units that may go on while the database is away, for all customers together, until they are
  /// booked; 0 = none.
  let outageUnits: Int64

  /// Whether the operator lets it go on when eStars does not decide: while the database is away, and
  /// while the business is suspended.
  public var isOpenInOutage: Bool { outageUnits > 0 }

  init(_ row: Row) throws {
    key = try row.get("action")
    title = try row.get("title")
    priceCredits = try row.get("price_credits")
    requiredEntitlement = try row.getIfPresent("required_entitlement")
    maxUnits = try row.get("max_units")
    let policy = ActionRules.OutagePolicy(rawValue: try row.get("outage_policy"))
    outageUnits = policy == .open ? try row.get("outage_cap_units") : 0
  }
}

/// Everything on sale in a workspace and everything it charges for.
public struct Catalog: Sendable, Equatable {
  public let packs: [Pack]
  public let actions: [Action]
  /// Those that are on sale or given, without the withdrawn ones.
  public let plans: [Plan]

  init(packs: [Pack], actions: [Action], plans: [Plan] = []) {
    self.packs = packs
    self.actions = actions
    self.plans = plans
  }

  public static func load(in scope: WorkspaceScope, _ pool: Pool) async throws -> Catalog {
    async let packs = pool.query(
      """
      \(Pack.select(in: scope)) and p.withdrawn_at is null and not exists (select from packs b
        where b.workspace_id = p.workspace_id and b.sku = p.base_sku and b.withdrawn_at is not null)
      order by p.position, p.sku
      """, in: scope)
    async let actions = pool.query(
      """
      select * from actions where workspace_id = \(scope.workspaceID) and withdrawn_at is null
      order by position, action
      """, in: scope)
    async let plans = Plan.all(in: scope, pool)
    return Catalog(
      packs: try await packs.map(Pack.init), actions: try await actions.map(Action.init),
      plans: try await plans.filter { !$0.isWithdrawn })
  }

  /// Packs that are shown to those who may buy them, in the operator's order: nothing discounted,
  /// nothing hidden.
  public var listed: [Pack] { packs.filter { $0.baseSKU == nil && !$0.isHidden } }

  /// Packs that somebody sees, of whom we may know nothing yet.
  ///
  /// - Parameter telegramID: theirs; those of staff are known before they first write.
  public func packs(
    for customer: Customer?, _ telegramID: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Pack] {
    var isStaff = false
    if customer == nil, listed.contains(where: { $0.audience == .admins }) {
      isStaff = try await StaffMember.includes(telegramID, in: scope, pool)
    }
    return listed.filter { $0.isAvailable(to: customer, isStaff: isStaff) }
  }

  public func pack(sku: String) -> Pack? { packs.first { $0.sku == sku } }

  public func pack(sku: String, discountPercent: Int) -> Pack? {
    if discountPercent == 0 { return packs.first { $0.sku == sku && $0.baseSKU == nil } }
    return packs.first { $0.baseSKU == sku && $0.discountPercent == discountPercent }
  }

  public func plan(_ key: String) -> Plan? { plans.first { $0.key == key } }

  /// - Parameter sku: As it stands in an invoice's payload; a plan's key follows `plan:` there.
  func sells(_ sku: String) -> Bool {
    guard sku.hasPrefix(InvoicePayload.planPrefix) else { return pack(sku: sku) != nil }
    return plan(String(sku.dropFirst(InvoicePayload.planPrefix.count)))?.kind == .recurring
  }

  public func action(_ key: String) -> Action? { actions.first { $0.key == key } }
}
