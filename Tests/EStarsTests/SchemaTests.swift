@_spi(Guard) @testable import EStars
import Foundation
@_spi(Guard) import Ledger
import Postgres
import Telegram
import TestSupport
import Testing

/// The rules that every table keeps, read from Postgres' own catalogue, so that a new table cannot
/// forget them.
@Suite struct SchemaTests {
  /// Read before a workspace is known. Every other table belongs to one workspace.
  static let directory: Set<String> = [
    "workspaces", "operators", "memberships", "sessions", "invitations", "api_keys", "bots",
    "applications", "application_messages", "invitation_codes", "admin_audit_entries",
    "admin_visits", "expansion_requests", "jobs", "throttles", "recovery_codes", "reset_links",
    "schema_migrations",
  ]

  static func tenantTables(_ pool: Pool) async throws -> [String] {
    try await pool.query(
      """
      select c.relname::text as name from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      order by 1
      """
    ).map { try $0.get("name") }.filter { !directory.contains($0) && !$0.hasPrefix("schema_") }
  }

  @Test func everyKeyOfATenantTableStartsWithItsWorkspace() async throws {
    try await Fixture.with { fixture in
      let tables = try await Self.tenantTables(fixture.database.superPool)
      #expect(tables.count >= 17)
      for table in tables {
        let keys = try await fixture.database.superPool.query(
          """
          select conname::text as name, a.attname::text as first from pg_constraint
          join pg_attribute a on a.attrelid = conrelid and a.attnum = conkey[1]
          where conrelid = \("public." + table)::regclass and contype in ('p', 'u', 'f')
          union all
          select i.indexrelid::regclass::text, a.attname::text from pg_index i
          join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
          where i.indrelid = \("public." + table)::regclass
          """)
        #expect(!keys.isEmpty, "\(table) has no key")
        for key in keys {
          let (name, first) = (
            try key.get("name", as: String.self), try key.get("first", as: String.self)
          )
          #expect(first == "workspace_id", "\(name) of \(table)")
        }
      }
    }
  }

  @Test func everyTenantTableIsProtectedByForcedRowSecurity() async throws {
    try await Fixture.with { fixture in
      for table in try await Self.tenantTables(fixture.database.superPool) {
        let row = try await fixture.database.superPool.query(
          """
          select relrowsecurity and relforcerowsecurity as forced,
            exists (select from pg_policy where polrelid = c.oid and polname = 'tenant') as has_policy
          from pg_class c where c.oid = \("public." + table)::regclass
          """)[0]
        #expect(try row.get("forced", as: Bool.self), "\(table) is not forced")
        #expect(try row.get("has_policy", as: Bool.self), "\(table) has no policy")
      }
    }
  }

  @Test func theAppOwnsNothingAndCannotPassByRowSecurity() async throws {
    try await Fixture.with { fixture in
      let row = try await fixture.database.superPool.query(
        """
        select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb as strong,
          (select count(*) from pg_class where relowner = r.oid) as owned,
          (select count(*) from pg_proc where proowner = r.oid) as functions
        from pg_roles r where rolname = 'estars_app'
        """)[0]
      #expect(try !row.get("strong", as: Bool.self))
      #expect(try row.get("owned", as: Int.self) == 0)
      #expect(try row.get("functions", as: Int.self) == 0)
    }
  }
}

