import EStars
import Foundation

/// What a suspended business answers to bots: uses go by each action's outage policy, nothing new is
/// sold. What was begun (holds, keys that were sent before) is finished, and everything that only
/// reads or reports is served as ever.
enum SuspendedUse {
  /// Whether the action is held back.
  static func stops(_ action: String, _ call: BotCall) async throws -> Bool {
    guard call.workspace.isSuspended else { return false }
    let known = try await call.platform.directory.catalog(of: call.workspace.id).action(action)
    // What was made a moment ago is not in memory yet.
    let found =
      if let known { known } else {
        try await Catalog.load(in: call.scope, call.platform.pool).action(action)
      }
    guard let found else { return false }
    return !found.isOpenInOutage
  }

  /// Before a debit or a hold.
  ///
  /// - Throws: ``Refusal``
  static func admit(_ action: String, key: String, _ call: BotCall) async throws {
    guard try await stops(action, call),
      try await !call.platform.usage.hasSeen(key: key, in: call.scope)
    else { return }
    throw Refusal.workspaceSuspended
  }
}

extension Refusal {
  static let workspaceSuspended = Refusal(
    .serviceUnavailable, "workspace_suspended",
    "This business is suspended: nothing is sold or used. What is paid or held is kept.",
    retryAfterSeconds: 300)
}
