@_spi(Guard) @testable import EStars
import Foundation
@_spi(Guard) import Ledger
import Postgres
import TestSupport
import Testing

/// What speaks for a business, and the wish that rests on it.
@Suite struct ExpansionTests {
  private static let owner = Actor(.operator, "owner@example.com")

  /// A run as it stands in the tables when it is over.
  private func finish(
    _ fixture: Fixture, _ state: DrillRun.State, daysAgo: Double = 0
  ) async throws {
    let run = try await DrillRun.start(by: Self.owner, in: fixture.scope, fixture.pool)
    let at = Date().addingTimeInterval(-daysAgo * 86_400)
    try await fixture.pool.execute(
      """
      update drill_runs set state = \(state.rawValue), finished_at = \(at)
      where workspace_id = \(fixture.workspace.id) and drill_run_id = \(run.id)
      """, in: fixture.scope)
  }

  @Test func aWishRestsOnTheNewestDrills() async throws {
    try await Fixture.with { fixture in
      let live = fixture.live.scope
      func ask(_ body: String = "A second bot") async throws
        -> ExpansionRequest
      {
        try await ExpansionRequest.ask(
          body, of: try #require(try await Workspace.find(id: fixture.live.id, fixture.pool)),
          drillsIn: fixture.scope, by: Self.owner, in: live, fixture.pool)
      }
      func expectRefusal(_ refusal: ExpansionRequest.Refusal) async {
        await #expect(throws: refusal) { try await ask() }
      }
      func enter(_ stage: Workspace.Stage) async throws {
        try await fixture.pool.execute("update workspaces set stage = \(stage.rawValue)")
      }
      try await enter(.pilot)
      await expectRefusal(.noDrills)
      try await finish(fixture, .passed, daysAgo: 31)
      await expectRefusal(.drillsOld)
      try await finish(fixture, .passed, daysAgo: 29)
      try await enter(.open)
      await expectRefusal(.stage)
      try await enter(.pilot)
      try await finish(fixture, .failed)
      await expectRefusal(.drillsFailed)
      try await finish(fixture, .passed)
      await #expect(throws: ExpansionRequest.Refusal.tooLong) {
        try await ask(String(repeating: "a", count: Limits.expansionCharacters + 1))
      }
      // A run that is under way takes nothing back.
      _ = try await DrillRun.start(by: Self.owner, in: fixture.scope, fixture.pool)
      let asked = try await ask()
      #expect(asked.state == .asked && asked.workspaceID == fixture.live.id)
      #expect(try await ask("Once more").id == asked.id)
      let log = try await AuditEntry.about(
        "expansion_request", String(asked.id), in: live, fixture.pool)
      #expect(log.map(\.action) == ["expansion_request.made"])
    }
  }

  /// The ledger's drill rests on nothing, and a sandbox that is away hides no broken books.
  @Test func brokenBooksFailTheLedgersDrill() async throws {
    try await Fixture.with { fixture in
      let checkout = try await fixture.checkout("start", for: 501)
      _ = try await fixture.receive(
        Sent.payment(update: 1, from: 501, stars: 75, payload: checkout.payload ?? "", charge: "c"))
      _ = try await fixture.database.superPool.transaction(["session_replication_role": "replica"])
      {
        try await $0.execute("update accounts set balance = balance + 1")
      }
      let run = try await DrillRun.start(by: Self.owner, in: fixture.scope, fixture.pool)
      _ = try await DrillRunner(platform: fixture.platform).run(
        run.id, attempts: 1, in: fixture.workspace)
      let ended = try #require(try await DrillRun.find(id: run.id, in: fixture.scope, fixture.pool))
      #expect(ended.drill(.botMapped)?.problem == .sandboxAway)
      #expect(ended.drill(.rulesDefined)?.state == .passed)
      #expect(ended.drill(.refund)?.missing == .paymentCredited)
      #expect(ended.drill(.ledgerVerified)?.problem == .ledgerProblems)
      #expect(ended.drill(.ledgerVerified)?.number("problems") ?? 0 >= 1)
      #expect(ended.state == .failed)
    }
  }
}