/// One workspace asks for another's rows through every table and every function.
@Suite struct IsolationTests {
  @Test func noRowOfAnotherWorkspaceComesThroughAnyTable() async throws {
    try await Fixture.with { fixture in
      let other = try await fixture.seedBothSides()
      for table in try await SchemaTests.tenantTables(fixture.database.superPool) {
        for (own, foreign) in [(fixture.workspace, other), (other, fixture.workspace)] {
          let stored = try await fixture.database.superPool.query(
            """
            select count(*) as count from \(unsafe: table) where workspace_id = \(foreign.id)
            """)[0].get("count", as: Int.self)
          #expect(stored > 0, "\(table) was not seeded")
          let scope = WorkspaceScope(workspaceID: own.id)
          let mine = try await fixture.pool.query(
            "select count(*) as count from \(unsafe: table)", in: scope)[0]
            .get("count", as: Int.self)
          let theirs = try await fixture.pool.query(
            """
            select count(*) as count from \(unsafe: table) where workspace_id = \(foreign.id)
            """, in: scope)[0].get("count", as: Int.self)
          #expect(mine > 0 && theirs == 0, "\(table): \(mine) own rows, \(theirs) foreign ones")
          try await fixture.expectNoWrite(table, of: foreign, in: scope)
        }
        let unset = try await fixture.pool.query(
          "select count(*) as count from \(unsafe: table)")[0].get("count", as: Int.self)
        #expect(unset == 0, "\(table) shows \(unset) rows without a workspace")
      }
    }
  }

  @Test func noFunctionOfTheLedgerActsForAnotherWorkspace() async throws {
    try await Fixture.with { fixture in
      let other = try await fixture.seedBothSides()
      let functions = try await fixture.database.superPool.query(
        """
        select p.oid::regprocedure::text as signature, p.proname::text as name,
          array(select format_type(t, null) from unnest(p.proargtypes) with ordinality u(t, n)
            order by n)::text[] as types
        from pg_proc p where p.pronamespace = 'public'::regnamespace
          and has_function_privilege('estars_app', p.oid, 'execute')
          and (p.proname like 'ledger%' or p.proname like 'usage%') order by 1
        """)
      #expect(functions.count >= 12)
      for function in functions {
        let types = try function.get("types", as: [String].self)
        let name = try function.get("name", as: String.self)
        let signature = try function.get("signature", as: String.self)
        guard types.first == "bigint" else {
          Issue.record("\(signature) does not take the workspace first")
          continue
        }
        let rest = types.dropFirst().map { ", null::\($0)" }.joined()
        await expectNoPrivilege(signature) {
          try await fixture.pool.query(
            "select * from \(unsafe: name)(\(other.id)\(unsafe: rest))", in: fixture.scope)
        }
        // Without any workspace set it refuses as well.
        await expectNoPrivilege(signature) {
          try await fixture.pool.query(
            "select * from \(unsafe: name)(\(other.id)\(unsafe: rest))")
        }
      }
    }
  }

  private func expectNoPrivilege(
    _ what: String, _ work: () async throws -> [Row]
  ) async {
    do {
      _ = try await work()
      Issue.record("\(what) answered")
    } catch let error as PostgresError {
      #expect(error.sqlState == .insufficientPrivilege, "\(what): \(error)")
    } catch { Issue.record("\(what): \(error)") }
  }

  @Test func theLookupByNameStaysInItsWorkspace() async throws {
    try await Fixture.with { fixture in
      let other = try await fixture.seedBothSides()
      for call: SQL in ["customers_beginning('a', 100)", "customers_containing('{%nn%}', 100)"] {
        let found = try await fixture.pool.query(
          "select workspace_id from \(call)", in: fixture.scope)
        #expect(!found.isEmpty)
        #expect(try found.allSatisfy { try $0.get("workspace_id", as: Int64.self) != other.id })
        #expect(try await fixture.pool.query("select * from \(call)").isEmpty)
      }
      let spelled: SQL = "customer_spellings('{ann}', 9)"
      let own = try await fixture.pool.query("select * from \(spelled)", in: fixture.scope)
      #expect(own.count == 1)
      #expect(try await fixture.pool.query("select * from \(spelled)").isEmpty)
    }
  }
}

extension Fixture {
  /// Gives both sides rows in every tenant table, through the product's own functions.
  ///
  /// - Returns: The other side.
  func seedBothSides() async throws -> Workspace {
    let liveBot = try await Bot.register(
      token: "7000000009:AAOtherOtherOtherOtherOtherOtherOth", username: "other_bot",
      name: "Other", segment: .aiBot, endpoint: .live, in: live,
      at: Date(), platform)
    try await Fixture(
      database: database, platform: platform, live: live, workspace: workspace, bot: bot
    ).seed()
    try await Fixture(
      database: database, platform: platform, live: workspace, workspace: live, bot: liveBot
    ).seed()
    return live
  }

