import Foundation
import Ledger
import Postgres

/// Why a customer was not erased. Nothing was changed.
public enum EraseRefusal: Error, Sendable, Equatable {
  case notFound
  /// Telegram would go on taking Stars for it; it is to be cancelled first.
  case subscription(Int64)
  /// Telegram takes a refund by the buyer's id alone, so it is to be settled first.
  case refund(Int64)
}

/// What an erasure would forget, and what would be left behind.
public struct ErasurePreview: Sendable, Equatable {
  /// Messages of bots, support messages and notes whose words would go.
  public let messages: Int64
  public let supportCases: Int64
  public let openCheckouts: Int64
  /// Payments whose figures stay.
  public let payments: Int64
  /// Credits that nobody could use any more, of the first unit.
  public let credits: Int64
  public let refusal: EraseRefusal?

  public static func of(
    _ customer: Customer, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> ErasurePreview {
    let (workspace, id) = (scope.workspaceID, customer.id)
    return try await pool.transaction(in: scope) { tx in
      let row = try await tx.query(
        """
        select
          (select count(*) from outgoing_messages
            where workspace_id = \(workspace) and customer_id = \(id)) as messages,
          (select count(*) from support_cases
            where workspace_id = \(workspace) and customer_id = \(id)) as cases,
          (select count(*) from checkouts where workspace_id = \(workspace)
            and customer_id = \(id) and state in ('pending', 'validating', 'rejected')) as checkouts,
          (select count(*) from payments
            where workspace_id = \(workspace) and customer_id = \(id)) as payments,
          (select coalesce(max(balance), 0) from accounts
            where workspace_id = \(workspace) and account_id = \(id) and unit = 1) as credits
        """)[0]
      return ErasurePreview(
        messages: try row.get("messages"), supportCases: try row.get("cases"),
        openCheckouts: try row.get("checkouts"), payments: try row.get("payments"),
        credits: try row.get("credits"), refusal: try await tx.eraseRefusal(id, in: scope))
    }
  }
}

extension Customer {
  /// What stands where words were that had to be there.
  public static let erasedText = "–"

  /// Forgets who a customer is: names, Telegram id, and every word that was said to or about them.
  /// The ledger, payments and figures go on under the customer's number. A person who comes back is
  /// somebody new. Erasing somebody twice changes nothing.
  ///
  /// - Throws: ``EraseRefusal``
  public static func erase(
    _ id: Int64, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      // A refund that settles has its row before the customer's.
      try await tx.lockRefunds(of: id, in: scope)
      guard let customer = try await tx.lockedCustomer(id, in: scope) else {
        throw EraseRefusal.notFound
      }
      guard customer.erasedAt == nil else { return }
      // What the buyer says at this moment is heard before, and forgotten, or not at all.
      try await tx.lockSupport(of: id, in: scope)
      if let refusal = try await tx.eraseRefusal(id, in: scope) { throw refusal }
      try await tx.closeWhatIsOpen(of: customer, in: scope, at: scope.now)
      try await tx.forgetWords(about: customer, in: scope)
      try await tx.forgetTelegramID(of: customer, in: scope)
      // What bots are told of it names nobody.
      try await tx.closeSupportCases(of: customer, by: actor, in: scope, at: scope.now)
      try await tx.execute(
        """
        update customers set telegram_id = -customer_id, first_name = '', last_name = '',
          username = '', language_code = '', search_name = '', is_admin = false,
          erased_at = \(scope.now)
        where workspace_id = \(scope.workspaceID) and customer_id = \(id)
        """)
      _ = try await tx.query(
        "select customer_forget_reasons(\(id), \(String(customer.telegramID)))")
      // Who it was is nobody's business here either.
      try await tx.audit(
        actor, "customer.erased", "customer", String(id), in: scope, at: scope.now)
    }
  }
}

extension Transaction {
  fileprivate func lockRefunds(of id: Int64, in scope: WorkspaceScope) async throws {
    try await execute(
      """
      select from refunds where workspace_id = \(scope.workspaceID) and customer_id = \(id)
      order by refund_id for update
      """)
  }

  fileprivate func eraseRefusal(
    _ id: Int64, in scope: WorkspaceScope
  ) async throws -> EraseRefusal? {
    let subscription = try await query(
      """
      select subscription_id from subscriptions
      where workspace_id = \(scope.workspaceID) and customer_id = \(id)
        and state in ('active', 'grace')
        and (renewal in ('on', 'failed', 'allowed') or renewal_wish is not null)
      order by subscription_id limit 1
      """
    ).first
    if let subscription { return .subscription(try subscription.get("subscription_id")) }
    let refund = try await query(
      """
      select refund_id from refunds
      where workspace_id = \(scope.workspaceID) and customer_id = \(id)
        and state in ('requested', 'failed', 'approved', 'sending', 'unknown')
      order by refund_id limit 1
      """
    ).first
    return try refund.map { .refund(try $0.get("refund_id")) }
  }

