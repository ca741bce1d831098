import EStars
import Foundation

/// Customers: the lookup and the page that answers "where did my credits go?".
enum CustomersController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    let query = String((visit.inbound.query["q"] ?? "").prefix(512))
    let after = visit.inbound.query["after"].flatMap { Int64($0) }
    var found = try await Customer.search(
      query, before: after, limit: Limits.pageSize + 1, in: visit.scope, visit.platform.pool)
    let hasMore = found.count > Limits.pageSize
    if hasMore { found.removeLast() }
    let view = CustomersView(
      query: query,
      rows: found.map {
        CustomersView.Row(
          customer: CustomerLabel($0.customer), balance: $0.balance,
          hasPurchased: $0.customer.hasPurchased, lastSeenAt: $0.customer.lastSeenAt)
      },
      paging: Paging(
        nextCursor: hasMore ? found.last.map { String($0.customer.id) } : nil,
        isFirst: after == nil))
    return try await visit.page(view.render)
  }

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    guard
      let customer = try await Customer.find(id: visit.inbound.id("customer"), in: scope, pool)
    else { throw Refusal.notFound }
    let before = visit.inbound.query["after"].flatMap { Int64($0) }
    async let balance = Balance.of(customer: customer.id, in: scope, pool)
    async let access = AccessGrant.of(customer: customer.id, in: scope, pool)
    async let holds = OpenHold.of(customer: customer.id, in: scope, pool)
    async let payments = Payment.of(customer: customer.id, limit: 10, in: scope, pool)
    async let timeline = Timeline.of(customer: customer.id, before: before, in: scope, pool)
    let catalog = try await visit.platform.directory.catalog(of: visit.workspace.id)
    let (credits, history) = (try await balance, try await timeline)
    let view = CustomerView(
      customer: CustomerLabel(customer), hasPurchased: customer.hasPurchased,
      since: customer.createdAt, available: credits.available, held: credits.held,
      lots: credits.lots.map(LotRow.init), access: try await access.map(AccessRow.init),
      holds: try await holds.map { HoldRow($0, catalog) },
      payments: try await payments.map { PaymentRow($0, customer) },
      timeline: history.events.map { StripRow($0, catalog) },
      paging: Paging(nextCursor: history.olderThan.map(String.init), isFirst: before == nil))
    return try await visit.page(view.render)
  }
}