  private func seed() async throws {
    let kept = try await checkout("pro", for: 501)
    _ = try await receive(
      Sent.payment(update: 1, from: 501, stars: 500, payload: kept.payload ?? "", charge: "kept"))
    let returned = try await checkout("start", for: 501)
    _ = try await receive(
      Sent.payment(
        update: 2, from: 501, stars: 75, payload: returned.payload ?? "", charge: "returned"))
    _ = try await receive(
      Sent.refund(
        update: 3, payer: 501, stars: 75, payload: returned.payload ?? "", charge: "returned"))
    guard let customer = try await Customer.find(telegramID: 501, in: scope, pool) else {
      Issue.record("the customer was not made")
      return
    }
    try await pool.transaction(in: scope) { tx in
      _ = try await tx.hold(
        Debit(3, key: "api:hold", action: "sticker"), from: Account(customer.id),
        until: scope.now.addingTimeInterval(600), in: scope, at: scope.now)
    }
    try await Worker(platform: platform).verifyLedger(in: scope)
    try await seedUsage(customer.id)
    try await seedSelling(customer.id, kept.id)
    try await seedSubscription(customer.id)
    try await seedDesk(customer.id)
  }

  private func seedDesk(_ customer: Int64) async throws {
    let (workspace, bot) = (scope.workspaceID, bot.id)
    let day: SQL = "'2026-01-01'"
    let statements: [SQL] = [
      "insert into refund_policies (workspace_id) values (\(workspace))",
      """
      insert into support_cases (workspace_id, bot_id, customer_id, topic, subject, source,
        opened_at, waits_since, last_message_at)
      values (\(workspace), \(bot), \(customer), 'other', 'Seeded', 'buyer', now(), now(), now())
      """,
      """
      insert into support_messages (workspace_id, support_case_id, author_kind, body, at)
      select workspace_id, support_case_id, 'buyer', 'Hello', now() from support_cases
      """,
      """
      insert into reply_templates (workspace_id, reply_template, language, title, body)
      values (\(workspace), 'hello', 'en', 'Hello', 'Hello.')
      """,
      "insert into alert_rules (workspace_id, alert_kind) values (\(workspace), 'seeded')",
      """
      insert into alerts (workspace_id, alert_kind, opened_at, last_seen_at)
      values (\(workspace), 'seeded', now(), now())
      """,
      """
      insert into action_costs (workspace_id, action, since, unit_cost_micros, cost_currency)
      values (\(workspace), 'sticker', '2026-01-01', 1, 'BRL') on conflict do nothing
      """,
      "insert into traffic_sources (workspace_id, source) values (\(workspace), 'seeded')",
      """
      insert into rollup_marks (workspace_id, feed) values (\(workspace), 'entries')
      on conflict do nothing
      """,
      """
      insert into credit_days (workspace_id, day, unit, kind, source, credits, entries)
      values (\(workspace), \(day), 9, 'credit', 'promo', 1, 1)
      """,
      """
      insert into usage_days (workspace_id, day, bot_id, action, unit, uses, units, credits,
        stars_micros, cost_currency, cost_micros)
      values (\(workspace), \(day), 0, 'sticker', 9, 1, 1, 1, 1, 'BRL', 1)
      """,
      """
      insert into sale_days (workspace_id, day, bot_id, product, sku, payments, stars,
        first_purchases, refunds, stars_refunded)
      values (\(workspace), \(day), 0, 'pack', 'seeded', 1, 1, 1, 0, 0)
      """,
      """
      insert into checkout_days (workspace_id, day, bot_id, product, sku, state, reason, checkouts)
      values (\(workspace), \(day), 0, 'pack', 'seeded', 'completed', 'paid', 1)
      """,
      """
      insert into subscription_days (workspace_id, day, plan, active, mrr_stars, started, renewed,
        churned, trials_started, trials_converted)
      values (\(workspace), \(day), 'seeded', 0, 0, 0, 0, 0, 0, 0)
      """,
      """
      insert into customer_days (workspace_id, day, customer_id)
      values (\(workspace), \(day), \(customer))
      """,
      """
      insert into newcomer_days (workspace_id, day, customers) values (\(workspace), \(day), 1)
      """,
      "insert into hours (workspace_id, hour) values (\(workspace), '2026-01-01 00:00Z')",
      """
      insert into customer_tops (workspace_id, days, measure, rank, customer_id, amount, counted_at)
      values (\(workspace), 7, 'net_stars', 1, \(customer), 1, now())
      """,
      """
      insert into drill_runs (workspace_id, bot_id, asked_by, asked_at)
      values (\(workspace), \(bot), 'o', now())
      """,
      """
      insert into drills (workspace_id, drill_run_id, drill)
      select workspace_id, drill_run_id, 'bot_mapped' from drill_runs
      """,
    ]
    for statement in statements { try await pool.execute(statement, in: scope) }
  }

