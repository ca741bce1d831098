import EStars
import Foundation

/// Holds: what is set aside and by whom, stuck ones first.
enum HoldsController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let filter = HoldsView.Filter(rawValue: visit.inbound.query["show"] ?? "") ?? .open
    let (holds, next, isFirst) = try await page(filter, visit)
    let units = try await CreditUnit.all(in: scope, pool)
    let catalog = try await visit.platform.directory.catalog(of: visit.workspace.id)
    let people = try await Customer.named(holds.map(\.customerID), in: scope, pool)
    let view = HoldsView(
      filter: filter,
      rows: holds.map { hold in
        HoldsView.Row(
          hold: HoldRow(hold, catalog, units, at: scope.now),
          customer: people[hold.customerID].map(CustomerLabel.init)
            ?? CustomerLabel(id: hold.customerID, name: ""))
      }, paging: Paging(nextCursor: next, isFirst: isFirst))
    return try await visit.page(view.render)
  }

  private static func page(
    _ filter: HoldsView.Filter, _ visit: Visit
  ) async throws -> (holds: [Hold], next: String?, isFirst: Bool) {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let after = visit.inbound.query["after"]
    guard filter == .closed else {
      let cursor = after.flatMap(Hold.Cursor.init)
      let (holds, next) = try await Hold.open(
        stuckOnly: filter == .stuck, after: cursor, limit: Limits.pageSize, in: scope, pool)
      return (holds, next?.text, cursor == nil)
    }
    let before = after.flatMap { Int64($0) }
    var holds = try await Hold.closed(
      before: before, limit: Limits.pageSize + 1, in: scope, pool)
    let hasMore = holds.count > Limits.pageSize
    if hasMore { holds.removeLast() }
    return (holds, hasMore ? holds.last?.number.map(String.init) : nil, before == nil)
  }

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let view = try await visit.holdView(try await visit.hold())
    return try await visit.page(view.render)
  }
}

extension Visit {
  /// The hold in the path.
  func hold() async throws -> Hold {
    guard let hold = try await Hold.find(id: inbound.id("hold"), in: scope, platform.pool) else {
      throw Refusal.notFound
    }
    return hold
  }

  func holdView(_ hold: Hold) async throws -> HoldView {
    let pool = platform.pool
    guard let customer = try await Customer.find(id: hold.customerID, in: scope, pool) else {
      throw Refusal.notFound
    }
    let units = try await CreditUnit.all(in: scope, pool)
    let catalog = try await platform.directory.catalog(of: workspace.id)
    var bot: Bot?
    if let id = hold.botID { bot = try await platform.directory.bot(id) }
    let number = hold.number ?? 0
    let audit = try await AuditEntry.about("hold", String(number), in: scope, pool)
    var release: HoldView.Release?
    if hold.state == .open {
      let balance = try await Balance.of(
        customer: hold.customerID, unit: hold.unit, in: scope, pool)
      release = .init(
        balanceBefore: balance.available, quotaUnits: hold.isCounted ? hold.units : nil)
    }
    return HoldView(
      id: number, hold: HoldRow(hold, catalog, units, at: scope.now),
      customer: CustomerLabel(customer), botUsername: bot?.username ?? "", ref: hold.ref,
      release: release, form: membership.role >= .manager ? .init() : nil,
      audit: audit.map(PaymentView.AuditLine.init))
  }
}