  /// Nothing that waits may meet the person later on.
  fileprivate func closeWhatIsOpen(
    of customer: Customer, in scope: WorkspaceScope, at: Date
  ) async throws {
    let (workspace, id) = (scope.workspaceID, customer.id)
    try await execute(
      """
      update checkouts set state = 'cancelled', state_reason = 'called_off', state_at = \(at)
      where workspace_id = \(workspace) and customer_id = \(id)
        and state in ('pending', 'validating', 'rejected')
      """)
    try await execute(
      """
      update outgoing_messages set state = 'dropped', closed_at = \(at)
      where workspace_id = \(workspace) and customer_id = \(id) and state = 'due'
      """)
    try await execute(
      """
      update events set state = 'skipped', next_at = null
      where workspace_id = \(workspace) and customer_id = \(id) and state = 'pending'
      """)
  }

  fileprivate func closeSupportCases(
    of customer: Customer, by actor: Actor, in scope: WorkspaceScope, at: Date
  ) async throws {
    let open = try await query(
      """
      select \(SupportCase.columns) from support_cases s
      where s.workspace_id = \(scope.workspaceID) and s.customer_id = \(customer.id)
        and s.state <> 'closed'
      order by s.support_case_id for update of s
      """
    ).map(SupportCase.init)
    for supportCase in open { try await close(supportCase, by: actor, in: scope, at: at) }
  }

  fileprivate func forgetWords(about customer: Customer, in scope: WorkspaceScope) async throws {
    let (workspace, id, gone) = (scope.workspaceID, customer.id, Customer.erasedText)
    let statements: [SQL] = [
      """
      update outgoing_messages set body = \(gone), button_title = null, button_url = null
      where workspace_id = \(workspace) and customer_id = \(id)
      """,
      // Operators were told of a cart, perhaps with its owner's name.
      """
      update outgoing_messages set body = \(gone)
      where workspace_id = \(workspace) and kind = 'cart.alert' and customer_id is null
        and split_part(subject, ':', 1) in (
          select checkout_id::text from abandoned_carts
          where workspace_id = \(workspace) and customer_id = \(id))
      """,
      """
      update events set body = '{}' where workspace_id = \(workspace) and customer_id = \(id)
      """,
      """
      update support_messages set body = \(gone)
      where workspace_id = \(workspace) and support_case_id in (
        select support_case_id from support_cases
        where workspace_id = \(workspace) and customer_id = \(id))
      """,
      """
      update support_cases set subject = \(gone)
      where workspace_id = \(workspace) and customer_id = \(id)
      """,
      """
      update refunds set note = '', decision_note = '', buyer_message = '', proposed_by = null,
        proposed_at = null,
        notice_state = case when notice_state = 'due' then 'failed' else notice_state end
      where workspace_id = \(workspace) and customer_id = \(id)
      """,
      """
      update mismatches set note = '' where workspace_id = \(workspace) and customer_id = \(id)
      """,
    ]
    for statement in statements { try await execute(statement) }
  }

  /// Payloads are signed for the buyer's Telegram id, so they name it.
  fileprivate func forgetTelegramID(of customer: Customer, in scope: WorkspaceScope) async throws {
    let (workspace, id, telegramID) = (scope.workspaceID, customer.id, customer.telegramID)
    let statements: [SQL] = [
      """
      update checkouts set resume = null, payload = null, invoice_link = null, message_id = null
      where workspace_id = \(workspace) and customer_id = \(id)
      """,
      """
      update payments set invoice_payload = '', provider_charge_id = null
      where workspace_id = \(workspace) and customer_id = \(id)
      """,
      """
      update star_transactions set telegram_id = null, invoice_payload = null
      where workspace_id = \(workspace) and telegram_id = \(telegramID)
      """,
      """
      update updates set body = null, relay_queue = null, relay_at = null,
        relay_state = case when relay_state = 'due' then 'failed' else relay_state end
      where workspace_id = \(workspace) and state <> 'pending'
        and (relay_queue = \(telegramID) or payment_id in (
          select payment_id from payments
          where workspace_id = \(workspace) and customer_id = \(id)))
      """,
      "delete from staff where workspace_id = \(workspace) and telegram_id = \(telegramID)",
    ]
    for statement in statements { try await execute(statement) }
  }
}
