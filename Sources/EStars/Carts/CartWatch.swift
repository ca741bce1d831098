import Foundation
import Ledger
import Logging
import Postgres
import Telegram

/// Notices abandoned carts, tells the operators and reminds the buyers, each once.
struct CartWatch: Sendable {
  let platform: Platform

  static let actor = Actor(.job, Job.Kind.cartsNotice.rawValue)

  /// The open checkouts that nobody has noticed, opened before a moment, the oldest first. What a
  /// job of ours offered is no cart: bots and operators alone have an @ in their names.
  ///
  /// - Parameter paying: What was accepted after it is being paid just now, and is left alone.
  static func unnoticed(
    openedBefore: Date, paying: Date, in scope: WorkspaceScope
  ) -> SQL {
    """
    select checkout_id, customer_id, created_at from checkouts
    where workspace_id = \(scope.workspaceID) and state in ('pending', 'validating', 'rejected')
      and not is_abandoned and created_at <= \(openedBefore)
      and (state <> 'validating' or state_at < \(paying))
      and (opened_by = '' or position('@' in opened_by) > 0)
    order by created_at limit \(Limits.cartsAtOnce)
    """
  }

  func notice(in scope: WorkspaceScope) async throws -> Job.Outcome {
    let settings = try await CartSettings.load(in: scope, platform.pool)
    let at = scope.now
    let found = try await platform.pool.query(
      Self.unnoticed(
        openedBefore: at.addingTimeInterval(-Double(settings.minutes) * 60),
        paying: at.addingTimeInterval(-Limits.payingSeconds), in: scope), in: scope)
    for row in found {
      let (checkout, customer) = (
        try row.get("checkout_id", as: Int64.self), try row.get("customer_id", as: Int64.self)
      )
      try await platform.pool.transaction(in: scope) { tx in
        try await tx.noticeCart(checkout, of: customer, settings, in: scope, at: at)
      }
    }
    if settings.alerts { try await alert(in: scope, at: at) }
    // Nothing is sold while the business is suspended: buyers are reminded when it goes on.
    let workspace = try await platform.directory.workspace(scope.workspaceID)
    let isDone =
      workspace?.isSuspended == true ? true : try await remind(settings, in: scope)
    return found.count < Limits.cartsAtOnce && isDone ? .done : .next
  }

  /// One alert for all that were noticed in this run. Where no chat is linked nothing is noted.
  private func alert(in scope: WorkspaceScope, at: Date) async throws {
    try await platform.pool.transaction(in: scope) { tx in
      let rows = try await tx.query(
        """
        select a.checkout_id, k.title, k.stars, k.created_at, c.first_name, c.last_name, c.username,
          c.telegram_id, c.customer_id
        from abandoned_carts a
        join checkouts k on k.workspace_id = a.workspace_id and k.checkout_id = a.checkout_id
        join customers c on c.workspace_id = a.workspace_id and c.customer_id = a.customer_id
        where a.workspace_id = \(scope.workspaceID) and a.alerted_at is null
          and a.noticed_at > \(at.addingTimeInterval(-Limits.cartAlertSeconds))
          and a.skipped is distinct from \(AbandonedCart.Skip.paidSince.rawValue)
        order by a.noticed_at, a.checkout_id limit \(Limits.cartsAtOnce)
        for update of a skip locked
        """)
      guard let first = rows.first, let last = rows.last else { return }
      let place = try await tx.query(
        "select name, locale from workspaces where workspace_id = \(scope.workspaceID)")[0]
      let words = CartWords(language: BuyerLanguage(of: nil, else: try place.get("locale")))
      let lines = try rows.map { row in
        let minutes = Int64(at.timeIntervalSince(try row.get("created_at")) / 60)
        return words.line(
          try Self.name(row), try row.get("title"), try row.get("stars"), minutes: minutes)
      }
      let ids = (
        try first.get("checkout_id", as: Int64.self), try last.get("checkout_id", as: Int64.self)
      )
      let told = try await tx.alert(
        .cartAlert, about: "\(ids.0)-\(ids.1)",
        words.alert(lines, in: try place.get("name")), in: scope, at: at)
      guard told > 0 else { return }
      try await tx.execute(
        """
        update abandoned_carts set alerted_at = \(at) where workspace_id = \(scope.workspaceID)
          and checkout_id = any(\(try rows.map { try $0.get("checkout_id", as: Int64.self) }))
        """)
    }
  }

  private static func name(_ row: Row) throws -> String {
    let name = [try row.get("first_name", as: String.self), try row.get("last_name")]
      .filter { !$0.isEmpty }.joined(separator: " ")
    if !name.isEmpty { return name }
    let username: String = try row.get("username")
    return username.isEmpty ? String(try row.get("telegram_id", as: Int64.self)) : "@\(username)"
  }
}

extension Transaction {
  /// Makes a cart of a checkout that is still open, and settles whether its buyer is to be reminded.
  fileprivate func noticeCart(
    _ checkoutID: Int64, of customerID: Int64, _ settings: CartSettings, in scope: WorkspaceScope,
    at: Date
  ) async throws {
    try await lockBuyer(customerID, in: scope)
    let row = try await query(
      """
      update checkouts set is_abandoned = true where workspace_id = \(scope.workspaceID)
        and checkout_id = \(checkoutID) and not is_abandoned
        and state in ('pending', 'validating', 'rejected')
      returning created_at
      """
    ).first
    guard let row else { return }
    var skip: AbandonedCart.Skip?
    if try await hasPaid(customerID, since: row.get("created_at"), in: scope) {
      skip = .paidSince
    } else if !settings.reminds {
      skip = .switchedOff
    } else if try await wasReminded(customerID, in: scope, at: at) {
      skip = .remindedLately
    }
    try await execute(
      """
      insert into abandoned_carts (workspace_id, checkout_id, customer_id, noticed_at, skipped)
      values (\(scope.workspaceID), \(checkoutID), \(customerID), \(at), \(skip?.rawValue))
      on conflict do nothing
      """)
  }

  /// One at a time about a buyer: payments and new checkouts take the same row.
  func lockBuyer(_ customerID: Int64, in scope: WorkspaceScope) async throws {
    try await execute(
      """
      select from customers where workspace_id = \(scope.workspaceID)
        and customer_id = \(customerID) for no key update
      """)
  }

  func hasPaid(
    _ customerID: Int64, since: Date, in scope: WorkspaceScope
  ) async throws -> Bool {
    // Telegram tells the second of a payment alone.
    try await !query(
      """
      select from payments where workspace_id = \(scope.workspaceID)
        and customer_id = \(customerID)
        and (paid_at > \(since) or recorded_at > \(since)) limit 1
      """
    ).isEmpty
  }

  func wasReminded(
    _ customerID: Int64, in scope: WorkspaceScope, at: Date
  ) async throws -> Bool {
    try await !query(
      """
      select from abandoned_carts where workspace_id = \(scope.workspaceID)
        and customer_id = \(customerID)
        and reminded_at > \(at.addingTimeInterval(-Limits.cartReminderPauseSeconds)) limit 1
      """
    ).isEmpty
  }
}
