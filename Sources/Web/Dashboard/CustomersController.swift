import EStars
import Foundation

/// Customers: the lookup and the page that answers "where did my credits go?".
enum CustomersController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let query = String((visit.inbound.query["q"] ?? "").prefix(512))
      .trimmingCharacters(in: .whitespacesAndNewlines)
    if !query.isEmpty { return try await find(query, visit) }
    let after = visit.inbound.query["after"].flatMap { Int64($0) }
    var found = try await Customer.list(
      before: after, limit: Limits.pageSize + 1, in: scope, pool)
    let hasMore = found.count > Limits.pageSize
    if hasMore { found.removeLast() }
    let view = CustomersView(
      rows: found.map(CustomersView.Row.init), mayOpen: visit.membership.role >= .manager,
      paging: Paging(
        nextCursor: hasMore ? found.last.map { String($0.customer.id) } : nil,
        isFirst: after == nil))
    return try await visit.page(view.render)
  }

  /// One thing with exactly this id is shown at once; everything else is a list.
  private static func find(_ query: String, _ visit: Visit) async throws -> Reply {
    let (scope, pool, slug) = (visit.scope, visit.platform.pool, visit.workspace.slug)
    let found = try await CustomerLookup.find(query, in: scope, pool)
    if found.matches.count == 1 {
      switch found.matches[0] {
      case .customer(let customer): return .seeOther(Links.customer(slug, customer.id))
      case .payment(let payment): return .seeOther(Links.payment(slug, PaymentKey(payment)))
      case .checkout(let checkout): return .seeOther(Links.checkout(slug, checkout.id))
      }
    }
    let payers = try await Customer.named(
      found.matches.compactMap {
        if case .payment(let payment) = $0 { payment.customerID } else { nil }
      }, in: scope, pool)
    let view = CustomersView(
      query: query, matches: found.matches.map { CustomersView.Match($0, payers) },
      rows: found.people.map(CustomersView.Row.init), hasMore: found.hasMore,
      isCorrected: found.isCorrected, mayOpen: visit.membership.role >= .manager)
    return try await visit.page(view.render)
  }

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let customer = try await visit.customer()
    let before = visit.inbound.query["after"].flatMap { Int64($0) }
    let numbers = try await Balance.units(of: customer.id, in: scope, pool)
    let asked = visit.inbound.query["unit"].flatMap { Int16($0) } ?? 1
    let unit = numbers.contains(asked) ? asked : 1
    async let access = AccessGrant.of(customer: customer.id, in: scope, pool)
    async let holds = Hold.of(customer: customer.id, in: scope, pool)
    async let tier = Tier.of(customer: customer.id, in: scope, pool)
    async let quotas = Quota.of(customer: customer.id, in: scope, pool)
    async let subscriptions = Subscription.of(customer: customer.id, in: scope, pool)
    async let payments = Payment.of(customer: customer.id, limit: 10, in: scope, pool)
    async let timeline = Timeline.of(
      customer: customer.id, unit: unit, before: before, in: scope, pool)
    let units = try await CreditUnit.all(in: scope, pool)
    let catalog = try await visit.platform.directory.catalog(of: visit.workspace.id)
    var accounts: [CustomerView.CreditAccount] = []
    for number in numbers {
      let balance = try await Balance.of(customer: customer.id, unit: number, in: scope, pool)
      accounts.append(
        .init(
          unit: units.label(of: number), available: balance.available, held: balance.held,
          lots: balance.lots.map(LotRow.init)))
    }
    let history = try await timeline
    let view = CustomerView(
      customer: CustomerLabel(customer), hasPurchased: customer.hasPurchased,
      since: customer.createdAt, accounts: accounts, given: try await visit.given(customer, units),
      mayGive: visit.membership.role >= .support, tier: try await tier?.title,
      subscriptions: try await subscriptions.map(SubscriptionRow.init),
      mayGivePlan: visit.membership.role >= .manager,
      quotas: try await quotas.map(QuotaRow.init), access: try await access.map(AccessRow.init),
      holds: try await holds.map { HoldRow($0, catalog, units, at: scope.now) },
      payments: try await payments.map { PaymentRow($0, customer) },
      unit: units.label(of: unit),
      timeline: history.events.map { StripRow($0, catalog, unit: units.label(of: unit)) },
      paging: Paging(nextCursor: history.olderThan.map(String.init), isFirst: before == nil))
    return try await visit.page(view.render)
  }
}

extension Visit {
  /// The grant that the address says was just made.
  fileprivate func given(
    _ customer: Customer, _ units: [CreditUnit]
  ) async throws -> CustomerView.Given? {
    guard let id = inbound.query["given"].flatMap({ Int64($0) }),
      let grant = try await CreditGrant.find(id: id, in: scope, platform.pool),
      grant.customerID == customer.id
    else { return nil }
    return .init(
      source: LotSource(rawValue: grant.source.rawValue) ?? .adjustment, credits: grant.credits,
      unit: units.label(of: grant.unit))
  }
}

extension CustomersView.Row {
  init(_ summary: CustomerSummary) {
    self.init(
      customer: CustomerLabel(summary.customer), balance: summary.balance,
      hasPurchased: summary.customer.hasPurchased, lastSeenAt: summary.customer.lastSeenAt)
  }
}

extension CustomersView.Match {
  init(_ match: CustomerLookup.Match, _ payers: [Int64: Customer]) {
    self =
      switch match {
      case .customer(let customer): .customer(CustomerLabel(customer))
      case .payment(let payment): .payment(PaymentRow(payment, payers[payment.customerID]))
      case .checkout(let checkout):
        .checkout(id: checkout.id, title: checkout.title, stars: checkout.stars)
      }
  }
}
