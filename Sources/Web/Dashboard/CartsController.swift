import EStars
import Foundation

/// Abandoned carts: the list, what became of them, and the settings.
enum CartsController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    let settings = try await CartSettings.load(in: visit.scope, visit.platform.pool)
    return try await visit.page(try await view(visit, CartsView.Draft(settings)).render)
  }

  @Sendable static func update(_ visit: Visit) async throws -> Reply {
    let form = try visit.inbound.form()
    var draft = CartsView.Draft(
      minutes: visit.inbound.words(form["minutes"]), reminds: form["reminds"] == "1",
      discount: visit.inbound.words(form["discount"]), alerts: form["alerts"] == "1")
    let range = Limits.cartMinutes
    let minutes = Typed.whole(draft.minutes, range)
    if minutes == nil {
      draft.problems.append(
        FormProblem(field: "minutes", kind: .whole(min: range.lowerBound, max: range.upperBound)))
    }
    let discounts = try await CartSettings.discounts(in: visit.scope, visit.platform.pool)
    let known = try await CartSettings.load(in: visit.scope, visit.platform.pool)
    let percent = Int(draft.discount)
    if percent.map({ $0 != 0 && $0 != known.discountPercent && !discounts.contains($0) }) ?? true {
      draft.problems.append(FormProblem(field: "discount", kind: .gone))
    }
    guard draft.problems.isEmpty, let minutes, let percent else {
      var view = try await view(visit, draft)
      view.isOpen = true
      return try await visit.page(view.render, .unprocessableContent)
    }
    try await CartSettings(
      minutes: Int(minutes), reminds: draft.reminds, discountPercent: percent, alerts: draft.alerts
    ).keep(by: visit.actor, in: visit.scope, visit.platform.pool)
    return .seeOther(Links.carts(visit.workspace.slug))
  }

  private static func view(_ visit: Visit, _ draft: CartsView.Draft) async throws -> CartsView {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let cursor = visit.inbound.query["after"].flatMap(AbandonedCart.Cursor.init)
    var carts = try await AbandonedCart.recent(
      before: cursor, limit: Limits.pageSize + 1, in: scope, pool)
    let hasMore = carts.count > Limits.pageSize
    if hasMore { carts.removeLast() }
    let people = try await Customer.named(carts.map(\.customerID), in: scope, pool)
    return CartsView(
      recovery: CartsView.Recovery(try await CartRecovery.load(in: scope, pool)), draft: draft,
      discounts: try await CartSettings.discounts(in: scope, pool),
      alertChats: try await AlertChat.all(in: scope, pool).count,
      mayEdit: visit.membership.role >= .manager,
      rows: carts.map { CartsView.Row($0, people[$0.customerID]) },
      paging: Paging(
        nextCursor: hasMore ? carts.last.map { AbandonedCart.Cursor($0).text } : nil,
        isFirst: cursor == nil))
  }
}

extension CartsView.Draft {
  init(_ settings: CartSettings) {
    self.init(
      minutes: String(settings.minutes), reminds: settings.reminds,
      discount: String(settings.discountPercent), alerts: settings.alerts)
  }
}

extension CartsView.Recovery {
  init(_ recovery: CartRecovery) {
    self.init(
      days: CartRecovery.days, carts: recovery.carts, reminded: recovery.reminded,
      recovered: recovery.recovered, recoveredAfterReminder: recovery.recoveredAfterReminder,
      stars: recovery.stars)
  }
}

extension CartsView.Row {
  init(_ cart: AbandonedCart, _ customer: Customer?) {
    self.init(
      checkoutID: cart.checkoutID,
      customer: customer.map(CustomerLabel.init) ?? CustomerLabel(id: cart.customerID, name: ""),
      title: cart.title, stars: cart.stars, openedAt: cart.openedAt, noticedAt: cart.noticedAt,
      skip: cart.skip.flatMap { CartsView.Skip(rawValue: $0.rawValue) },
      reminder: cart.reminder.flatMap { MessageState(rawValue: $0.rawValue) },
      offeredStars: cart.offeredStars, recoveredAt: cart.recoveredAt,
      payment: cart.recoveredCharge.map { PaymentKey(botID: $0.botID, chargeID: $0.chargeID) })
  }
}
