import Foundation
import Ledger
import Logging
import Postgres
import Telegram

extension CartWatch {
  /// A cart whose buyer is to be reminded.
  private struct Waiting: Sendable {
    let checkout: Checkout
    let noticedAt: Date
    let telegramID: Int64
    let language: BuyerLanguage
  }

  /// What the reminder leads to.
  private struct Offer: Sendable {
    let link: String
    let stars: Int64
    /// The reminder's own invoice; nil = the one that was left.
    let checkoutID: Int64?
  }

  /// - Returns: false where the time was up before all of them were reminded.
  func remind(_ settings: CartSettings, in scope: WorkspaceScope) async throws -> Bool {
    let waiting = try await waiting(in: scope)
    let began = ContinuousClock.now
    for cart in waiting {
      guard ContinuousClock.now - began < .seconds(Limits.cartRunSeconds) else { return false }
      do {
        try await remind(cart, settings, in: scope)
      } catch let error as PostgresError where !error.isOutage {
        platform.logger.error(
          "a cart is left for the next round",
          metadata: ["cart": "\(cart.checkout.id)", "error": "\(error.withoutValues)"])
      }
    }
    return true
  }

  private func waiting(in scope: WorkspaceScope) async throws -> [Waiting] {
    // One that could not be reminded for so long has an invoice that has ended.
    let since = scope.now.addingTimeInterval(-Double(Limits.checkoutSeconds))
    return try await platform.pool.query(
      """
      select k.*, a.noticed_at, c.telegram_id, c.language_code, w.locale
      from abandoned_carts a
      join checkouts k on k.workspace_id = a.workspace_id and k.checkout_id = a.checkout_id
      join customers c on c.workspace_id = a.workspace_id and c.customer_id = a.customer_id
      join workspaces w on w.workspace_id = a.workspace_id
      where a.workspace_id = \(scope.workspaceID) and a.noticed_at > \(since)
        and a.skipped is null and a.reminded_at is null
      order by a.noticed_at, a.checkout_id limit \(Limits.cartsAtOnce)
      """, in: scope
    ).map { row in
      Waiting(
        checkout: try Checkout(row), noticedAt: try row.get("noticed_at"),
        telegramID: try row.get("telegram_id"),
        language: BuyerLanguage(of: try row.get("language_code"), else: try row.get("locale")))
    }
  }

  private func remind(
    _ cart: Waiting, _ settings: CartSettings, in scope: WorkspaceScope
  ) async throws {
    let checkout = cart.checkout
    guard let bot = try await platform.directory.bot(checkout.botID), bot.isConnected else {
      return try await skip(cart, .notReached, in: scope)
    }
    let early = try await platform.pool.transaction(in: scope) { tx in
      try await tx.skipReason(checkout, offered: nil, settings, in: scope, at: scope.now)
    }
    if let early { return try await skip(cart, early, in: scope) }
    let offer: Offer
    do {
      offer = try await self.offer(cart, settings, with: bot, in: scope)
    } catch let refusal as Checkout.Refusal {
      switch refusal {
      case .telegram, .beingSent: return  // Asked again in the next round.
      case .alreadySubscribed: return try await skip(cart, .paidSince, in: scope)
      case .unknownPack, .unknownPlan, .notAvailable:
        return try await skip(cart, .withdrawn, in: scope)
      default: return try await skip(cart, .notReached, in: scope)
      }
    }
    try await platform.pool.transaction(in: scope) { tx in
      try await tx.lockBuyer(checkout.customerID, in: scope)
      let at = scope.now
      if let late = try await tx.skipReason(
        checkout, offered: offer.checkoutID, settings, in: scope, at: at)
      {
        return try await tx.skipCart(checkout.id, late, in: scope)
      }
      try await tx.sayReminder(
        of: checkout, offer.stars, offer.link, cart.language, in: scope, at: at)
      try await tx.execute(
        """
        update abandoned_carts set reminded_at = \(at), reminder_checkout_id = \(offer.checkoutID)
        where workspace_id = \(scope.workspaceID) and checkout_id = \(checkout.id)
        """)
      // The reminder's own invoice is no new cart.
      try await tx.execute(
        """
        update checkouts set is_abandoned = true where workspace_id = \(scope.workspaceID)
          and checkout_id = \(offer.checkoutID)
        """)
    }
  }

