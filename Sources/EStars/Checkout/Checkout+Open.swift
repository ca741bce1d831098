import Foundation
import Ledger
import Postgres
import Telegram

public struct OpenedCheckout: Sendable {
  public let checkout: Checkout
  /// nil for an invoice in the chat.
  public let link: String?
  public let isReplay: Bool
}

extension Checkout {
  public enum Refusal: Error, Equatable, Sendable {
    case unknownPack
    case unknownPlan
    /// The pack is not for this customer (first purchase only, admins only).
    case notAvailable
    /// The customer has the plan, and it renews by itself.
    case alreadySubscribed
    /// The customer bought ten times within the hour.
    case tooManyPurchases(retryAfterSeconds: Int)
    /// Telegram takes subscriptions by link alone.
    case planNeedsLink
    /// The key was used for another request.
    case keyReused
    /// The invoice cannot be put into the chat: the customer blocked the bot or never spoke to it.
    case unreachable(String)
    /// The same request puts the invoice into the chat just now.
    case beingSent
    /// Telegram did not do it; nothing was sold, the same key may be tried again.
    case telegram(String)
    /// Telegram will not do it, however often it is asked (a revoked token, for one).
    case telegramRefused(String)
  }

  /// Opens a checkout and has Telegram make its link or put its invoice into the chat. Older open
  /// checkouts of the customer are cancelled. The row is written before Telegram is asked and what
  /// Telegram said after, so that a crash in between leaves an open checkout which the same key
  /// completes.
  ///
  /// - Throws: ``Refusal``, ``Workspace/Suspended``
  public static func open(
    _ request: CheckoutRequest, with bot: Bot, in scope: WorkspaceScope, _ platform: Platform
  ) async throws -> OpenedCheckout {
    let at = scope.now
    let catalog = try await Catalog.load(in: scope, platform.pool)
    let (checkout, isNew) = try await platform.pool.transaction(in: scope) { tx in
      try await tx.openCheckout(request, with: bot, catalog, platform.secrets, in: scope, at: at)
    }
    switch checkout.delivery {
    case .link:
      let linked = try await checkout.linked(with: bot, in: scope, platform)
      return OpenedCheckout(checkout: linked, link: linked.invoiceLink, isReplay: !isNew)
    case .chat:
      let sent = try await checkout.sent(
        to: request.telegramID, with: bot, in: scope, platform)
      return OpenedCheckout(checkout: sent, link: nil, isReplay: !isNew)
    }
  }
}

extension Transaction {
  /// Finds the checkout of the key or writes a new one, in that order under the key's unique index.
  func openCheckout(
    _ request: CheckoutRequest, with bot: Bot, _ catalog: Catalog, _ secrets: Secrets,
    in scope: WorkspaceScope, at: Date
  ) async throws -> (Checkout, isNew: Bool) {
    let fingerprint = request.fingerprint(of: bot)
    let claimed = try await claimKey(
      request.idempotencyKey, operation: "checkout", fingerprint: fingerprint, in: scope, at: at)
    guard claimed else {
      let known = try await query(
        """
        select * from checkouts where workspace_id = \(scope.workspaceID)
          and idempotency_key = \(request.idempotencyKey)
        """
      ).first.map(Checkout.init)
      guard let known, known.fingerprint == fingerprint else {
        throw Checkout.Refusal.keyReused
      }
      return (known, false)
    }
    try await refuseWhileSuspended(in: scope)
    if case .plan = request.item, request.delivery == .chat {
      throw Checkout.Refusal.planNeedsLink
    }
    let customer = try await customer(
      telegramID: request.telegramID, name: nil, in: scope, at: at)
    let item = try await item(of: request, for: customer, catalog, with: bot, in: scope)
    // One at a time for a customer, or two new checkouts would not see each other.
    try await execute(
      """
      select from customers where workspace_id = \(scope.workspaceID)
        and customer_id = \(customer.id) for no key update
      """)
    try await refuseTooManyPurchases(by: customer, in: scope, at: at)
    try await execute(
      """
      update checkouts set state = 'cancelled', state_reason = 'newer_checkout', state_at = \(at)
      where workspace_id = \(scope.workspaceID) and customer_id = \(customer.id)
        and state in ('pending', 'validating', 'rejected')
      """)
    let checkout = try await insertCheckout(
      request, item, customer, bot, secrets, in: scope, at: at)
    if let actor = request.openedBy {
      try await audit(
        actor, "checkout.opened", "checkout", String(checkout.id),
        after: [
          "item": item.payloadSKU, "stars": String(item.stars),
          "delivery": request.delivery.rawValue,
        ], in: scope, at: at)
    }
    return (checkout, true)
  }

  /// What the invoice is to be in: the request's language, else the customer's, else the
  /// workspace's.
  private func language(
    of request: CheckoutRequest, for customer: Customer, in scope: WorkspaceScope
  ) async throws -> String {
    let known = [request.language, customer.languageCode].lazy.compactMap {
      $0.flatMap(PaywallText.tag)
    }.first
    if let known { return known }
    return try await query(
      "select locale from workspaces where workspace_id = \(scope.workspaceID)")[0].get("locale")
  }

