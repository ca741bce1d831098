import Foundation
import Ledger
import Postgres
import Testing

@testable import Web

@_spi(Guard) @testable import EStars

/// The drills, for real: a sandbox, our server, the sandbox's calls in between.
@Suite struct DrillTests {
  @Test func tenDrillsPassAndSayWhatTheySaw() async throws {
    try await DrillBench.with { bench in
      let bot = try await bench.startBot()
      // A second click makes no second bot, and one that was given up comes back.
      #expect(try await bench.startBot().id == bot.id)
      #expect(bot.mode == .webhook)
      let desk = try await Desk(bench.fixture)
      let asked = try await desk.post("drill-runs", [:])
      #expect(asked.status == 303 && asked.headers[.location]?.hasSuffix("/pilot") == true)
      #expect(try await desk.get("pilot").body.contains(#"<noscript><meta http-equiv="refresh""#))
      // It is under way: nobody begins another one.
      _ = try await desk.post("drill-runs", [:])
      try await Worker(platform: bench.fixture.platform).runDue()
      let run = try #require(try await DrillRun.latest(in: bench.scope, bench.pool))
      #expect(run.outcomes == Drill.Name.allCases.map { "\($0.rawValue) passed" })
      #expect(run.state == .passed && run.isEvidence(at: Date()))
      try await expectTruth(run, bench)
      try await expectPages(run, desk)
      let again = try await bench.drill()
      #expect(again.id > run.id && again.state == .passed)
      #expect(try await DrillRun.recent(limit: 9, in: bench.scope, bench.pool).count == 2)
      let old = Date().addingTimeInterval(Limits.drillEvidenceSeconds + 60)
      #expect(!again.isEvidence(at: old))
      #expect(ExpansionRequest.refusal(of: again, from: .pilot, at: old) == .drillsOld)
    }
  }

  /// What the drills say is what the tables hold.
  private func expectTruth(_ run: DrillRun, _ bench: DrillBench) async throws {
    let row = try await bench.pool.query(
      """
      select (select count(*) from payments p where p.workspace_id = w.workspace_id
          and p.bot_id = \(run.botID)) as payments,
        (select count(*) from payments p where p.workspace_id = w.workspace_id
          and p.state = 'refunded') as refunded,
        (select count(*) from updates u where u.workspace_id = w.workspace_id and repeats > 0)
          as repeated
      from workspaces w where workspace_id = \(bench.fixture.workspace.id)
      """, in: bench.scope)[0]
    #expect(try row.get("payments", as: Int64.self) == DrillRunRow.purchases)
    #expect(try row.get("refunded", as: Int.self) == 1)
    #expect(try row.get("repeated", as: Int.self) >= 1)
    let times = run.facts(of: .preCheckoutP95)
    #expect(Int(times["count"] ?? "") ?? 0 >= 20)
    #expect(Int(times["p95_ms"] ?? "") ?? .max <= Limits.drillPreCheckoutMilliseconds)
    #expect(run.facts(of: .doubleDelivery)["deliveries"] == "2")
    #expect(run.facts(of: .refund)["credits_used"] == run.facts(of: .debitRetried)["credits"])
    #expect(run.facts(of: .reconciliation)["mismatches"] == "0")
    for side in [bench.fixture.workspace, bench.fixture.live] {
      let noted = try await bench.pool.query(
        """
        select drills_passed, drills_failed, drills_finished_at from workspaces
        where workspace_id = \(side.id)
        """)[0]
      #expect(try noted.getIfPresent("drills_passed", as: Int.self) == 10)
      #expect(try noted.getIfPresent("drills_failed", as: Int.self) == 0)
      #expect(try noted.getIfPresent("drills_finished_at", as: Date.self) == run.finishedAt)
    }
  }

