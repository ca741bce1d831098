import EStars
import Foundation
import HTTPTypes

/// Checkouts: the list, the page of one, and opening one for a customer.
enum CheckoutsController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let filter = CheckoutsView.Filter(rawValue: visit.inbound.query["state"] ?? "") ?? .open
    let before = visit.inbound.query["after"].flatMap { Int64($0) }
    var customer: Customer?
    if let id = visit.inbound.query["customer"].flatMap({ Int64($0) }) {
      customer = try await Customer.find(id: id, in: scope, pool)
      guard customer != nil else { throw Refusal.notFound }
    }
    var found = try await Checkout.recent(
      in: filter.states.compactMap { Checkout.State(rawValue: $0.rawValue) },
      customer: customer?.id, before: before, limit: Limits.pageSize + 1, in: scope, pool)
    let hasMore = found.count > Limits.pageSize
    if hasMore { found.removeLast() }
    let people = try await Customer.named(found.map(\.customerID), in: scope, pool)
    let view = CheckoutsView(
      filter: filter, customer: customer.map(CustomerLabel.init),
      rows: found.map { CheckoutRow($0, people[$0.customerID]) },
      paging: Paging(
        nextCursor: hasMore ? found.last.map { String($0.id) } : nil, isFirst: before == nil))
    return try await visit.page(view.render)
  }

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    try await visit.page(try await visit.checkoutView(try await visit.checkout()).render)
  }

  @Sendable static func new(_ visit: Visit) async throws -> Reply {
    let customer = try await visit.livingCustomer()
    let view = try await visit.newCheckoutView(customer, key: Checkout.newFormKey())
    return try await visit.page(view.render)
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let customer = try await visit.livingCustomer()
    let sent = try visit.inbound.form()
    let key = sent["form_key"] ?? ""
    guard key.wholeMatch(of: /form:[A-Za-z0-9_-]{24}/) != nil else {
      throw Refusal(.badRequest, "form_key", "Open the form anew and send that one.")
    }
    var view = try await visit.newCheckoutView(customer, key: key)
    view.item = sent["item"] ?? ""
    view.delivery = sent["delivery"] ?? "link"
    view.botID = sent["bot"].flatMap { Int64($0) } ?? view.bots.first?.id
    guard let item = CheckoutRequest.Item(view.item), view.offers(view.item) else {
      view.problem = .code(.gone)
      return try await visit.page(view.render, .unprocessableContent)
    }
    guard let delivery = Checkout.Delivery(rawValue: view.delivery),
      let bot = try await visit.seller(view.botID)
    else { throw Refusal.notFound }
    do {
      let opened = try await Checkout.open(
        CheckoutRequest(
          telegramID: customer.telegramID, item: item, delivery: delivery,
          openedBy: visit.actor, idempotencyKey: key),
        with: bot, in: visit.scope, visit.platform)
      return .seeOther(Links.checkout(visit.workspace.slug, opened.checkout.id))
    } catch let refusal as Checkout.Refusal {
      let status = view.take(refusal)
      return try await visit.page(view.render, status)
    } catch is Workspace.Suspended {
      view.problem = .code(.suspended)
      return try await visit.page(view.render, .conflict)
    }
  }
}

/// Calling a checkout off.
enum CheckoutCancellationController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let checkout = try await visit.checkout()
    let reason = visit.inbound.words(try visit.inbound.form()["reason"])
    let limit = EStars.Limits.noteCharacters
    let problem: FormProblem? =
      switch reason.unicodeScalars.count {
      case 0: FormProblem(field: "reason", kind: .missing)
      case 1...limit: nil
      default: FormProblem(field: "reason", kind: .tooLong(max: limit))
      }
    if checkout.state.isOpen, problem != nil {
      var view = try await visit.checkoutView(checkout)
      view.form = .init(reason: reason, problem: problem)
      return try await visit.page(view.render, .unprocessableContent)
    }
    do {
      try await Checkout.cancel(
        checkout.id, reason: reason, by: visit.actor, in: visit.scope, visit.platform.pool)
    } catch CheckoutCancelRefusal.closed(let now) where now.state != .cancelled {
      var view = try await visit.checkoutView(now)
      view.wasClosed = true
      return try await visit.page(view.render, .conflict)
    } catch CheckoutCancelRefusal.closed {
      // The same form sent twice, or two people who wanted the same.
    } catch CheckoutCancelRefusal.notFound {
      throw Refusal.notFound
    }
    return .seeOther(Links.checkout(visit.workspace.slug, checkout.id))
  }
}

extension Visit {
  /// The checkout in the path.
  fileprivate func checkout() async throws -> Checkout {
    guard
      let checkout = try await Checkout.find(
        id: inbound.id("checkout"), in: scope, platform.pool)
    else { throw Refusal.notFound }
    return checkout
  }

