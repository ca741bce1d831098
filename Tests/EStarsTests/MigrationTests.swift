import Foundation
import Postgres
import TestSupport
import Testing

/// A database of the release before this one comes up to date with what it holds.
@Suite struct MigrationTests {
  /// Where customers came from stood with their trials alone.
  @Test func whereCustomersCameFromIsKnownFromTheirFirstTrials() async throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "estars-migrations-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let names = try FileManager.default.contentsOfDirectory(atPath: TestCluster.migrations.path)
    for name in names where name.hasSuffix(".sql") && name < "0007" {
      try FileManager.default.copyItem(
        at: TestCluster.migrations.appending(path: name), to: folder.appending(path: name))
    }
    try await withTestDatabase(migrated: false) { database in
      let owner = Configuration(connectionString: database.ownerURL)
      _ = try await Migrator(directory: folder, logger: TestCluster.logger).migrate(owner)
      for sql: SQL in [
        """
        insert into workspaces (slug, name, side, segment) values ('old', 'Old', 'live', 'ai_bot')
        """,
        """
        insert into bots (bot_id, workspace_id, username, name, segment, environment, api_base_url,
          sealed_token)
        select 5, workspace_id, 'old_bot', 'Old', 'ai_bot', 'live', '', '\\x00' from workspaces
        """,
        """
        insert into customers (workspace_id, telegram_id, created_at, last_seen_at)
        select workspace_id, n, now(), now() from workspaces, generate_series(1, 103) n
        """,
        // The first one names no source, the second one another at last.
        """
        insert into trial_grants (workspace_id, bot_id, customer_id, idempotency_key, fingerprint,
          engagement, intent, source, is_paid_source, score, min_score, balance, held, given_today,
          daily_limit, outcome, credits, created_at)
        select c.workspace_id, 5, c.customer_id, c.telegram_id || '-' || n, 1, 1, 1,
          case when c.telegram_id = 1 then '' when n = 1 then 's' || c.telegram_id else 'late' end,
          false, 1, 1, 0, 0, 0, 1, 'score_too_low', 0, now()
        from generate_series(1, 2) n, customers c where c.telegram_id > 1 or n = 1
        order by n, c.telegram_id
        """,
      ] { try await database.superPool.execute(sql) }
      _ = try await Migrator(directory: TestCluster.migrations, logger: TestCluster.logger)
        .migrate(owner)
      let sources: [String] = try await database.superPool.query(
        """
        select traffic_source from customers where telegram_id in (1, 2, 101, 102) and
          (traffic_source <> '') = (traffic_source_xid is not null) order by telegram_id
        """
      ).map { try $0.get("traffic_source") }
      #expect(sources == ["", "s2", "s101", "other"])
      let kept = try await database.superPool.query(
        "select count(*)::int as count from traffic_sources")[0]
      #expect(try kept.get("count", as: Int.self) == 100)
      let forced = try await database.superPool.query(
        """
        select count(*)::int as count from pg_class
        where relname in ('customers', 'trial_grants') and relforcerowsecurity
        """)[0]
      #expect(try forced.get("count", as: Int.self) == 2)
    }
  }

  @Test func whatTheFirstReleaseStoredIsKept() async throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "estars-migrations-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for name in ["0001_directory.sql", "0002_ledger.sql", "0003_product.sql"] {
      try FileManager.default.copyItem(
        at: TestCluster.migrations.appending(path: name), to: folder.appending(path: name))
    }
    try await withTestDatabase(migrated: false) { database in
      let owner = Configuration(connectionString: database.ownerURL)
      _ = try await Migrator(directory: folder, logger: TestCluster.logger).migrate(owner)
      try await database.superPool.execute(
        """
        with w as (
          insert into workspaces (slug, name, side, segment) values ('old', 'Old', 'live', 'ai_bot')
          returning workspace_id),
        b as (
          insert into bots (bot_id, workspace_id, username, name, segment, environment,
            api_base_url, sealed_token)
          select 5, workspace_id, 'old_bot', 'Old', 'ai_bot', 'live', '', '\\x00' from w
          returning workspace_id)
        select 1 from b
        """)
      try await database.superPool.execute(
        """
        insert into customers (workspace_id, telegram_id, created_at, last_seen_at)
        select workspace_id, 5, now(), now() from workspaces
        """)
      try await database.superPool.execute(
        """
        insert into refunds (workspace_id, bot_id, charge_id, stars, source, state, refunded_at,
          recorded_at, customer_id)
        select workspace_id, 5, 'old', 75, 'telegram', 'confirmed', '2026-10-01', '2026-10-02',
          customer_id
        from workspaces join customers using (workspace_id)
        """)
      for sql: SQL in [
        """
        insert into entitlements (workspace_id, entitlement, title, position)
        select workspace_id, 'hd', 'HD', 0 from workspaces
        """,
        "insert into credit_units (workspace_id, unit, name) select workspace_id, 1, 'credits' from workspaces",
        """
        insert into packs (workspace_id, sku, title, description, credits, stars, entitlement,
          entitlement_days, position)
        select workspace_id, 'pro', 'Pro', 'Pro', 100, 500, 'hd', 30, 0 from workspaces
        """,
        """
        insert into checkouts (workspace_id, bot_id, customer_id, sku, title, description,
          credit_unit, credits, bonus_credits, stars, entitlement, entitlement_days,
          idempotency_key, fingerprint, created_at, expires_at)
        select workspace_id, 5, customer_id, 'pro', 'Pro', 'Pro', 1, 100, 0, 500, 'hd', 30, 'k', 1,
          now(), now()
        from customers
        """,
      ] {
        try await database.superPool.execute(sql)
      }
      _ = try await Migrator(directory: TestCluster.migrations, logger: TestCluster.logger)
        .migrate(owner)
      let row = try await database.superPool.query(
        "select state, reason, opened_at::date::text as opened, state_at::date::text as at from refunds"
      )[0]
      #expect(try row.get("state", as: String.self) == "confirmed")
      #expect(try row.get("reason", as: String.self) == "refunded_elsewhere")
      #expect(try row.get("opened", as: String.self) == "2026-10-02")
      #expect(try row.get("at", as: String.self) == "2026-10-02")
      for table in ["pack_entitlements", "checkout_entitlements"] {
        let terms = try await database.superPool.query(
          "select entitlement, days from \(unsafe: table)")
        #expect(try terms.map { try $0.get("entitlement", as: String.self) } == ["hd"])
        #expect(try terms.map { try $0.get("days", as: Int.self) } == [30])
      }
      let steps = try await database.superPool.query(
        "select to_state, reason from checkout_transitions")
      #expect(try steps.map { try $0.get("to_state", as: String.self) } == ["pending"])
      #expect(try steps.map { try $0.get("reason", as: String.self) } == ["opened"])
      let tiers = try await database.superPool.query("select tier from tiers")
      #expect(try tiers.map { try $0.get("tier", as: String.self) } == ["free"])
    }
  }
}
