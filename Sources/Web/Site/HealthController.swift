import EStars
import Foundation
import Postgres

/// For load balancers: is the process alive, can it do its work.
enum HealthController {
  @Sendable static func live(_ server: Server, _ inbound: Inbound) async throws -> Reply {
    .text("ok")
  }

  @Sendable static func ready(_ server: Server, _ inbound: Inbound) async throws -> Reply {
    let pool = server.platform.pool
    do {
      _ = try await withDeadline(seconds: 1) { try await pool.query("select 1") }
    } catch { throw Refusal.unavailable }
    return .text("ready")
  }
}
