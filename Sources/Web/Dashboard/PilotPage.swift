import EStars
import Foundation
import HTTPTypes
import Ledger

/// The two sides of the business, as far as the operator belongs to them.
struct PilotSides: Sendable {
  var live: Visit?
  var test: Visit?

  var isOwnerOfBoth: Bool {
    live?.membership.role == .owner && test?.membership.role == .owner
  }
}

extension Visit {
  func pilotSides() async throws -> PilotSides {
    let other = try await otherSide()
    return workspace.side == .live
      ? PilotSides(live: self, test: other) : PilotSides(live: other, test: self)
  }

  /// - Parameter draft: What was written to a wish that could not be taken.
  func pilotPage(
    trouble: PilotView.Trouble? = nil, draft: String? = nil, status: HTTPResponse.Status = .ok
  ) async throws -> Reply {
    let (sides, pool) = (try await pilotSides(), platform.pool)
    let before = inbound.query["after"].flatMap { Int64($0) }
    var view = PilotView(
      stage: PilotView.Stage(rawValue: workspace.stage.rawValue) ?? .approved,
      suspension: workspace.suspension.map { .init(at: $0.at, reason: $0.reason) },
      trouble: trouble, expansion: ExpansionPart(limit: Limits.expansionCharacters))
    var newest: DrillRun?
    if let test = sides.test {
      let scope = test.scope
      newest = try await DrillRun.latest(in: scope, pool)
      var older = try await DrillRun.recent(
        before: before ?? newest?.id ?? 1, limit: Self.historyCount + 1, in: scope, pool)
      let hasMore = older.count > Self.historyCount
      if hasMore { older.removeLast() }
      let bots = try await Bot.all(in: scope, pool).reduce(into: [:]) { $0[$1.id] = BotLabel($1) }
      view.drillSlug = test.workspace.slug
      view.run = newest.map { DrillRunRow($0, bots[$0.botID]) }
      view.history = older.map { DrillRunRow($0, bots[$0.botID]) }
      view.paging = Paging(
        nextCursor: hasMore ? older.last.map { String($0.id) } : nil, isFirst: before == nil)
      view.mayRun = test.membership.role >= .manager
      view.mayStartBot = test.membership.role >= .owner
      view.obstacle = try await obstacle(in: scope)
    } else {
      view.obstacle = .otherSide
    }
    view.expansion = try await expansion(sides, newest, draft)
    return try await livePage(view.render, status)
  }

  private static let historyCount = 10

  private func obstacle(in scope: WorkspaceScope) async throws -> PilotView.Obstacle? {
    if workspace.isSuspended { return .suspended }
    let bots = try await DrillRun.sandboxBots(in: scope, platform.pool)
    if bots.contains(where: { $0.mode != .forwarding }) { return nil }
    return server.configuration.sandboxURL == nil ? .sandbox : .bot
  }

  private func expansion(
    _ sides: PilotSides, _ newest: DrillRun?, _ draft: String?
  ) async throws -> ExpansionPart {
    let pool = platform.pool
    var part = ExpansionPart(draft: draft, limit: Limits.expansionCharacters)
    part.liveSlug = sides.live?.workspace.slug
    let liveID = workspace.side == .live ? workspace.id : workspace.twinID
    if let liveID {
      part.request = try await ExpansionRequest.latest(of: liveID, pool).map(
        ExpansionPart.Request.init)
    }
    guard sides.isOwnerOfBoth, let test = sides.test else {
      part.refusal = .owners
      return part
    }
    var finished = newest
    if newest?.state == .running {
      finished = try await DrillRun.latest(finished: true, in: test.scope, pool)
    }
    switch ExpansionRequest.refusal(
      of: finished, from: workspace.stage, at: Date())
    {
    case .noDrills: part.refusal = .noDrills
    case .drillsFailed: part.refusal = .drillsFailed
    case .drillsOld: part.refusal = .drillsOld
    case .stage, .tooLong, nil: break
    }
    return part
  }
}

extension PilotView.Trouble {
  init(_ problem: Bot.SandboxProblem) {
    self =
      switch problem {
      case .sandbox(.notReached), .registration(.noAnswer), .connection(.notReached),
        .connection(.noAnswer):
        .notReached
      case .sandbox(.refused), .registration, .liveSide: .refused
      case .connection: .connection
      }
  }
}

extension ExpansionPart.Request {
  init(_ request: ExpansionRequest) {
    self.init(
      state: .init(rawValue: request.state.rawValue) ?? .asked, askedAt: request.askedAt,
      askedBy: request.askedBy, body: request.body, run: request.drillRunID,
      decidedAt: request.decidedAt, answer: request.answer)
  }
}

extension DrillRunRow {
  init(_ run: DrillRun, _ bot: BotLabel?) {
    self.init(
      id: run.id, state: State(rawValue: run.state.rawValue) ?? .failed,
      bot: bot ?? BotLabel(id: run.botID, username: String(run.botID)), askedBy: run.askedBy,
      askedAt: run.askedAt, finishedAt: run.finishedAt,
      drills: run.drills.compactMap { DrillRow($0, botID: run.botID) })
  }
}

extension DrillRow {
  init?(_ drill: Drill, botID: Int64) {
    guard let name = Name(rawValue: drill.name.rawValue) else { return nil }
    let milliseconds = drill.startedAt.flatMap { start in
      drill.finishedAt.map { Int64($0.timeIntervalSince(start) * 1000) }
    }
    self.init(
      name: name, state: State(rawValue: drill.state.rawValue) ?? .failed,
      problem: drill.problem.flatMap { Problem(rawValue: $0.rawValue) },
      missing: drill.missing.flatMap { Name(rawValue: $0.rawValue) }, botID: botID,
      facts: drill.facts, finishedAt: drill.finishedAt,
      milliseconds: drill.state == .skipped ? nil : milliseconds)
  }
}