  fileprivate func checkoutView(_ checkout: Checkout) async throws -> CheckoutView {
    let pool = platform.pool
    guard let customer = try await Customer.find(id: checkout.customerID, in: scope, pool) else {
      throw Refusal.notFound
    }
    async let steps = checkout.history(in: scope, pool)
    async let audit = AuditEntry.about("checkout", String(checkout.id), in: scope, pool)
    let payments = try await checkout.payments(in: scope, pool)
    let payers = try await Customer.named(payments.map(\.customerID), in: scope, pool)
    let units = try await CreditUnit.all(in: scope, pool)
    let bot = try await platform.directory.bot(checkout.botID)
    let mayCancel = checkout.state.isOpen && membership.role >= .support
    return CheckoutView(
      row: CheckoutRow(checkout, customer), sku: checkout.sku, credits: checkout.credits,
      bonusCredits: checkout.bonusCredits, unit: units.label(of: checkout.creditUnit),
      period: checkout.periodSeconds.map(Duration.seconds),
      delivery: checkout.delivery == .link
        ? .link(checkout.invoiceLink) : .chat(checkout.messageID),
      openedBy: checkout.openedBy, botUsername: bot?.username ?? "",
      expiresAt: checkout.expiresAt, resume: checkout.resume,
      steps: try await steps.map(CheckoutView.Step.init),
      payments: payments.map { PaymentRow($0, payers[$0.customerID]) },
      form: mayCancel ? .init() : nil, audit: try await audit.map(PaymentView.AuditLine.init))
  }

  fileprivate func newCheckoutView(
    _ customer: Customer, key: String
  ) async throws -> NewCheckoutView {
    let catalog = try await Catalog.load(in: scope, platform.pool)
    let bots = try await Bot.all(in: scope, platform.pool).filter(\.isConnected)
    let packs = catalog.packs.filter { $0.isAvailable(to: customer) }.map {
      NewCheckoutView.Item(
        value: CheckoutRequest.Item.pack(
          sku: $0.baseSKU ?? $0.sku, discountPercent: $0.discountPercent
        ).text, title: $0.title, discountPercent: $0.discountPercent, stars: $0.stars)
    }
    let plans = catalog.plans.compactMap { plan in
      plan.stars.map {
        NewCheckoutView.Item(
          value: CheckoutRequest.Item.plan(plan.key).text, title: plan.title, isPlan: true,
          stars: $0)
      }
    }
    return NewCheckoutView(
      customer: CustomerLabel(customer), items: packs + plans,
      bots: bots.map { .init(id: $0.id, username: $0.username) }, key: key)
  }

  /// The bot that a form names; nil for one that is not the workspace's, or not connected any more.
  fileprivate func seller(_ id: Int64?) async throws -> Bot? {
    try await Bot.all(in: scope, platform.pool).first { $0.id == id && $0.isConnected }
  }
}

extension CheckoutState {
  init(_ state: Checkout.State) { self = CheckoutState(rawValue: state.rawValue) ?? .cancelled }
}

extension CheckoutView.Step {
  init(_ step: Checkout.Step) {
    self.init(state: CheckoutState(step.to), reason: step.reason, at: step.at)
  }
}

extension CheckoutRow {
  init(_ checkout: Checkout, _ customer: Customer?) {
    self.init(
      id: checkout.id,
      customer: customer.map(CustomerLabel.init)
        ?? CustomerLabel(id: checkout.customerID, name: ""),
      title: checkout.title, isPlan: checkout.product == .plan, stars: checkout.stars,
      discountPercent: checkout.discountPercent, state: CheckoutState(checkout.state),
      reason: checkout.stateReason, openedAt: checkout.createdAt, stateAt: checkout.stateAt)
  }
}

extension CheckoutRequest.Item {
  /// As a form names it.
  fileprivate var text: String {
    switch self {
    case .pack(let sku, let discountPercent): "pack:\(sku):\(discountPercent)"
    case .plan(let plan): "plan:\(plan)"
    }
  }

  fileprivate init?(_ text: String) {
    let parts = text.split(separator: ":").map(String.init)
    if parts.count == 3, parts[0] == "pack", let percent = Int(parts[2]) {
      self = .pack(sku: parts[1], discountPercent: percent)
    } else if parts.count == 2, parts[0] == "plan" {
      self = .plan(parts[1])
    } else {
      return nil
    }
  }
}

extension NewCheckoutView {
  fileprivate func offers(_ item: String) -> Bool { items.contains { $0.value == item } }

  /// Notes a refusal beside its field.
  fileprivate mutating func take(_ refusal: Checkout.Refusal) -> HTTPResponse.Status {
    switch refusal {
    case .unknownPack, .unknownPlan: problem = .code(.gone)
    case .notAvailable: problem = .code(.notAvailable)
    case .alreadySubscribed: problem = .code(.alreadySubscribed)
    case .tooManyPurchases: problem = .code(.tooManyPurchases)
    case .planNeedsLink: problem = .code(.planNeedsLink)
    case .beingSent: problem = .code(.beingSent)
    case .keyReused:
      // What was sent before under this key was something else.
      problem = .code(.used)
      key = Checkout.newFormKey()
      return .conflict
    case .unreachable:
      // That checkout is cancelled: another try is another one.
      problem = .code(.unreachable)
      key = Checkout.newFormKey()
      return .conflict
    case .telegram(let said), .telegramRefused(let said):
      problem = .telegram(said)
      return .badGateway
    }
    return .unprocessableContent
  }
}