  /// - Throws: ``Checkout/Refusal`` where there is nothing for this customer.
  private func item(
    of request: CheckoutRequest, for customer: Customer, _ catalog: Catalog, with bot: Bot,
    in scope: WorkspaceScope
  ) async throws -> CheckoutItem {
    let language = try await language(of: request, for: customer, in: scope)
    switch request.item {
    case .pack(let sku, let discountPercent):
      guard let pack = catalog.pack(sku: sku, discountPercent: discountPercent) else {
        throw Checkout.Refusal.unknownPack
      }
      guard pack.isAvailable(to: customer) else { throw Checkout.Refusal.notAvailable }
      return CheckoutItem(pack, in: language)
    case .plan(let key):
      guard let plan = catalog.plan(key),
        let item = CheckoutItem(
          plan, periodSeconds: bot.subscriptionPeriodSeconds, in: language)
      else { throw Checkout.Refusal.unknownPlan }
      let renewing = try await query(
        """
        select from subscriptions where workspace_id = \(scope.workspaceID)
          and customer_id = \(customer.id) and plan = \(key) and state = 'active'
          and renewal = 'on'
        """)
      guard renewing.isEmpty else { throw Checkout.Refusal.alreadySubscribed }
      return item
    }
  }

  private func refuseTooManyPurchases(
    by customer: Customer, in scope: WorkspaceScope, at: Date
  ) async throws {
    let tenth = try await query(
      """
      select paid_at from payments where workspace_id = \(scope.workspaceID)
        and customer_id = \(customer.id) and paid_at > \(at.addingTimeInterval(-3600))
        and (not is_recurring or is_first_recurring)
      order by paid_at desc offset \(Limits.purchasesPerHour - 1) limit 1
      """
    ).first?.get("paid_at", as: Date.self)
    guard let tenth else { return }
    throw Checkout.Refusal.tooManyPurchases(
      retryAfterSeconds: max(1, Int((tenth.timeIntervalSince(at) + 3600).rounded(.up))))
  }

  private func insertCheckout(
    _ request: CheckoutRequest, _ item: CheckoutItem, _ customer: Customer, _ bot: Bot,
    _ secrets: Secrets, in scope: WorkspaceScope, at: Date
  ) async throws -> Checkout {
    let expiresAt = at.addingTimeInterval(Double(request.validSeconds))
    let row = try await query(
      """
      insert into checkouts (workspace_id, bot_id, customer_id, product, sku, title, description,
        credit_unit, credits, bonus_credits, stars, credits_valid_days, discount_percent,
        period_seconds, delivery, opened_by, resume, idempotency_key, fingerprint, created_at,
        expires_at)
      values (\(scope.workspaceID), \(bot.id), \(customer.id), \(item.product.rawValue),
        \(item.sku), \(item.title), \(item.description), \(item.creditUnit), \(item.credits),
        \(item.bonusCredits), \(item.stars), \(item.creditsValidDays), \(item.discountPercent),
        \(item.periodSeconds), \(request.delivery.rawValue),
        \(request.openedBy?.name ?? "@\(bot.username)"), \(request.resume),
        \(request.idempotencyKey), \(request.fingerprint(of: bot)), \(at), \(expiresAt))
      returning checkout_id
      """)[0]
    let checkoutID: Int64 = try row.get("checkout_id")
    for term in item.entitlements {
      try await execute(
        """
        insert into checkout_entitlements (workspace_id, checkout_id, entitlement, days)
        values (\(scope.workspaceID), \(checkoutID), \(term.entitlement), \(term.days))
        """)
    }
    let payload = InvoicePayload(
      workspaceID: scope.workspaceID, checkoutID: checkoutID,
      buyerTelegramID: customer.telegramID, sku: item.payloadSKU, stars: item.stars,
      expiresAt: Int64(expiresAt.timeIntervalSince1970)
    ).signed(secrets)
    return try Checkout(
      try await query(
        """
        update checkouts set payload = \(payload)
        where workspace_id = \(scope.workspaceID) and checkout_id = \(checkoutID) returning *
        """)[0])
  }

  /// Takes an idempotency key for a write that is no posting.
  ///
  /// - Returns: true when the key was free; false when the same operation has it.
  /// - Throws: ``Checkout/Refusal/keyReused`` when another operation or a posting has it.
  func claimKey(
    _ key: String, operation: String, fingerprint: Int64, in scope: WorkspaceScope, at: Date
  ) async throws -> Bool {
    let inserted = try await execute(
      """
      insert into api_requests (workspace_id, idempotency_key, operation, fingerprint, created_at)
      select \(scope.workspaceID)::bigint, \(key), \(operation), \(fingerprint)::bigint,
        \(at)::timestamptz
      where not exists (select from entries where workspace_id = \(scope.workspaceID)
        and idempotency_key = \("api:" + key))
      on conflict do nothing
      """)
    if inserted == 1 { return true }
    let known = try await query(
      """
      select operation, fingerprint from api_requests
      where workspace_id = \(scope.workspaceID) and idempotency_key = \(key)
      """
    ).first
    guard let known, try known.get("operation", as: String.self) == operation,
      try known.get("fingerprint", as: Int64.self) == fingerprint
    else { throw Checkout.Refusal.keyReused }
    return false
  }
}
