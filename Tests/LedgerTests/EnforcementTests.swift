import Foundation
@testable import Ledger
import Postgres
import TestSupport
import Testing

/// What PostgreSQL refuses by itself, whoever asks.
@Suite struct EnforcementTests {
  private static let tables = ["accounts", "entries", "lots", "holds", "clawbacks"]

  /// A workspace with a row in every ledger table.
  private func seed(_ fixture: LedgerFixture, in scope: WorkspaceScope) async throws {
    try await fixture.post(in: scope) { tx in
      let account = Account(7)
      for id in ["one", "two"] {
        _ = try await tx.credit(
          Grant(50, source: .payment, charge: Charge(botID: 9, chargeID: id), isPaid: true),
          to: account, key: id, in: scope, at: scope.now)
      }
      _ = try await tx.hold(
        Debit(5, key: "hold"), from: account, until: scope.now.addingTimeInterval(60), in: scope,
        at: scope.now)
      _ = try await tx.clawback(
        Charge(botID: 9, chargeID: "two"), key: "back", policy: .forgive, in: scope, at: scope.now)
    }
  }

  /// Runs one statement in the workspace and returns the refusal.
  private func refusal(
    of sql: SQL, by pool: Pool, in scope: WorkspaceScope
  ) async throws -> PostgresError? {
    do {
      _ = try await pool.query(sql, in: scope)
      return nil
    } catch let error as PostgresError {
      return error
    }
  }

  @Test func rowsStay() async throws {
    try await withLedger { fixture in
      try await seed(fixture, in: fixture.live)
      for table in Self.tables {
        var statements: [SQL] = [
          "update \(unsafe: table) set account_id = account_id + 1", "truncate \(unsafe: table)",
        ]
        if table != "holds" { statements.append("delete from \(unsafe: table)") }
        for statement in statements {
          let byOwner = try await refusal(
            of: statement, by: fixture.database.ownerPool, in: fixture.live)
          #expect(byOwner != nil, "the owner may: \(statement)")
        }
        for statement in statements + ["delete from \(unsafe: table)"] {
          let byApp = try await refusal(of: statement, by: fixture.pool, in: fixture.live)
          #expect(byApp?.sqlState == .insufficientPrivilege, "the app may: \(statement)")
        }
        let insert = try await refusal(
          of: "insert into \(unsafe: table) default values", by: fixture.pool,
          in: fixture.live)
        #expect(insert?.sqlState == .insufficientPrivilege)
      }
    }
  }

  @Test(arguments: [
    // No overdraft, not even together with a version.
    "update accounts set balance = -1, version = version + 1",
    // Credits do not move without a version, and versions not by two.
    "update accounts set balance = balance + 1",
    "update accounts set lot_left = array[1], lot_ids = array[1]",
    "update accounts set version = version + 2",
    "update accounts set version = version - 1",
  ])
  func accountIsConsistent(statement: String) async throws {
    try await withLedger { fixture in
      try await seed(fixture, in: fixture.live)
      let refused = try await refusal(
        of: SQL(unsafe: statement), by: fixture.database.ownerPool, in: fixture.live)
      #expect(refused != nil)
    }
  }

