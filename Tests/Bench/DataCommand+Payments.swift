import EStars
import Foundation
import Postgres

extension DataCommand {
  func limit(_ workspace: Int64, _ pool: Pool) async throws {
    _ = try await pool.transaction(["estars.workspace_id": String(workspace)]) { tx in
      try await tx.execute(
        """
        insert into actions (workspace_id, action, title, price_credits, position)
        values (\(workspace), \(Self.limitedAction), 'Stem separation', 1, 1)
        """)
      try await tx.execute(
        """
        insert into action_tiers (workspace_id, action, tier, units_per_month)
        values (\(workspace), \(Self.limitedAction), 'free', 1000000000)
        """)
    }
  }

  /// One invoice a buyer, and the update that Telegram sends for it. It is paid as a subscription
  /// is, many times with a charge of its own each, so that a run does not run out of invoices.
  func writePayments(to bot: Bot, _ platform: Platform) async throws {
    let workspace = bot.workspaceID
    let invoices = try await platform.pool.transaction(["estars.workspace_id": String(workspace)]) {
      tx in
      try await tx.execute(
        """
        insert into customers (workspace_id, telegram_id, first_name, created_at, last_seen_at)
        select \(workspace)::bigint, \(Self.firstBuyer)::bigint + n, 'Buyer', now(), now()
        from generate_series(0, \(buyers - 1)::bigint) n
        """)
      return try await tx.query(
        """
        insert into checkouts (workspace_id, bot_id, customer_id, sku, title, description,
          credit_unit, credits, bonus_credits, stars, idempotency_key, fingerprint, created_at,
          expires_at)
        select workspace_id, \(bot.id)::bigint, customer_id, 'start', 'Start', '10 credits.', 1, 10,
          0, 75, 'bench-' || customer_id, 1, now(), now() + interval '1 day'
        from customers where workspace_id = \(workspace) and telegram_id >= \(Self.firstBuyer)
        returning checkout_id, (
          select telegram_id from customers c where c.workspace_id = checkouts.workspace_id
            and c.customer_id = checkouts.customer_id) as telegram_id
        """)
    }
    let lines = try invoices.map { row in
      let buyer: Int64 = try row.get("telegram_id")
      let payload = InvoicePayload(
        workspaceID: workspace, checkoutID: try row.get("checkout_id"), buyerTelegramID: buyer,
        sku: "start", stars: 75, expiresAt: Int64(Date().timeIntervalSince1970) + 86_400
      ).signed(platform.secrets)
      let person = #"{"id":\#(buyer),"is_bot":false,"first_name":"Buyer"}"#
      let payment = """
        {"currency":"XTR","total_amount":75,"invoice_payload":"\(payload)",\
        "telegram_payment_charge_id":"bench-##########","provider_payment_charge_id":"bench",\
        "is_recurring":true,"subscription_expiration_date":4000000000}
        """
      return """
        {"update_id":1##########,"message":{"message_id":1,"date":1795000000,"from":\(person),\
        "chat":{"id":\(buyer),"type":"private"},"successful_payment":\(payment)}}
        """
    }
    try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: payments))
  }
}
