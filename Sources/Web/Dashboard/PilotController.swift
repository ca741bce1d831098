import EStars
import Foundation
import HTTPTypes
import Ledger

/// How far the business is: stage, drills, and the wish for more live bots. Both sides show the same.
enum PilotController {
  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    try await visit.pilotPage()
  }
}

/// Drills run on the test side alone.
enum DrillRunsController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    guard visit.workspace.side == .test else {
      throw Refusal(
        .conflict, "live_side", "Drills run on the test side, where no real Stars move.")
    }
    guard !visit.workspace.isSuspended else {
      return try await visit.pilotPage(status: .conflict)
    }
    do {
      _ = try await DrillRun.start(by: visit.actor, in: visit.scope, visit.platform.pool)
      return .seeOther(Links.pilot(visit.workspace.slug))
    } catch DrillRun.Refusal.noBot {
      return try await visit.pilotPage(status: .conflict)
    }
  }

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let id = try visit.inbound.id("drill_run")
    guard let run = try await DrillRun.find(id: id, in: visit.scope, visit.platform.pool) else {
      throw Refusal.notFound
    }
    let bot = try await visit.platform.directory.bot(run.botID)
    let view = DrillRunView(run: DrillRunRow(run, bot.map(BotLabel.init)))
    return try await visit.livePage(view.render)
  }
}

/// A bot at the sandbox, made and connected with one click.
enum SandboxBotsController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    guard let sandbox = visit.server.configuration.sandboxURL, visit.workspace.side == .test else {
      return try await visit.pilotPage(status: .conflict)
    }
    do {
      _ = try await Bot.startSandbox(
        of: visit.workspace, at: sandbox, visit.connections, by: visit.actor, in: visit.scope)
      return .seeOther(Links.pilot(visit.workspace.slug))
    } catch let problem as Bot.SandboxProblem {
      return try await visit.pilotPage(trouble: .init(problem), status: .conflict)
    }
  }
}

/// A wish for more live bots, which an admin answers.
enum ExpansionRequestsController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let body = visit.inbound.words(try visit.inbound.form()["body"])
    let sides = try await visit.pilotSides()
    guard let live = sides.live, let test = sides.test, sides.isOwnerOfBoth else {
      return try await visit.pilotPage(draft: body, status: .conflict)
    }
    do {
      _ = try await ExpansionRequest.ask(
        body, of: live.workspace, drillsIn: test.scope,
        by: visit.actor, in: live.scope, visit.platform.pool)
      return .seeOther(Links.pilot(visit.workspace.slug))
    } catch is ExpansionRequest.Refusal {
      return try await visit.pilotPage(draft: body, status: .unprocessableContent)
    }
  }
}

extension Route {
  static let pilots: [Route] = [
    Route(.get, "/w/:workspace/pilot", .member(.viewer, PilotController.show)),
    Route(.post, "/w/:workspace/drill-runs", .member(.manager, DrillRunsController.create)),
    Route(
      .get, "/w/:workspace/drill-runs/:drill_run", .member(.viewer, DrillRunsController.show)),
    Route(.post, "/w/:workspace/sandbox-bots", .member(.owner, SandboxBotsController.create)),
    Route(
      .post, "/w/:workspace/expansion-requests",
      .member(.owner, ExpansionRequestsController.create)),
  ]
}
