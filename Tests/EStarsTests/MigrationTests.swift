import Foundation
import Postgres
import TestSupport
import Testing

/// A database of the release before this one comes up to date with what it holds.
@Suite struct MigrationTests {
  @Test func refundsOfTheFirstReleaseBecomeCases() async throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "estars-migrations-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for name in ["0001_directory.sql", "0002_ledger.sql", "0003_product.sql", "functions"] {
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
        insert into refunds (workspace_id, bot_id, charge_id, stars, source, state, refunded_at,
          recorded_at)
        select workspace_id, 5, 'old', 75, 'telegram', 'confirmed', '2026-10-01', '2026-10-02'
        from workspaces
        """)
      _ = try await Migrator(directory: TestCluster.migrations, logger: TestCluster.logger)
        .migrate(owner)
      let row = try await database.superPool.query(
        "select state, reason, opened_at::date::text as opened, state_at::date::text as at from refunds"
      )[0]
      #expect(try row.get("state", as: String.self) == "confirmed")
      #expect(try row.get("reason", as: String.self) == "refunded_elsewhere")
      #expect(try row.get("opened", as: String.self) == "2026-10-02")
      #expect(try row.get("at", as: String.self) == "2026-10-02")
    }
  }
}
