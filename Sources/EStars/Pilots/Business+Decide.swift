import Foundation
import Postgres

extension Business {
  /// Stops selling and use on both sides; nothing that is on its way is lost.
  ///
  /// - Throws: ``Workspace/StageRefusal``
  public func suspend(
    reason: String, by admin: Operator, at: Date, _ platform: Platform
  ) async throws {
    try await live.suspend(
      reason: reason, by: Actor(.admin, admin.email), at: at, platform
    ) { tx in
      try await tx.auditAdmin(
        admin, "workspace.suspended", "workspace", String(live.id),
        before: ["stage": live.stage.rawValue],
        after: ["stage": Workspace.Stage.suspended.rawValue], reason: reason, at: at)
    }
  }

  /// Goes back to where the business was.
  ///
  /// - Throws: ``Workspace/StageRefusal``
  public func resume(
    reason: String, by admin: Operator, at: Date, _ platform: Platform
  ) async throws {
    try await live.resume(
      reason: reason, by: Actor(.admin, admin.email), at: at, platform
    ) { tx in
      try await tx.auditAdmin(
        admin, "workspace.resumed", "workspace", String(live.id),
        before: ["stage": Workspace.Stage.suspended.rawValue],
        after: ["stage": live.stageBeneath.rawValue], reason: reason, at: at)
    }
  }
}