  private func seedUsage(_ customer: Int64) async throws {
    let (workspace, bot) = (scope.workspaceID, bot.id)
    let statements: [SQL] = [
      """
      insert into action_tiers (workspace_id, action, tier, units_per_day)
      values (\(workspace), 'sticker', 'free', 3)
      """,
      """
      insert into trial_grants (workspace_id, bot_id, customer_id, idempotency_key, fingerprint,
        engagement, intent, source, is_paid_source, score, min_score, balance, held, given_today,
        daily_limit, outcome, credits, created_at)
      values (\(workspace), \(bot), \(customer), 'trial', 1, 5, 5, '', false, 10, 12, 0, 0, 0, 20,
        'score_too_low', 0, now())
      """,
      "insert into trial_days (workspace_id, day, credits) values (\(workspace), '2026-01-01', 1)",
      """
      insert into paywall_texts (workspace_id, state, language, body)
      values (\(workspace), 'wait_buy_credit', 'en', 'Buy credits.')
      """,
      """
      insert into credit_grants (workspace_id, customer_id, credit_unit, source, credits, reason,
        form_key, granted_by, created_at)
      values (\(workspace), \(customer), 1, 'promo', 1, 'r', 'form-key', 'o', now())
      """,
      """
      insert into bot_replies (workspace_id, bot_id, command, language, body)
      values (\(workspace), \(bot), 'terms', 'en', 'Terms.')
      """,
    ]
    for statement in statements { try await pool.execute(statement, in: scope) }
    let event = try await pool.query(
      """
      insert into events (workspace_id, bot_id, customer_id, kind, body, next_at, created_at)
      values (\(workspace), \(bot), \(customer), 'payment.completed', '{}', now(), now())
      returning event_id
      """, in: scope)[0].get("event_id", as: Int64.self)
    try await pool.execute(
      """
      insert into event_deliveries (workspace_id, event_id, attempt, at, duration_ms)
      values (\(workspace), \(event), 1, now(), 1)
      """, in: scope)
    // Only the functions move a counter or a hold.
    try await database.superPool.execute(
      """
      insert into usage_holds (workspace_id, bot_id, customer_id, action, credit_unit, units,
        price_credits, free_units, credits, is_unmetered, idempotency_key, fingerprint, balance,
        created_at, expires_at)
      values (\(workspace), \(bot), \(customer), 'sticker', 1, 3, 1, 0, 3, false, 'hold', 1, 1,
        now(), now() + interval '1 hour')
      """)
    try await database.superPool.execute(
      """
      insert into usage_counters (workspace_id, customer_id, action, period, starts_on, units)
      values (\(workspace), \(customer), 'sticker', 'lifetime', '-infinity', 1)
      """)
  }