  /// The account stands at version 4 with 45 credits, all in lot 1.
  @Test(arguments: [
    (kind: "debit", amount: -5, after: 40, version: 5, moved: 5, left: 40, isRefused: false),
    (kind: "debit", amount: -4, after: 40, version: 5, moved: 4, left: 40, isRefused: true),
    (kind: "debit", amount: -5, after: 41, version: 5, moved: 5, left: 40, isRefused: true),
    (kind: "debit", amount: -5, after: 40, version: 6, moved: 5, left: 40, isRefused: true),
    (kind: "debit", amount: -5, after: 40, version: 4, moved: 5, left: 40, isRefused: true),
    (kind: "debit", amount: -5, after: 40, version: 5, moved: 6, left: 40, isRefused: true),
    (kind: "debit", amount: -5, after: 40, version: 5, moved: 5, left: 39, isRefused: true),
    (kind: "debit", amount: 5, after: 50, version: 5, moved: 5, left: 50, isRefused: true),
    (kind: "hold", amount: 5, after: 50, version: 5, moved: 5, left: 50, isRefused: true),
    (kind: "expire", amount: 5, after: 50, version: 5, moved: 5, left: 50, isRefused: true),
    (kind: "clawback", amount: 5, after: 50, version: 5, moved: 5, left: 50, isRefused: true),
    (kind: "credit", amount: -5, after: 40, version: 5, moved: 5, left: 40, isRefused: true),
    (kind: "release", amount: -5, after: 40, version: 5, moved: 5, left: 40, isRefused: true),
    (kind: "forgive", amount: -5, after: 40, version: 5, moved: 5, left: 40, isRefused: true),
  ])
  func entryFollows(
    kind: String, amount: Int, after: Int, version: Int, moved: Int, left: Int, isRefused: Bool
  ) async throws {
    try await withLedger { fixture in
      try await seed(fixture, in: fixture.live)
      let scope = fixture.live
      do {
        try await fixture.database.ownerPool.transaction(in: scope) { tx in
          let changed = try await tx.execute(
            """
            update accounts set balance = \(after), version = 5, lot_left = array[\(left)::bigint]
            where workspace_id = \(scope.workspaceID) and version = 4 and lot_ids = '{1}'
            """)
          #expect(changed == 1)
          try await tx.execute(
            """
            insert into entries (workspace_id, account_id, unit, version, kind, counter, operation, amount,
              balance_after, lot_ids, lot_amounts, created_at)
            values (\(scope.workspaceID), 7, 1, \(version), \(kind)::entry_kind,
              (case \(kind)::text when 'debit' then 'used' when 'expire' then 'expired'
                when 'credit' then 'issued' when 'clawback' then 'refunded'
                when 'forgive' then 'forgiven' else 'held' end)::counter_account, 'debit',
              \(amount), \(after), '{1}', array[\(moved)::bigint], now())
            """)
        }
        #expect(!isRefused)
      } catch let error as PostgresError {
        #expect(isRefused, "\(error)")
        #expect(error.sqlState?.rawValue.hasPrefix("23") == true, "\(error)")
      }
    }
  }

  @Test func aChargeCreditsOnce() async throws {
    try await withLedger { fixture in
      let scope = fixture.live
      try await seed(fixture, in: scope)
      let lot: (Int, Bool, Int) -> SQL = { account, paid, id in
        """
        insert into lots (workspace_id, account_id, unit, lot_id, source, bot_id, charge_id, paid,
          amount)
        values (\(scope.workspaceID), \(account), 1, \(id), \(paid ? "payment" : "bonus"), 9,
          'one', \(paid), 50)
        """
      }
      let owner = fixture.database.ownerPool
      let twice = try await refusal(of: lot(7, true, 2), by: owner, in: scope)
      #expect(twice?.sqlState == .uniqueViolation)
      let withoutEntry = try await refusal(of: lot(7, false, 99), by: owner, in: scope)
      #expect(withoutEntry != nil)
      _ = try await fixture.post(in: scope) { tx in
        try await tx.credit(
          Grant(50, source: .promo), to: Account(8), key: "other", in: scope, at: scope.now)
      }
      let elsewhere = try await refusal(of: lot(8, false, 1), by: owner, in: scope)
      #expect(elsewhere != nil)
    }
  }

  @Test func clawbackTakesNoMoreThanTheGrant() async throws {
    try await withLedger { fixture in
      let scope = fixture.live
      try await seed(fixture, in: scope)
      for (granted, taken) in [(50, 51), (60, 60), (40, 40)] {
        let refused = try await refusal(
          of: """
            insert into clawbacks (workspace_id, bot_id, charge_id, account_id, unit, version,
              policy, granted, taken, used, held, expired, created_at)
            values (\(scope.workspaceID), 9, 'one', 7, 1, 4, 'debt', \(granted), \(taken), 0, 0, 0,
              now())
            """, by: fixture.database.ownerPool, in: scope)
        #expect(refused?.sqlState?.rawValue.hasPrefix("23") == true, "\(granted), \(taken)")
      }
    }
  }

