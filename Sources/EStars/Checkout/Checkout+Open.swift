import Foundation
import Ledger
import Postgres
import Telegram

/// A bot's wish to sell a pack to a customer.
public struct CheckoutRequest: Sendable, Equatable {
  public let telegramID: Int64
  public let sku: String
  public let discountPercent: Int
  public let resume: String?
  public let idempotencyKey: String

  public init(
    telegramID: Int64, sku: String, discountPercent: Int, resume: String?, idempotencyKey: String
  ) {
    self.telegramID = telegramID
    self.sku = sku
    self.discountPercent = discountPercent
    self.resume = resume
    self.idempotencyKey = idempotencyKey
  }

  /// With its bot: what one bot asked for, another one of the workspace never did.
  func fingerprint(of bot: Bot) -> Int64 {
    Bytes.fingerprint([
      "checkout", String(bot.id), String(telegramID), sku, String(discountPercent),
      resume ?? "\0none",
    ])
  }
}

public struct OpenedCheckout: Sendable {
  public let checkout: Checkout
  public let link: String
  public let isReplay: Bool
}

extension Checkout {
  public enum Refusal: Error, Equatable, Sendable {
    case unknownPack
    /// The pack is not for this customer (first purchase only, admins only).
    case notAvailable
    /// The key was used for another request.
    case keyReused
    /// Telegram did not make the link; nothing was sold, the same key may be tried again.
    case telegram(String)
    /// Telegram will not make it, however often it is asked (a revoked token, for one).
    case telegramRefused(String)
  }

  /// Opens a checkout and has Telegram make its link. Older open checkouts of the customer are
  /// cancelled. The row is written before Telegram is asked and the link after, so that a crash in
  /// between leaves an open checkout whose link the same key fetches.
  ///
  /// - Throws: ``Refusal``
  public static func open(
    _ request: CheckoutRequest, with bot: Bot, in scope: WorkspaceScope, _ platform: Platform
  ) async throws -> OpenedCheckout {
    let at = scope.now
    let catalog = try await Catalog.load(in: scope, platform.pool)
    let (checkout, isNew) = try await platform.pool.transaction(in: scope) { tx in
      try await tx.openCheckout(request, with: bot, catalog, platform.secrets, in: scope, at: at)
    }
    if let link = checkout.invoiceLink {
      return OpenedCheckout(checkout: checkout, link: link, isReplay: !isNew)
    }
    let link = try await checkout.makeLink(with: bot, platform)
    let stored = try await platform.pool.query(
      """
      update checkouts set invoice_link = coalesce(invoice_link, \(link))
      where workspace_id = \(scope.workspaceID) and checkout_id = \(checkout.id)
      returning *
      """, in: scope
    ).first.map(Checkout.init)
    return OpenedCheckout(
      checkout: stored ?? checkout, link: stored?.invoiceLink ?? link, isReplay: !isNew)
  }

  private func makeLink(with bot: Bot, _ platform: Platform) async throws -> String {
    do {
      return try await platform.telegram(for: bot).createInvoiceLink(
        InvoiceRequest(
          title: String(title.prefix(32)), description: String(description.prefix(255)),
          payload: payload ?? "", price: LabeledPrice(label: title, amount: stars)))
    } catch let error as TelegramError {
      throw error.isTransient
        ? Refusal.telegram(error.description) : Refusal.telegramRefused(error.description)
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
    guard let pack = catalog.pack(sku: request.sku, discountPercent: request.discountPercent)
    else { throw Checkout.Refusal.unknownPack }
    let customer = try await customer(
      telegramID: request.telegramID, name: nil, in: scope, at: at)
    guard pack.isAvailable(to: customer) else { throw Checkout.Refusal.notAvailable }
    // One at a time for a customer, or two new checkouts would not see each other.
    try await execute(
      """
      select from customers where workspace_id = \(scope.workspaceID)
        and customer_id = \(customer.id) for no key update
      """)
    try await execute(
      """
      update checkouts set state = 'cancelled', state_reason = 'newer_checkout', state_at = \(at)
      where workspace_id = \(scope.workspaceID) and customer_id = \(customer.id)
        and state in ('pending', 'validating', 'rejected')
      """)
    return (
      try await insertCheckout(request, pack, customer, bot, secrets, in: scope, at: at), true
    )
  }

  private func insertCheckout(
    _ request: CheckoutRequest, _ pack: Pack, _ customer: Customer, _ bot: Bot, _ secrets: Secrets,
    in scope: WorkspaceScope, at: Date
  ) async throws -> Checkout {
    let expiresAt = at.addingTimeInterval(Double(Limits.checkoutSeconds))
    let row = try await query(
      """
      insert into checkouts (workspace_id, bot_id, customer_id, sku, title, description,
        credit_unit, credits, bonus_credits, stars, credits_valid_days, resume, idempotency_key,
        fingerprint, created_at, expires_at)
      values (\(scope.workspaceID), \(bot.id), \(customer.id), \(pack.sku), \(pack.title),
        \(pack.description), \(pack.creditUnit), \(pack.credits), \(pack.bonusCredits), \(pack.stars),
        \(pack.creditsValidDays), \(request.resume), \(request.idempotencyKey),
        \(request.fingerprint(of: bot)), \(at), \(expiresAt))
      returning checkout_id
      """)[0]
    let checkoutID: Int64 = try row.get("checkout_id")
    for term in pack.entitlements {
      try await execute(
        """
        insert into checkout_entitlements (workspace_id, checkout_id, entitlement, days)
        values (\(scope.workspaceID), \(checkoutID), \(term.entitlement), \(term.days))
        """)
    }
    let payload = InvoicePayload(
      workspaceID: scope.workspaceID, checkoutID: checkoutID,
      buyerTelegramID: customer.telegramID, sku: pack.sku, stars: pack.stars,
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
