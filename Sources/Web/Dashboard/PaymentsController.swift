import EStars
import Foundation

/// Payments: the list and the page of one charge.
enum PaymentsController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let cursor = visit.inbound.query["after"].flatMap(Payment.Cursor.init)
    var view = PaymentsView(filter: .init(visit.inbound), rows: [])
    view.bots = try await Bot.all(in: scope, pool).map(BotLabel.init)
    let filter = try await visit.paymentFilter(&view)
    guard let filter else { return try await visit.page(view.render) }
    async let rates = Rates.of(scope, pool)
    var payments = try await Payment.recent(
      filter, before: cursor, limit: Limits.pageSize + 1, in: scope, pool)
    let hasMore = payments.count > Limits.pageSize
    if hasMore { payments.removeLast() }
    let people = try await Customer.named(payments.map(\.customerID), in: scope, pool)
    let rate = try await rates
    view.rows = payments.map { PaymentRow($0, people[$0.customerID], at: rate) }
    view.paging = Paging(
      nextCursor: hasMore ? payments.last.map { Payment.Cursor($0).text } : nil,
      isFirst: cursor == nil)
    return try await visit.page(view.render)
  }

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let botID = try visit.inbound.id("bot")
    guard let chargeID = visit.inbound.parameters["charge"],
      let payment = try await Payment.find(
        botID: botID, chargeID: chargeID, in: visit.scope, visit.platform.pool)
    else { throw Refusal.notFound }
    return try await page(of: payment, visit, request: RefundRequestForm())
  }

  /// - Parameter request: What the form that asks for a refund holds.
  static func page(
    of payment: Payment, _ visit: Visit, request: RefundRequestForm
  ) async throws -> Reply {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    guard let customer = try await Customer.find(id: payment.customerID, in: scope, pool) else {
      throw Refusal.notFound
    }
    async let lots = payment.lots(in: scope, pool)
    async let movements = Timeline.of(payment, in: scope, pool)
    async let checkout = payment.checkout(in: scope, pool)
    async let access = AccessGrant.of(customer: customer.id, in: scope, pool)
    async let audit = AuditEntry.about("payment", String(payment.id), in: scope, pool)
    async let refundCase = Refund.of(payment, in: scope, pool)
    async let receipts = payment.receipts(in: scope, pool)
    async let rates = Rates.of(scope, pool)
    let bot = try await visit.platform.directory.bot(payment.botID)
    let catalog = try await visit.platform.directory.catalog(of: visit.workspace.id)
    let (moved, granted, refund) = (try await movements, try await lots, try await refundCase)
    let ids = Set(granted.map(\.id))
    var strip = moved.map { StripRow($0, catalog) }
    strip.append(StripRow(.payment(payment), catalog))
    if payment.refundedAt != nil { strip.insert(StripRow(.refund(payment), catalog), at: 0) }
    let isErased = customer.erasedAt != nil
    let mayWrite = visit.membership.role >= .support && !isErased
    let effect =
      refund == nil && !isErased
      ? RefundEffect(try await RefundPreview.of(payment, in: scope, pool), payment) : nil
    let sold = try await checkout
    let steps = try await sold?.history(in: scope, pool) ?? []
    let view = PaymentView(
      payment: PaymentRow(payment, customer, at: try await rates), sku: payment.sku,
      botUsername: bot?.username ?? "",
      checkout: sold.map { .init(id: String($0.id), openedAt: $0.createdAt) },
      refundedAt: payment.refundedAt, lots: granted.map(LotRow.init),
      creditsUsed: moved.used(fromLots: ids),
      access: try await access.filter {
        $0.botID == payment.botID && $0.chargeID == payment.chargeID
      }.map(AccessRow.init), strip: strip,
      audit: try await audit.map(PaymentView.AuditLine.init),
      review: payment.review.flatMap(PaymentView.Review.init(rawValue:)),
      refund: refund.map { RefundRow($0, payment, customer) }, effect: effect,
      request: refund == nil && mayWrite ? request : nil,
      receipts: payment.state == .unmatched
        ? nil
        : .init(
          rows: try await receipts.map(MessageRow.init),
          formKey: mayWrite ? UUID().uuidString : nil),
      steps: steps.map(CheckoutView.Step.init),
      cases: try await visit.cases(about: payment, customer),
      mayOpenCase: mayWrite, isErased: isErased)
    return try await visit.page(view.render)
  }
}

extension [Timeline.Movement] {
  /// Credits that debits took from these lots.
  fileprivate func used(fromLots lots: Set<Int64>) -> Int64 {
    filter { $0.kind == "debit" }.flatMap(\.lots).filter { lots.contains($0.lot) }
      .reduce(0) { $0 - $1.amount }
  }
}

extension PaymentsView.Filter {
  /// As the address says it; what makes no sense there is left out.
  init(_ inbound: Inbound) {
    func text(_ name: String) -> String? {
      inbound.query[name].flatMap { $0.isEmpty || $0.contains("\0") ? nil : inbound.words($0) }
    }
    let (from, to) = (text("from") ?? "", text("to") ?? "")
    let period = text("period").flatMap(PeriodChoice.init(rawValue:))
      .flatMap { PaymentsView.periods.contains($0) ? $0 : nil }
    let hasDates = period == .custom || period == nil && !(from.isEmpty && to.isEmpty)
    self.init(
      // Dates count where no other time is chosen.
      period: hasDates ? .custom : period, from: hasDates ? from : "", to: hasDates ? to : "",
      state: text("state").flatMap(PaymentState.init(rawValue:)),
      product: text("product").flatMap(PaymentProduct.init(rawValue:)), sku: text("sku"),
      botID: text("bot").flatMap { Int64($0) }, customer: text("customer").flatMap { Int64($0) },
      text: text("q") ?? "")
  }
}

extension Visit {
  /// What to look for; nil: the page says why nothing is looked for.
  fileprivate func paymentFilter(_ view: inout PaymentsView) async throws -> PaymentFilter? {
    let chosen = view.filter
    var filter = PaymentFilter(
      standing: chosen.state.flatMap { .init(rawValue: $0.rawValue) },
      product: chosen.product.flatMap { .init(rawValue: $0.rawValue) }, sku: chosen.sku,
      botID: chosen.botID, customerID: chosen.customer)
    if let choice = chosen.period.flatMap({ Period.Choice(rawValue: $0.rawValue) }) {
      let (from, to) = (Day(chosen.from), Day(chosen.to))
      if choice == .custom, chosen.from.isEmpty, chosen.to.isEmpty {
        view.problem = .undated
        return nil
      }
      guard (from != nil || chosen.from.isEmpty) && (to != nil || chosen.to.isEmpty) else {
        view.problem = .dates
        return nil
      }
      let today = Day(scope.now, in: workspace.timeZone)
      filter.paid = Period(choice, today: today, from: from, to: to).moments(in: workspace.timeZone)
    }
    if let id = chosen.customer {
      guard let customer = try await Customer.find(id: id, in: scope, platform.pool) else {
        throw Refusal.notFound
      }
      view.customer = CustomerLabel(customer)
    }
    if let telegramID = Int64(chosen.text), telegramID > 0 {
      let found = try await Customer.find(telegramID: telegramID, in: scope, platform.pool)
      guard let found else {
        view.problem = .nobody
        return nil
      }
      filter.customerID = found.id
      // Who is typed takes the place of whom the address named.
      if chosen.customer != nil {
        view.filter.customer = found.id
        view.customer = CustomerLabel(found)
      }
    } else if !chosen.text.isEmpty {
      filter.chargeID = chosen.text
    }
    return filter
  }
}