  private func expectPages(_ run: DrillRun, _ desk: Desk) async throws {
    let page = try await desk.get("pilot")
    #expect(page.body.contains("10 of 10 passed"))
    #expect(!page.body.contains("noscript"))
    let evidence = try await desk.get("drill-runs/\(run.id)")
    #expect(evidence.status == 200)
    let links = evidence.body.matches(
      of: /<a href="\/w\/[^\/"]+\/([^"#]+)[^"]*">(?:Payment|Customer|Refund case|Bot|Pack)</)
    #expect(links.count >= 6)
    for link in Set(links.map { String($0.output.1) }) {
      #expect(try await desk.get(link).status == 200, "\(link)")
    }
    #expect(try await desk.get("drill-runs/999999").status == 404)
  }

  @Test func aDrillThatFailsSaysWhyAndThoseThatRestOnItAreSkipped() async throws {
    try await DrillBench.with { bench in
      await #expect(throws: DrillRun.Refusal.self) {
        try await DrillRun.start(
          with: 1, by: DrillBench.owner, in: bench.scope, bench.pool)
      }
      let bot = try await bench.startBot()
      func change(_ statement: SQL) async throws {
        try await bench.pool.execute(statement, in: bench.scope)
      }
      func afterPayment(_ cause: String) -> [String] {
        [
          "payment_credited skipped \(cause)"
        ]
          + ["double_delivery", "pre_checkout_p95", "debit_retried", "refund", "reconciliation"]
          .map { "\($0) skipped payment_credited" }
      }
      try await change("update actions set withdrawn_at = now()")
      let ruleless = try await bench.drill()
      #expect(
        ruleless.outcomes == [
          "bot_mapped passed", "rules_defined failed no_action", "webhook_seen passed",
        ] + afterPayment("rules_defined") + ["ledger_verified passed"])
      #expect(ruleless.state == .failed && ruleless.failed == 7)
      try await change("update actions set withdrawn_at = null")

      try await bench.connect(bot, as: .forwarding)
      let deaf = try await bench.drill(with: bot)
      #expect(
        deaf.outcomes == [
          "bot_mapped passed", "rules_defined passed", "webhook_seen failed webhook_elsewhere",
        ] + afterPayment("webhook_seen") + ["ledger_verified passed"])

