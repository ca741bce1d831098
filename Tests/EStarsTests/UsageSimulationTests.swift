import Foundation
import Ledger
import Postgres
import TestSupport
import Testing

@_spi(Guard) @testable import EStars

/// Credits, checks, debits, holds, commits, releases, expiries, refunds under both debt policies,
/// changes of the rules and of the clock: after every one of them the product and a naive model
/// agree on the answer and on everything that the customer has.
@Suite struct UsageSimulationTests {
  /// Outcomes that the runs must meet, each five times: else they prove nothing.
  private static let required = [
    "debit applied", "debit replayed", "debit conflict", "debit insufficient",
    "debit quota_exceeded", "debit no_access", "debit too_many_units", "debit unknown_action",
    "hold applied", "hold replayed", "hold conflict", "hold insufficient", "hold quota_exceeded",
    "hold no_access", "check allowed", "check insufficient", "check quota_exceeded",
    "check no_access", "committed", "committed in part", "released", "expired", "commit replayed",
    "commit conflict", "commit closed", "commit unknown", "commit too_many_units",
    "release closed", "free", "partly free", "unmetered", "quota of a day", "quota of a month",
    "quota of a lifetime", "hold across lots", "hold of no credits", "expiry",
    "expired while held", "refunded, forgive", "refunded, debt", "forgiven", "debt made",
    "debt repaid", "debt repaid by a hold", "refunded while held", "forgiven by a commit",
    "credits.low", "rules changed", "debits together",
  ]
  /// Twenty thousand operations, in four runs that go on side by side.
  @Test(.timeLimit(.minutes(20))) func usageMatchesTheModel() async throws {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["ESTARS_USAGE_OPERATIONS"].flatMap(Int.init) ?? 5_000
    let first =
      environment["ESTARS_USAGE_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 1...999_999)
    print("usage simulation: ESTARS_USAGE_SEED=\(first) ESTARS_USAGE_OPERATIONS=\(count)")
    let tally = OutcomeTally(Self.required, enough: 5)
    try await withThrowingTaskGroup { runs in
      for seed in first..<first + 4 {
        runs.addTask { try await run(seed, count, tally) }
      }
      try await runs.waitForAll()
    }
    for (outcome, times) in await tally.sums.sorted(by: { $0.key < $1.key }) {
      print("  \(outcome): \(times)")
    }
    let missing = await tally.missing
    #expect(missing.isEmpty, "seeds from \(first), too few: \(missing)")
  }

  private func run(_ seed: UInt64, _ count: Int, _ tally: OutcomeTally) async throws {
    try await Fixture.with { fixture in
      try await fixture.write(UsageSimulation.rules, zone: UsageSimulation.zone)
      var run = UsageSimulation(fixture: fixture, seed: seed)
      var (analyzed, isMissing) = (0, true)
      // A rare outcome may take longer: the runs go on until they have met them all.
      while run.operations < count || (isMissing && run.operations < count * 3) {
        if run.operations >= analyzed * 4 + 200 {
          analyzed = run.operations
          // What autovacuum does soon in a server that lives longer.
          try await fixture.database.ownerPool.execute("analyze")
        }
        let differences = try await run.step()
        if !differences.isEmpty {
          let report = (run.log.suffix(12) + differences).joined(separator: "\n")
          Issue.record("seed \(seed), operation \(run.operations), \(run.time):\n\(report)")
          return
        }
        if run.operations.isMultiple(of: 50) {
          isMissing = await !tally.missing(after: run.model.tally, of: seed).isEmpty
        }
      }
      _ = await tally.missing(after: run.model.tally, of: seed)
      try await compareTheRest(run, fixture)
      #expect(try await Ledger(pool: fixture.pool).verify(in: fixture.scope).isEmpty)
    }
  }

  /// Events, and the counters of every period that was.
  private func compareTheRest(_ run: UsageSimulation, _ fixture: Fixture) async throws {
    for kind in [Event.Kind.creditsLow, .holdExpired] {
      let emitted = try await fixture.count(
        "select count(*) from events where kind = \(kind.rawValue)")
      let name = kind == .creditsLow ? kind.rawValue : "expired"
      #expect(emitted == run.model.tally[name, default: 0], "\(kind.rawValue)")
    }
    var uses = 0
    for customer in run.model.customers.values {
      uses += Int(customer.uses.map(\.units).reduce(0, +))
    }
    for period in Quota.Period.allCases {
      let counted = try await fixture.count(
        """
        select coalesce(sum(units), 0)::bigint as count from usage_counters
        where period = \(period.rawValue)
        """)
      #expect(counted == uses, "\(period.rawValue)")
    }
  }
}

extension Fixture {
  /// Writes what tests charge for: actions with their rules, and a tier above the base tier.
  func write(_ rules: [String: UsageModel.Rule], zone: String) async throws {
    try await pool.execute(
      "update workspaces set time_zone = \(zone) where workspace_id = \(workspace.id)")
    let id = workspace.id
    // The sample's plans have no part in this; the product itself never deletes one.
    for table in ["plan_entitlements", "plan_names", "plans"] {
      try await database.superPool.execute(
        "delete from \(unsafe: table) where workspace_id = \(id)")
    }
    try await pool.transaction(in: scope) { tx in
      for (position, key) in ["pro", "unlimited", "hd_quality"].enumerated() {
        try await tx.execute(
          """
          insert into entitlements (workspace_id, entitlement, title, position)
          values (\(id), \(key), \(key), \(position + 50)) on conflict do nothing
          """)
      }
      try await tx.execute("delete from action_tiers where workspace_id = \(id)")
      try await tx.execute("delete from tiers where workspace_id = \(id)")
      try await tx.execute(
        """
        insert into tiers (workspace_id, tier, title, entitlement, position)
        values (\(id), 'free', 'Free', null, 0), (\(id), 'pro', 'Pro', 'pro', 1)
        """)
      for (position, rule) in rules.sorted(by: { $0.key < $1.key }).enumerated() {
        try await tx.write(rule.key, rule.value, position: position, workspace: id)
      }
    }
  }
}

extension Transaction {
  fileprivate func write(
    _ action: String, _ rule: UsageModel.Rule, position: Int, workspace: Int64
  ) async throws {
    try await execute(
      """
      insert into actions (workspace_id, action, title, price_credits, max_units,
        required_entitlement, unmetered_entitlement, position)
      values (\(workspace), \(action), \(action), \(rule.price), \(rule.maxUnits), \(rule.required),
        \(rule.unmetered), \(100 + position))
      """)
    for (tier, allowance) in rule.allowances {
      try await execute(
        """
        insert into action_tiers (workspace_id, action, tier, units_per_day, units_per_month,
          units_lifetime, free_units, free_period)
        values (\(workspace), \(action), \(tier), \(allowance.day), \(allowance.month),
          \(allowance.lifetime), \(allowance.free), \(allowance.freePeriod.rawValue))
        """)
    }
  }
}
