import Foundation
import Ledger
import Postgres
import Telegram
import Testing

@testable import Sandbox

@_spi(Guard) @testable import EStars

/// A click on a mismatch beside what else happens, and of what a plan's payment lacks.
@Suite struct MismatchFixTests {
  private typealias Bench = ReconciliationBench

  @Test func aClickAndAComparisonNeverWaitForEachOther() async throws {
    try await Bench.with { bench in
      try await bench.byClick()
      let payload = try await bench.invoice()
      let charge = try await bench.pay([payload])[0]
      let run = try await bench.compare()
      let mismatch = try #require(try await bench.open().first)
      #expect(try await bench.tell(charge, payload) == "payment.credited")
      let scope = bench.scope
      // The click has locked its mismatch and waits for the charge; the comparison, which has found
      // that all is well, waits for the mismatch. It must not hold what the click needs next.
      let (click, comparison) = try await bench.pool.transaction(in: scope) { tx in
        try await tx.lockCharge(bench.bot.id, charge)
        let holder: Int64 = try await tx.query("select pg_backend_pid()::bigint as pid")[0]
          .get("pid")
        let click = Task { try await bench.fix(mismatch) }
        let clicking = try await bench.waiter(behind: holder)
        let comparison = Task {
          try await bench.pool.transaction(in: scope) { tx in
            try await tx.compare(run, after: -1, in: scope, at: scope.now)
          }
        }
        _ = try await bench.waiter(behind: clicking)
        return (click, comparison)
      }
      #expect(try await click.value.closedBy == Mismatch.byTelegram)
      #expect(try await comparison.value.open.isEmpty)
      #expect(try await bench.open().isEmpty)
      #expect(try await bench.balance() == 10)
    }
  }

  @Test func whatAPlansPaymentLacksIsPostedOnce() async throws {
    try await Bench.with { bench in
      let payload = try await bench.invoice(plan: "pro")
      let first = try await bench.pay([payload], stars: 2000)[0]
      let customer = try #require(
        try await Customer.find(telegramID: Bench.ann, in: bench.scope, bench.pool))
      // Rows that no way of ours makes: of a first payment nothing else is there.
      try await bench.insert(first, payload, customer.id)
      try await bench.mend(first, leaves: 500)
      let subscription = try #require(
        try await Subscription.of(customer: customer.id, in: bench.scope, bench.pool).first)
      #expect(subscription.state == .active && subscription.creditsPerCycle == 500)
      #expect(try await bench.payment(first).subscriptionID == subscription.id)
      // Of the next one there is all but the credits. What is left of the first goes on with it.
      let second = try await bench.pay([payload], stars: 2000)[0]
      try await bench.insert(second, payload, customer.id, of: subscription)
      try await bench.mend(second, leaves: 750)
      for charge in [first, second] {
        #expect(try await bench.tell(charge, payload, stars: 2000) == "payment.duplicate")
      }
      #expect(try await bench.compare().mismatchCount == 0)
      #expect(try await bench.balance() == 750)
      #expect(try await bench.problems() == [])
    }
  }
}

extension ReconciliationBench {
  /// The first process that waits for what another one holds.
  fileprivate func waiter(behind holder: Int64) async throws -> Int64 {
    for _ in 0..<400 {
      let found = try await pool.query(
        """
        select pid::bigint as pid from pg_stat_activity
        where \(holder)::int = any (pg_blocking_pids(pid)) limit 1
        """
      ).first
      if let found { return try found.get("pid") }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("nobody waits")
    return 0
  }

  /// A plan's payment without its credits.
  fileprivate func insert(
    _ charge: String, _ payload: String, _ customer: Int64,
    of subscription: EStars.Subscription? = nil
  ) async throws {
    try await pool.execute(
      """
      insert into payments (workspace_id, bot_id, charge_id, customer_id, checkout_id, state,
        stars, sku, title, credits, product, is_recurring, subscription_id, paid_at, recorded_at)
      select workspace_id, bot_id, \(charge), \(customer), checkout_id, 'credited', stars, sku,
        title, credits, 'plan', true, \(subscription?.id)::bigint, now(), now()
      from checkouts where workspace_id = \(scope.workspaceID) and payload = \(payload)
      """, in: scope)
    guard let subscription else { return }
    try await pool.execute(
      """
      insert into subscription_cycles (workspace_id, subscription_id, cycle, charge_id, starts_at,
        ends_at, credits)
      values (\(scope.workspaceID), \(subscription.id), \(charge), \(charge),
        \(subscription.periodEndsAt), \(subscription.periodEndsAt.addingTimeInterval(2_592_000)),
        500)
      """, in: scope)
  }

  /// Two click at once on what the comparison finds of a charge.
  fileprivate func mend(_ charge: String, leaves credits: Int64) async throws {
    _ = try await compare()
    let found = try #require(try await open().first { $0.transactionID == charge })
    #expect(found.kind == .creditsMissing)
    let effect = try await found.effect(in: scope, platform)
    #expect(effect == .posting(500, balance: try await balance()))
    async let one = try? fix(found)
    async let two = try? fix(found)
    let fixed = await [one, two].compactMap { $0 }
    #expect(fixed.map(\.closedBy) == ["manager@example.com"])
    #expect(try await balance() == credits)
  }
}