      // Nobody listens there.
      try await change(
        "update bots set api_base_url = 'http://127.0.0.1:1' where bot_id = \(bot.id)")
      let away = try await bench.drill(with: bot)
      #expect(away.outcomes[0] == "bot_mapped failed sandbox_away")
      #expect(away.outcomes[2] == "webhook_seen skipped bot_mapped")
      let page = try await Desk(bench.fixture).get("pilot").body
      #expect(page.contains("The sandbox did not answer."))
      #expect(page.contains("ESTARS_SANDBOX_URL"))
      // One click mends all of it.
      let mended = try await bench.startBot()
      #expect(mended.id == bot.id && mended.mode == .webhook)
    }
  }

  @Test func aSandboxBotIsThereAtOnce() async throws {
    try await DrillBench.with { bench in
      func usernames() async throws -> [String] {
        try await EStars.DrillRun.sandboxBots(in: bench.scope, bench.pool)
          .filter { $0.mode == .webhook }.map(\.username)
      }
      // Whether nobody answers there, or the house has none: the page says what to do.
      try await bench.serving(sandbox: URL(string: "http://127.0.0.1:1")) { fixture in
        let desk = try await Desk(fixture, .owner)
        for path in ["sandbox-bots", "onboarding/sandbox-bot"] {
          let answer = try await desk.post(path, [:])
          #expect(answer.status == 409 && answer.body.contains("The sandbox does not answer"))
        }
      }
      try await bench.serving(sandbox: nil) { fixture in
        let desk = try await Desk(fixture, .owner)
        let answer = try await desk.post("sandbox-bots", [:])
        #expect(answer.status == 409 && answer.body.contains("ESTARS_SANDBOX_URL"))
        #expect(try await desk.post("onboarding/sandbox-bot", [:]).status == 404)
      }
      #expect(try await usernames() == [])
      try await bench.serving(sandbox: bench.sandboxURL) { fixture in
        let desk = try await Desk(fixture, .owner)
        #expect(try await desk.get("pilot").body.contains("/sandbox-bots\""))
        let made = try await desk.post("sandbox-bots", [:])
        #expect(made.status == 303 && made.headers[.location]?.hasSuffix("/pilot") == true)
        let again = try await desk.post("onboarding/sandbox-bot", [:])
        #expect(again.headers[.location]?.hasSuffix("/onboarding?done=sandbox_bot") == true)
        let page = try await desk.get("pilot").body
        #expect(page.contains("/drill-runs\"") && !page.contains("/sandbox-bots\""))
      }
      #expect(try await usernames().count == 1)
    }
  }

  @Test func anOwnerOfBothSidesAsksForMore() async throws {
    try await ServerFixture.with { fixture in
      let (pool, live) = (fixture.platform.pool, fixture.live.id)
      let desk = try await Desk(fixture, .owner)
      let run = try await DrillRun.start(
        by: DrillBench.owner, in: fixture.workspace.scope, pool)
      try await pool.execute("update workspaces set stage = 'pilot'")
      func ask(_ body: String) async throws -> (status: Int, body: String) {
        let answer = try await fixture.send(
          .post, "/w/\(fixture.live.slug)/expansion-requests",
          headers: [
            .cookie: desk.cookie, .contentType: "application/x-www-form-urlencoded",
          ], body: "csrf=\(desk.csrf)&body=\(body)")
        return (answer.status, answer.body)
      }
      // Of the test side alone.
      #expect(try await ask("").status == 404)
      #expect(try await desk.post("expansion-requests", [:]).status == 409)
      try await pool.execute(
        """
        insert into memberships (operator_id, workspace_id, role, created_at)
        select operator_id, \(live), role, created_at from memberships
        where workspace_id = \(fixture.workspace.id)
        """)
      #expect(try await ask("").status == 422)
      try await pool.execute(
        "update drill_runs set state = 'passed', finished_at = now() where drill_run_id = \(run.id)",
        in: fixture.workspace.scope)
      let long = try await ask(
        "%3Cb%3E" + String(repeating: "a", count: Limits.expansionCharacters))
      #expect(long.status == 422 && long.body.contains("&lt;b&gt;aaa"))
      #expect(long.body.contains(##"href="#body""##))
      #expect(try await ask("%3Cb%3Esoon").status == 303)
      let page = try await desk.get("pilot").body
      #expect(page.contains("Waiting for an answer") && page.contains("&lt;b&gt;soon"))
      #expect(!page.contains("Ask for more live bots</button>"))
    }
  }

  @Test func aRunThatDiedIsFinishedAsFailed() async throws {
    try await ServerFixture.with { fixture in
      let (scope, pool) = (fixture.workspace.scope, fixture.platform.pool)
      let run = try await DrillRun.start(by: DrillBench.owner, in: scope, pool)
      try await pool.execute(
        "update drills set state = 'passed' where drill = 'bot_mapped'", in: scope)
      // Somebody took it and was never heard of again.
      try await pool.execute(
        """
        update jobs set attempts = 1, leased_until = now() - interval '1 second'
        where kind = 'drills.run'
        """)
      try await Worker(platform: fixture.platform).runNow(
        .drillsRun, subject: String(run.id))
      let ended = try #require(try await DrillRun.find(id: run.id, in: scope, pool))
      #expect(ended.state == .failed && ended.passed == 1)
      #expect(ended.outcomes[1] == "rules_defined failed interrupted")
      #expect(ended.outcomes[2] == "webhook_seen skipped rules_defined")
    }
  }

  @Test func thePageKnowsEveryDrillAndEveryWayToFail() {
    #expect(DrillRow.Name.allCases.map(\.rawValue) == Drill.Name.allCases.map(\.rawValue))
    #expect(DrillRow.State.allCases.map(\.rawValue) == Drill.State.allCases.map(\.rawValue))
    #expect(
      Set(DrillRow.Problem.allCases.map(\.rawValue)) == Set(Drill.Problem.allCases.map(\.rawValue)))
  }

  @Test func allDrillsTogetherEndBeforeTheirLease() {
    let seconds = Drill.Name.allCases.reduce(0) { $0 + $1.seconds }
    #expect(seconds + 30 <= Double(Limits.drillLeaseSeconds))
  }

  @Test(arguments: [(1, 1), (20, 19), (21, 20), (100, 95)])
  func aPercentileIsAValueThatWasMeasured(count: Int, rank: Int) {
    #expect(DrillRunner.percentile(95, of: Array(1...count)) == rank)
  }
}

extension DrillBench {
  fileprivate func connect(
    _ bot: EStars.Bot, as choice: BotConnection.Choice
  ) async throws {
    _ = try await connections.connect(
      bot, as: choice, seen: nil, by: DrillBench.owner, in: scope)
  }
}