  private func seedSelling(_ customer: Int64, _ checkout: Int64) async throws {
    let (workspace, bot) = (scope.workspaceID, bot.id)
    let statements: [SQL] = [
      "insert into staff (workspace_id, telegram_id, added_at) values (\(workspace), 501, now())",
      """
      insert into pack_names (workspace_id, sku, language, title, description)
      values (\(workspace), 'pro', 'de', 'Profi', 'Hundert.')
      """,
      """
      insert into plans (workspace_id, plan, title, description, kind, tier, stars,
        credits_per_cycle, position, created_at)
      values (\(workspace), 'monthly', 'Monthly', 'Monthly.', 'recurring', 'free', 200, 50, 0, now())
      """,
      """
      insert into plan_entitlements (workspace_id, plan, entitlement)
      select workspace_id, 'monthly', entitlement from entitlements order by entitlement limit 1
      """,
      """
      insert into plan_names (workspace_id, plan, language, title, description)
      values (\(workspace), 'monthly', 'de', 'Monat', 'Monat.')
      """,
      """
      insert into outgoing_messages (workspace_id, bot_id, kind, subject, customer_id, body,
        created_at)
      values (\(workspace), \(bot), 'seeded', 'seeded', \(customer), 'Hello', now())
      """,
      """
      insert into alert_chats (workspace_id, bot_id, chat_id, linked_by, linked_at)
      values (\(workspace), \(bot), 1, 'o', now())
      """,
      """
      insert into alert_codes (workspace_id, code_hash, bot_id, made_by, expires_at)
      values (\(workspace), sha256('code'), \(bot), 'o', now())
      """,
      """
      insert into pre_checkout_queries (workspace_id, bot_id, query_id, checkout_id, at)
      values (\(workspace), \(bot), 'seeded', \(checkout), now())
      """,
      """
      insert into abandoned_carts (workspace_id, checkout_id, customer_id, noticed_at)
      values (\(workspace), \(checkout), \(customer), now())
      """,
      """
      insert into star_transactions (workspace_id, bot_id, transaction_id, direction, position, stars,
        partner, at, first_seen_at)
      values (\(workspace), \(bot), 'kept', 'incoming', 0, 500, 'user', now(), now())
      """,
      """
      insert into reconciliations (workspace_id, bot_id, asked_by, asked_at)
      values (\(workspace), \(bot), 'o', now())
      """,
      """
      insert into mismatches (workspace_id, bot_id, transaction_id, direction, kind, stars, found_at)
      values (\(workspace), \(bot), 'seeded', 'incoming', 'unknown_partner', 5, now())
      """,
    ]
    for statement in statements { try await pool.execute(statement, in: scope) }
  }

  private func seedSubscription(_ customer: Int64) async throws {
    let (workspace, bot) = (scope.workspaceID, bot.id)
    let statements: [SQL] = [
      """
      insert into subscriptions (workspace_id, bot_id, customer_id, plan, state, renewal, stars,
        credit_unit, rollover_cap_credits, grace_days, started_at, period_started_at,
        period_ends_at)
      values (\(workspace), \(bot), \(customer), 'monthly', 'active', 'on', 200, 1, 0, 7, now(), now(),
        now() + interval '30 days')
      """,
      """
      insert into subscription_cycles (workspace_id, subscription_id, cycle, starts_at, ends_at,
        credits)
      select workspace_id, subscription_id, 'seeded', now(), now(), 50 from subscriptions
      """,
      """
      insert into subscription_changes (workspace_id, subscription_id, step, kind, by, at)
      select workspace_id, subscription_id, 99, 'subscribe', 'user', now() from subscriptions
      """,
    ]
    for statement in statements { try await pool.execute(statement, in: scope) }
  }

  /// The table takes no row for the other workspace and changes none of its rows.
  func expectNoWrite(_ table: String, of foreign: Workspace, in scope: WorkspaceScope) async throws
  {
    do {
      let changed = try await pool.execute(
        """
        update \(unsafe: table) set workspace_id = workspace_id
        where workspace_id = \(foreign.id)
        """, in: scope)
      #expect(changed == 0, "\(table) of another workspace was changed")
    } catch let error as PostgresError {
      #expect(error.sqlState == .insufficientPrivilege, "\(table): \(error)")
    }
  }
}
