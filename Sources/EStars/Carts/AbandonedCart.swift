import Foundation
import Ledger
import Postgres

/// A checkout that stayed open for too long, and what came of it. One row per checkout, for ever.
public struct AbandonedCart: Sendable, Equatable {
  /// Why the buyer was not reminded.
  public enum Skip: String, Sendable, CaseIterable {
    case switchedOff = "switched_off"
    /// The buyer has paid since.
    case paidSince = "paid_since"
    /// The buyer was reminded of another cart within a day.
    case remindedLately = "reminded_lately"
    case newerCheckout = "newer_checkout"
    /// It is not sold to this buyer any more.
    case withdrawn
    /// Telegram did not make the link, or the bot could not reach the buyer.
    case notReached = "not_reached"
  }

  public let checkoutID: Int64
  public let customerID: Int64
  public let botID: Int64
  public let title: String
  public let stars: Int64
  public let openedAt: Date
  public let noticedAt: Date
  public let skip: Skip?
  public let remindedAt: Date?
  /// What the reminder asks for, where it has an invoice of its own.
  public let offeredStars: Int64?
  /// nil: no reminder was written.
  public let reminder: OutgoingMessage.State?
  public let recoveredAt: Date?
  /// The payment that recovered it.
  public let recoveredCharge: Charge?

  init(_ row: Row) throws {
    checkoutID = try row.get("checkout_id")
    customerID = try row.get("customer_id")
    botID = try row.get("bot_id")
    title = try row.get("title")
    stars = try row.get("stars")
    openedAt = try row.get("created_at")
    noticedAt = try row.get("noticed_at")
    skip = try row.getIfPresent("skipped", as: String.self).flatMap(Skip.init)
    remindedAt = try row.getIfPresent("reminded_at")
    offeredStars = try row.getIfPresent("offered_stars")
    reminder = try row.getIfPresent("reminder_state", as: String.self)
      .flatMap(OutgoingMessage.State.init)
    recoveredAt = try row.getIfPresent("recovered_at")
    let bot: Int64? = try row.getIfPresent("recovered_bot_id")
    recoveredCharge = try bot.map {
      Charge(botID: $0, chargeID: try row.get("recovered_charge_id"))
    }
  }

  /// A place in the list; it survives new ones arriving.
  public struct Cursor: Sendable, Equatable {
    let noticedAt: Date
    let checkoutID: Int64

    public var text: String {
      "\(Int64((noticedAt.timeIntervalSince1970 * 1e6).rounded()))-\(checkoutID)"
    }

    public init(_ cart: AbandonedCart) {
      noticedAt = cart.noticedAt
      checkoutID = cart.checkoutID
    }

    public init?(_ text: String) {
      let parts = text.split(separator: "-").compactMap { Int64($0) }
      guard parts.count == 2 else { return nil }
      noticedAt = Date(timeIntervalSince1970: Double(parts[0]) / 1e6)
      checkoutID = parts[1]
    }
  }

  /// Newest first, older than the cursor.
  public static func recent(
    before: Cursor?, limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [AbandonedCart] {
    let older: SQL =
      before.map { "and (a.noticed_at, a.checkout_id) < (\($0.noticedAt), \($0.checkoutID))" } ?? ""
    return try await pool.query(
      """
      select a.*, k.bot_id, k.title, k.stars, k.created_at, r.stars as offered_stars,
        m.state as reminder_state, p.bot_id as recovered_bot_id,
        p.charge_id as recovered_charge_id
      from abandoned_carts a
      join checkouts k on k.workspace_id = a.workspace_id and k.checkout_id = a.checkout_id
      left join checkouts r on r.workspace_id = a.workspace_id
        and r.checkout_id = a.reminder_checkout_id
      left join outgoing_messages m on m.workspace_id = a.workspace_id
        and m.kind = \(OutgoingMessage.Kind.cartReminder.rawValue)
        and m.subject = a.checkout_id::text
      left join payments p on p.workspace_id = a.workspace_id
        and p.payment_id = a.recovered_payment_id
      where a.workspace_id = \(scope.workspaceID) \(older)
      order by a.noticed_at desc, a.checkout_id desc limit \(limit)
      """, in: scope
    ).map(AbandonedCart.init)
  }
}

/// What abandoned carts came to in the last ``days``.
public struct CartRecovery: Sendable, Equatable {
  public static let days = 30
  /// Those whose buyers had not paid meanwhile.
  public let carts: Int64
  public let reminded: Int64
  public let recovered: Int64
  public let recoveredAfterReminder: Int64
  /// What the recovering payments brought.
  public let stars: Int64

  public init(
    carts: Int64, reminded: Int64, recovered: Int64, recoveredAfterReminder: Int64, stars: Int64
  ) {
    self.carts = carts
    self.reminded = reminded
    self.recovered = recovered
    self.recoveredAfterReminder = recoveredAfterReminder
    self.stars = stars
  }

  /// - Parameter noticed: When the carts were noticed; nil: in the last ``days``.
  public static func load(
    noticed: Range<Date>? = nil, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> CartRecovery {
    let from = noticed?.lowerBound ?? scope.now.addingTimeInterval(-Double(days) * 86_400)
    let until = noticed?.upperBound ?? .distantFuture
    let row = try await pool.query(
      """
      select count(*) as carts, count(a.reminded_at) as reminded,
        count(a.recovered_at) as recovered,
        count(*) filter (where a.recovered_at > a.reminded_at) as after_reminder,
        coalesce(sum(p.stars), 0)::bigint as stars
      from abandoned_carts a
      left join payments p on p.workspace_id = a.workspace_id
        and p.payment_id = a.recovered_payment_id
      where a.workspace_id = \(scope.workspaceID) and a.noticed_at >= \(from) and a.noticed_at < \(until)
        and a.skipped is distinct from \(AbandonedCart.Skip.paidSince.rawValue)
      """, in: scope)[0]
    return CartRecovery(
      carts: try row.get("carts"), reminded: try row.get("reminded"),
      recovered: try row.get("recovered"), recoveredAfterReminder: try row.get("after_reminder"),
      stars: try row.get("stars"))
  }
}

extension Transaction {
  /// Notes that a payment ended a cart: whatever its buyer paid within
  /// ``Limits/cartRecoverySeconds`` after it was noticed.
  func recoverCart(by payment: Payment, in scope: WorkspaceScope, at: Date) async throws {
    let since = at.addingTimeInterval(-Limits.cartRecoverySeconds)
    try await execute(
      """
      update abandoned_carts set recovered_payment_id = \(payment.id), recovered_at = \(at)
      where workspace_id = \(scope.workspaceID) and checkout_id = (
        select checkout_id from abandoned_carts
        where workspace_id = \(scope.workspaceID) and customer_id = \(payment.customerID)
          and recovered_at is null and noticed_at between \(since) and \(at)
          and skipped is distinct from \(AbandonedCart.Skip.paidSince.rawValue)
        order by \(payment.checkoutID)::bigint in (checkout_id, reminder_checkout_id) desc nulls last,
          noticed_at desc
        limit 1)
      """)
  }
}
