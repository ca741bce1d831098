@_spi(Guard) @testable import EStars
import Foundation
@_spi(Guard) import Ledger
import Postgres
import Telegram
import Testing

/// How far a business is let in, and what its stages allow.
@Suite struct StageTests {
  private let admin = Actor(.admin, "admin@example.com")

  private func business(
    _ fixture: Fixture, _ stage: Workspace.Stage = .approved
  ) async throws -> (live: Workspace, test: Workspace) {
    try await Workspace.open(
      WorkspaceRequest(
        slug: "pilot-\(UUID().uuidString.lowercased().prefix(8))", name: "Pilot", segment: .aiBot,
        timeZone: "America/Sao_Paulo", locale: "pt-BR", stage: stage), at: Date(), fixture.pool)
  }

  private func stages(
    of workspace: Workspace, _ fixture: Fixture
  ) async throws -> [Workspace.Stage] {
    var stages: [Workspace.Stage] = []
    for id in [workspace.id, workspace.twinID].compactMap(\.self) {
      let stored = try #require(try await Workspace.find(id: id, fixture.pool))
      // What a request sees is what is stored.
      #expect(try await fixture.platform.directory.workspace(id) == stored)
      stages.append(stored.stage)
    }
    return stages
  }

  @Test func bothSidesMoveTogetherAndEitherLogSaysWho() async throws {
    try await Fixture.with { fixture in
      let (platform, at) = (fixture.platform, Date())
      let (live, test) = try await business(fixture)
      _ = try await stages(of: live, fixture)
      await #expect(throws: Workspace.StageRefusal.stage(.approved)) {
        try await live.toOpen(by: admin, at: at, platform)
      }
      try await live.toPilot(by: Actor(.operator, "owner@example.com"), at: at, platform)
      try await test.toPilot(by: admin, at: at, platform)
      #expect(try await stages(of: live, fixture) == [.pilot, .pilot])
      try await live.toOpen(reason: "ten drills", by: admin, at: at, platform)
      try await live.suspend(reason: "Chargebacks <b>", by: admin, at: at, platform)
      #expect(try await stages(of: live, fixture) == [.suspended, .suspended])
      let stopped = try #require(try await Workspace.find(id: test.id, fixture.pool))
      #expect(stopped.suspension?.reason == "Chargebacks <b>" && stopped.stageBeneath == .open)
      await #expect(throws: Workspace.StageRefusal.stage(.suspended)) {
        try await live.suspend(reason: "again", by: admin, at: at, platform)
      }
      try await test.resume(reason: "settled", by: admin, at: at, platform)
      #expect(try await stages(of: live, fixture) == [.open, .open])
      await #expect(throws: Workspace.StageRefusal.stage(.open)) {
        try await live.resume(by: admin, at: at, platform)
      }
      for side in [live, test] {
        let log = try await AuditEntry.about(
          "workspace", String(side.id), in: side.scope, fixture.pool)
        #expect(
          log.map(\.action) == [
            "workspace.stage_changed", "workspace.stage_changed", "workspace.suspended",
            "workspace.resumed",
          ])
        #expect(log.map { $0.after["stage"] } == ["pilot", "open", "suspended", "open"])
        #expect(log[0].actor == Actor(.operator, "owner@example.com"))
        #expect(log[2].actor == admin && log[2].reason == "Chargebacks <b>")
      }
    }
  }

  @Test func whatBelongsToAStepIsDoneWithItOrNotAtAll() async throws {
    struct Broken: Error {}
    try await Fixture.with { fixture in
      let (live, _) = try await business(fixture)
      for reason in ["", String(repeating: "x", count: 501)] {
        await #expect(throws: Workspace.StageRefusal.reason) {
          try await live.suspend(reason: reason, by: admin, at: Date(), fixture.platform)
        }
      }
      await #expect(throws: Broken.self) {
        try await live.suspend(reason: "why", by: admin, at: Date(), fixture.platform) { _ in
          throw Broken()
        }
      }
      #expect(try await stages(of: live, fixture) == [.approved, .approved])
      // An owner who joins meanwhile is in when it goes on.
      try await live.suspend(reason: "why", by: admin, at: Date(), fixture.platform)
      try await live.toPilot(by: admin, at: Date(), fixture.platform)
      #expect(try await stages(of: live, fixture) == [.suspended, .suspended])
      try await live.resume(by: admin, at: Date(), fixture.platform)
      #expect(try await stages(of: live, fixture) == [.pilot, .pilot])
    }
  }

  /// No transaction writes into both sides, so what is left when a process dies is a job.
  @Test func theOtherSidesLogIsToldByAJobWhereTheProcessDied() async throws {
    try await Fixture.with { fixture in
      let (live, test) = try await business(fixture, .pilot)
      let change = try await fixture.pool.transaction(in: live.scope) { tx in
        try await tx.take(.suspension("why"), of: live, by: admin, at: Date())
      }
      func told() async throws -> [AuditEntry] {
        try await AuditEntry.about("workspace", String(test.id), in: test.scope, fixture.pool)
      }
      func owed() async throws -> [String] {
        try await fixture.pool.query(
          "select subject from jobs where kind = 'audit.mirror' and workspace_id = \(test.id)"
        ).map { try $0.get("subject") }
      }
      #expect(try await told().isEmpty)
      let subject = try #require(try await owed().first)
      try await Worker(platform: fixture.platform).runNow(.auditMirror, subject: subject)
      // Whoever comes late tells nothing twice.
      try await change?.follow(fixture.platform)
      let lines = try await told()
      #expect(lines.map(\.action) == ["workspace.suspended"])
      #expect(lines.first?.reason == "why" && lines.first?.actor == admin)
      #expect(lines.first?.before == ["stage": "pilot"])
      #expect(try await owed().isEmpty)
    }
  }

  @Test func aPilotHasOneLiveBot() async throws {
    try await Fixture.with { fixture in
      let (live, _) = try await business(fixture, .pilot)
      let register = { (id: Int64) in
        _ = try await Bot.register(
          token: "\(id):AAStageStageStageStageStageStageStag", username: "bot_\(id)", name: "Bot",
          segment: .aiBot, endpoint: .live, in: live, at: Date(), fixture.platform)
      }
      try await register(7_700_000_001)
      // Its own token may be renewed.
      try await register(7_700_000_001)
      await #expect(throws: Bot.RegistrationProblem.stage) { try await register(7_700_000_002) }
      try await fixture.pool.execute(
        "update bots set disconnected_at = now() where bot_id = 7700000001")
      try await register(7_700_000_002)
      await #expect(throws: Bot.RegistrationProblem.stage) { try await register(7_700_000_001) }
      try await live.toOpen(by: admin, at: Date(), fixture.platform)
      try await register(7_700_000_001)
    }
  }

  /// Two that are added at once are counted one after the other.
  @Test func ofTwoBotsAtOnceOneIsAdded() async throws {
    try await Fixture.with { fixture in
      let (live, _) = try await business(fixture, .pilot)
      let added = await withTaskGroup(of: Bool.self) { group in
        for number in 1...6 {
          group.addTask {
            let bot = try? await Bot.register(
              token: "\(7_710_000_000 + number):AAStageStageStageStageStageStageStag",
              username: "bot_\(number)", name: "Bot", segment: .aiBot, endpoint: .live, in: live,
              at: Date(), fixture.platform)
            return bot != nil
          }
        }
        return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(added == 1)
    }
  }

  @Test func aPreCheckoutOfASuspendedBusinessFollowsItsPolicy() async throws {
    try await Fixture.with { fixture in
      let open = try await fixture.checkout("start", for: 91)
      try await fixture.workspace.suspend(
        reason: "why", by: admin, at: Date(), fixture.platform)
      let catalog = try await Catalog.load(in: fixture.scope, fixture.pool)
      func verdict(_ policy: String, _ query: String) async throws -> PreCheckout.Verdict {
        try await fixture.pool.execute(
          """
          update workspaces set pre_checkout_outage_policy = \(policy)
          where workspace_id = \(fixture.workspace.id)
          """)
        let workspace = try #require(
          try await Workspace.find(id: fixture.workspace.id, fixture.pool))
        return await fixture.platform.preCheckout.decide(
          PreCheckoutQuery(
            id: query, from: User(id: 91, firstName: "Ann"), currency: "XTR", totalAmount: 75,
            invoicePayload: open.payload ?? ""),
          for: fixture.bot, in: workspace, scope: fixture.scope, catalog)
      }
      #expect(try await verdict("refuse", "q1") == .refuse(.suspended))
      let state = try await fixture.pool.query(
        "select state, state_reason from checkouts where checkout_id = \(open.id)",
        in: fixture.scope)[0]
      #expect(try state.get("state", as: String.self) == "rejected")
      #expect(try state.get("state_reason", as: String.self) == "suspended")
      #expect(try await verdict("accept", "q2") == .accept)
      // A payment that was made is credited, whatever the stage.
      _ = try await fixture.receive(
        Sent.payment(update: 1, from: 91, stars: 75, payload: open.payload ?? "", charge: "p1"))
      #expect(try await fixture.balance(91) == 10)
      await #expect(throws: Workspace.Suspended.self) {
        _ = try await fixture.checkout("start", for: 91)
      }
    }
  }
}
