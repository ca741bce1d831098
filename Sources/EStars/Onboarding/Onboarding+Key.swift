import Foundation
import Ledger
import Postgres

extension Onboarding {
  /// The first key of a bot, and what can be tried with it at once.
  public struct FirstKey: Sendable {
    /// Nobody can ask for it again.
    public let text: String
    /// An action that needs no feature; nil where there is none in force.
    public let action: String?
    /// A pack that everybody may buy; nil where there is none on sale.
    public let sku: String?
  }

  /// Bots of a side that a key can be made for.
  public static func bots(of side: Workspace, _ pool: Pool) async throws -> [Bot] {
    try await Bot.all(in: side.scope, pool).filter(\.isConnected)
  }

  /// Makes a key that may do everything that a bot may.
  ///
  /// - Throws: ``APIKey/ChangeProblem/notFound``
  public static func makeKey(
    for botID: Int64, of side: Workspace, by actor: Actor, _ pool: Pool
  ) async throws -> FirstKey {
    let made = try await APIKey.create(
      name: "Quickstart", botID: botID, scopes: APIKey.Scope.allCases, side: side.side,
      by: actor, in: side.scope, pool)
    let catalog = try await Catalog.load(in: side.scope, pool)
    return FirstKey(
      text: made.text, action: catalog.actions.first { $0.requiredEntitlement == nil }?.key,
      sku: catalog.listed.first { $0.audience == .everyone }?.sku)
  }

  /// A bot of the sandbox at once.
  ///
  /// - Throws: ``Bot/SandboxProblem``
  public static func startSandboxBot(
    of side: Workspace, at sandbox: URL, _ connections: BotConnection, by actor: Actor
  ) async throws {
    _ = try await Bot.startSandbox(of: side, at: sandbox, connections, by: actor, in: side.scope)
  }
}
