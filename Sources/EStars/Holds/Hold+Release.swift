import Foundation
import Ledger
import Postgres

/// Why a hold was not released. Nothing was changed.
public enum HoldReleaseRefusal: Error, Sendable, Equatable {
  case notFound
  /// It was closed meanwhile; with what it is now.
  case closed(Hold)
}

extension Hold {
  /// Gives a hold back on a person's word: credits to their lots, units to the quotas. The audit
  /// line is the only place that keeps the reason.
  ///
  /// - Parameter reason: 1 to ``Limits/noteCharacters`` characters.
  /// - Throws: ``HoldReleaseRefusal``
  public static func release(
    _ id: Int64, reason: String, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    let isDone = try await pool.transaction(in: scope) { tx in
      let answer = try await tx.releaseHold(id, in: scope, at: scope.now)
      switch answer.status {
      case .unknown: throw HoldReleaseRefusal.notFound
      case .applied: break
      default: return false
      }
      try await tx.audit(
        actor, "hold.released", "hold", String(id), before: ["state": "open"],
        after: [
          "state": "released", "credits": String(answer.hold?.credits ?? 0),
          "units": String(answer.hold?.units ?? 0),
          "balance": answer.hold?.closeBalance.map(String.init) ?? "",
        ], reason: reason, in: scope, at: scope.now)
      return true
    }
    guard !isDone else { return }
    guard let hold = try await find(id: id, in: scope, pool) else {
      throw HoldReleaseRefusal.notFound
    }
    throw HoldReleaseRefusal.closed(hold)
  }
}