  /// The invoice that was left, or a new one where that one has no link or may be had for less.
  private func offer(
    _ cart: Waiting, _ settings: CartSettings, with bot: Bot, in scope: WorkspaceScope
  ) async throws -> Offer {
    let checkout = cart.checkout
    let catalog = try await Catalog.load(in: scope, platform.pool)
    let sold = catalog.pack(sku: checkout.sku)
    let base = sold?.baseSKU ?? checkout.sku
    let percent = settings.discountPercent
    let cheaper =
      checkout.product == .pack && percent > (sold?.discountPercent ?? 0)
      ? catalog.pack(sku: base, discountPercent: percent) : nil
    if cheaper.map({ $0.stars >= checkout.stars }) ?? true, let link = checkout.invoiceLink {
      return Offer(link: link, stars: checkout.stars, checkoutID: nil)
    }
    let opened = try await Checkout.open(
      CheckoutRequest(
        telegramID: cart.telegramID,
        item: checkout.product == .plan
          ? .plan(checkout.sku)
          : .pack(
            sku: base,
            discountPercent: cheaper?.discountPercent ?? sold?.discountPercent ?? 0),
        resume: checkout.resume, openedBy: Self.actor,
        idempotencyKey: Job.key(.cartsNotice, String(checkout.id))),
      with: bot, in: scope, platform)
    guard let link = opened.link else { throw Checkout.Refusal.beingSent }
    return Offer(link: link, stars: opened.checkout.stars, checkoutID: opened.checkout.id)
  }

  private func skip(
    _ cart: Waiting, _ reason: AbandonedCart.Skip, in scope: WorkspaceScope
  ) async throws {
    try await platform.pool.transaction(in: scope) { tx in
      try await tx.skipCart(cart.checkout.id, reason, in: scope)
    }
  }
}

extension Transaction {
  fileprivate func sayReminder(
    of checkout: Checkout, _ stars: Int64, _ link: String, _ language: BuyerLanguage,
    in scope: WorkspaceScope, at: Date
  ) async throws {
    let words = CartWords(language: language)
    try await say(
      .cartReminder, about: String(checkout.id), to: checkout.customerID, botID: checkout.botID,
      words.reminder(checkout.title, stars: checkout.stars, now: stars),
      button: .init(title: words.pay(stars), url: link), in: scope, at: at)
  }

  /// Why the buyer of a cart is not reminded after all; nil = is.
  ///
  /// - Parameter offered: The reminder's own checkout, whose opening closed the one that was left.
  fileprivate func skipReason(
    _ checkout: Checkout, offered: Int64?, _ settings: CartSettings, in scope: WorkspaceScope,
    at: Date
  ) async throws -> AbandonedCart.Skip? {
    if try await hasPaid(checkout.customerID, since: checkout.createdAt, in: scope) {
      return .paidSince
    }
    guard settings.reminds else { return .switchedOff }
    if try await wasReminded(checkout.customerID, in: scope, at: at) { return .remindedLately }
    let state = try await query(
      """
      select state from checkouts where workspace_id = \(scope.workspaceID)
        and checkout_id = \(offered ?? checkout.id)
      """
    ).first?.get("state", as: String.self)
    switch state.flatMap(Checkout.State.init) {
    case .pending?, .validating?, .rejected?: return nil
    case .processing?, .completed?, .failed?: return .paidSince
    case .cancelled?: return .newerCheckout
    case .expired?, nil: return .notReached
    }
  }

  fileprivate func skipCart(
    _ checkoutID: Int64, _ reason: AbandonedCart.Skip, in scope: WorkspaceScope
  ) async throws {
    try await execute(
      """
      update abandoned_carts set skipped = \(reason.rawValue)
      where workspace_id = \(scope.workspaceID) and checkout_id = \(checkoutID)
        and reminded_at is null
      """)
  }
}

extension OutgoingMessage {
  /// Whether there is still a use in a reminder: its buyer may have paid, or gone on, since it was
  /// written.
  func isReminderWanted(in scope: WorkspaceScope, _ pool: Pool) async throws -> Bool {
    try await !pool.query(
      """
      select from abandoned_carts a
      join checkouts k on k.workspace_id = a.workspace_id
        and k.checkout_id = coalesce(a.reminder_checkout_id, a.checkout_id)
      join checkouts l on l.workspace_id = a.workspace_id and l.checkout_id = a.checkout_id
      where a.workspace_id = \(scope.workspaceID) and a.checkout_id = \(Int64(subject) ?? 0)
        and k.state in ('pending', 'validating', 'rejected')
        and not exists (select from payments p where p.workspace_id = a.workspace_id
          and p.customer_id = a.customer_id
          and (p.paid_at > l.created_at or p.recorded_at > l.created_at))
      """, in: scope
    ).isEmpty
  }

  /// A reminder that was not said is none.
  func reminderWasDropped(in scope: WorkspaceScope, _ pool: Pool) async throws {
    try await pool.execute(
      """
      update abandoned_carts a set reminded_at = null, skipped = case
        when exists (select from payments p join checkouts l on l.workspace_id = p.workspace_id
            and l.checkout_id = a.checkout_id
          where p.workspace_id = a.workspace_id and p.customer_id = a.customer_id
            and (p.paid_at > l.created_at or p.recorded_at > l.created_at))
        then \(AbandonedCart.Skip.paidSince.rawValue)
        else \(AbandonedCart.Skip.newerCheckout.rawValue) end
      where a.workspace_id = \(scope.workspaceID) and a.checkout_id = \(Int64(subject) ?? 0)
      """, in: scope)
  }
}