  /// Every function is found in the catalog, so that none can be forgotten.
  @Test func anotherWorkspaceIsRefused() async throws {
    try await withLedger { fixture in
      try await seed(fixture, in: fixture.live)
      try await seed(fixture, in: fixture.test)
      let functions = try await fixture.database.superPool.query(
        """
        select p.proname as name, p.prosecdef as is_definer,
          has_function_privilege('estars_app', p.oid, 'execute') as app_may,
          has_function_privilege('public', p.oid, 'execute') as all_may,
          coalesce(array_to_string(p.proconfig, ','), '') as config, pg_get_userbyid(p.proowner) as owner,
          (select array_agg(format_type(t, null) order by n)
            from unnest(p.proargtypes) with ordinality a (t, n)) as types,
          p.proargnames[1] as first
        from pg_proc p
        where p.pronamespace = 'public'::regnamespace and p.proname ~ '^_?ledger_'
        """)
      #expect(functions.count > 12)
      var doors = 0
      for function in functions {
        let name: String = try function.get("name")
        #expect(try function.get("all_may") == false, "\(name)")
        #expect(try function.get("owner") == "estars_owner", "\(name)")
        if name.hasPrefix("_") {
          #expect(try function.get("app_may") == false, "\(name)")
          continue
        }
        doors += 1
        #expect(try function.get("is_definer") == true, "\(name)")
        #expect(try function.get("config", as: String.self).contains("search_path="), "\(name)")
        #expect(try function.get("first") == "p_workspace", "\(name)")
        let types: [String] = try function.get("types")
        let others = types.dropFirst().map { $0.hasSuffix("zone") ? ", now()" : ", null::\($0)" }
        let call =
          "select * from \(name)(\(fixture.test.workspaceID)\(others.joined()))"
        let refused = try await refusal(
          of: SQL(unsafe: call), by: fixture.pool, in: fixture.live)
        #expect(refused?.sqlState == .insufficientPrivilege, "\(call)")
        let unset = await #expect(throws: PostgresError.self) {
          try await fixture.pool.query(SQL(unsafe: call))
        }
        #expect(unset?.sqlState == .insufficientPrivilege, "\(call)")
      }
      #expect(doors >= 12)
    }
  }

  @Test func rowsOfAnotherWorkspaceAreInvisible() async throws {
    try await withLedger { fixture in
      try await seed(fixture, in: fixture.live)
      for relation in Self.tables + ["open_lots"] {
        let count: SQL = "select count(*) as n from \(unsafe: relation)"
        let own: Int = try await fixture.pool.query(count, in: fixture.live)[0].get("n")
        #expect(own > 0, "\(relation)")
        let others: Int = try await fixture.pool.query(count, in: fixture.test)[0].get("n")
        #expect(others == 0, "\(relation)")
        let unset: Int = try await fixture.pool.query(count)[0].get("n")
        #expect(unset == 0, "\(relation)")
        // Not even the owner, who runs the definer functions.
        let owner: Int = try await fixture.database.ownerPool.query(count)[0].get("n")
        #expect(owner == 0, "\(relation)")
      }
      let charge = Charge(botID: 9, chargeID: "one")
      #expect(try await fixture.ledger.lots(of: charge, in: fixture.test).isEmpty)
      let stolen = try await fixture.post { tx in
        try await tx.release(hold: "hold", key: "r", in: fixture.test, at: fixture.test.now)
      }
      #expect(stolen.status == .unknown)
    }
  }

  @Test func everyIndexBeginsWithTheWorkspace() async throws {
    try await withLedger { fixture in
      let rows = try await fixture.database.superPool.query(
        """
        select i.indexrelid::regclass::text as name, a.attname as first
        from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indrelid::regclass::text = any (\(Self.tables))
        """)
      #expect(rows.count >= 12)
      for row in rows {
        let name: String = try row.get("name")
        let first: String = try row.get("first")
        #expect(first == "workspace_id", "\(name)")
      }
    }
  }

  @Test func theLiveSideKnowsNoOtherTime() async throws {
    try await withLedger { fixture in
      let scope = fixture.live
      for time in [scope.now - 3600, scope.now + 3600, .distantFuture] {
        await #expect(throws: PostgresError.self) {
          try await fixture.post(in: scope) { tx in
            try await tx.credit(
              Grant(1, source: .promo), to: Account(1), key: "k", in: scope, at: time)
          }
        }
      }
      let balance = try await fixture.ledger.balance(of: Account(1), in: scope)
      #expect(balance.available == 0)
    }
  }
}
