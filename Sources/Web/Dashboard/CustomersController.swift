import EStars
import Foundation
import Ledger

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
    let cursor = visit.inbound.query["after"].flatMap(Timeline.Cursor.init)
    let filter = visit.inbound.query["show"].flatMap(Timeline.Filter.init(rawValue:))
    async let access = AccessGrant.of(customer: customer.id, in: scope, pool)
    async let holds = Hold.of(customer: customer.id, in: scope, pool)
    async let tier = Tier.of(customer: customer.id, in: scope, pool)
    async let quotas = Quota.of(customer: customer.id, in: scope, pool)
    async let subscriptions = Subscription.of(customer: customer.id, in: scope, pool)
    async let paid = Payment.of(
      customer: customer.id, limit: CustomerView.paymentsShown + 1, in: scope, pool)
    async let cases = SupportCase.of(customer: customer.id, in: scope, pool)
    let rates = try await Rates.of(scope, pool)
    async let lifetime = CustomerLifetime.of(customer: customer.id, at: rates, in: scope, pool)
    let units = try await CreditUnit.all(in: scope, pool)
    let catalog = try await visit.platform.directory.catalog(of: visit.workspace.id)
    let accounts = try await visit.accounts(of: customer, units)
    let asked = visit.inbound.query["unit"].flatMap { Int16($0) }
    let unit = accounts.first { $0.unit.number == asked }?.unit ?? units.label(of: 1)
    let timeline = try await Timeline.of(
      customer: customer.id, unit: unit.number, filter, after: cursor, in: scope, pool)
    let payments = try await paid
    let role = visit.membership.role
    let isErased = customer.erasedAt != nil
    let view = CustomerView(
      customer: CustomerLabel(customer), hasPurchased: customer.hasPurchased,
      since: customer.createdAt, erasedAt: customer.erasedAt,
      lifetime: .init(try await lifetime, at: rates), accounts: accounts,
      given: try await visit.given(customer, units), answered: try await visit.answered(customer),
      mayGive: role >= .support && !isErased, mayErase: role >= .manager && !isErased,
      cases: try await cases.filter { $0.state != .closed }.map(CustomerView.Case.init),
      tier: try await tier?.title,
      subscriptions: try await subscriptions.map(SubscriptionRow.init),
      mayGivePlan: role >= .manager && !isErased,
      quotas: try await quotas.map(QuotaRow.init), access: try await access.map(AccessRow.init),
      holds: try await holds.map { HoldRow($0, catalog, units, at: scope.now) },
      payments: payments.prefix(CustomerView.paymentsShown).map { PaymentRow($0, customer) },
      hasMorePayments: payments.count > CustomerView.paymentsShown, unit: unit,
      filter: filter.flatMap { .init(rawValue: $0.rawValue) },
      timeline: timeline.events.map {
        StripRow($0, catalog, unit: unit, slug: visit.workspace.slug)
      },
      paging: Paging(nextCursor: timeline.next?.text, isFirst: cursor == nil))
    return try await visit.page(view.render)
  }
}

extension Visit {
  /// What the customer has of each unit, and where the rest of it went.
  fileprivate func accounts(
    of customer: Customer, _ units: [CreditUnit]
  ) async throws -> [CustomerView.CreditAccount] {
    let pool = platform.pool
    var accounts: [CustomerView.CreditAccount] = []
    for number in try await Balance.units(of: customer.id, in: scope, pool) {
      let balance = try await Balance.of(customer: customer.id, unit: number, in: scope, pool)
      let label = units.label(of: number)
      let answer = try await CreditAnswer.of(
        Account(customer.id, unit: number), named: label.name, balance, in: scope, pool)
      accounts.append(
        .init(
          unit: label, available: balance.available, held: balance.held,
          lots: balance.lots.map(LotRow.init), fate: CustomerView.Fate(answer)))
    }
    return accounts
  }

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

  /// What became of the answer that the address says was just sent.
  fileprivate func answered(_ customer: Customer) async throws -> MessageRow? {
    guard let key = inbound.query["answered"], key.utf8.count <= 100 else { return nil }
    return try await OutgoingMessage.find(
      .creditsAnswer, about: "\(customer.id):\(key)", in: scope, platform.pool
    ).map(MessageRow.init)
  }
}

extension CustomerView.Lifetime {
  init(_ lifetime: CustomerLifetime, at rates: Rates) {
    self.init(
      payments: lifetime.payments, starsPaid: lifetime.starsPaid,
      starsRefunded: lifetime.starsRefunded, netMicros: rates.micros(stars: lifetime.netStars),
      costMicros: lifetime.costMicros, currency: rates.currency)
  }
}

extension CustomerView.Fate {
  init(_ answer: CreditAnswer) {
    self.init(
      came: answer.came, expired: answer.expired, takenBack: answer.takenBack,
      uses: answer.uses.map { .init(title: $0.title, units: $0.units, credits: $0.credits) })
  }
}

extension CustomerView.Case {
  init(_ opened: SupportCase) {
    self.init(
      id: opened.id, subject: opened.subject, isOurs: opened.state == .open,
      assignee: opened.assignee, since: opened.waitsSince ?? opened.lastMessageAt)
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
