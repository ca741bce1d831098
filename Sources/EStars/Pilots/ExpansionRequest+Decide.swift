import Foundation
import Postgres

extension ExpansionRequest {
  /// Somebody has decided about it meanwhile, or the business is no pilot any more.
  public struct Late: Error, Equatable, Sendable {}

  public static let answerCharacters = 2000

  public static func find(id: Int64, _ pool: Pool) async throws -> ExpansionRequest? {
    try await pool.query(
      "select * from expansion_requests where expansion_request_id = \(id)"
    ).first.map(ExpansionRequest.init)
  }

  /// Those that wait for an admin, oldest first.
  public static func waiting(_ pool: Pool) async throws -> [ExpansionRequest] {
    try await pool.query(
      """
      select * from expansion_requests where state = 'asked'
      order by expansion_request_id limit \(Limits.pageSize)
      """
    ).map(ExpansionRequest.init)
  }

  /// Lets the business have many live bots, and answers.
  ///
  /// - Throws: ``Late``
  public func approve(
    _ answer: String, by admin: Operator, at: Date, _ platform: Platform
  ) async throws {
    guard let live = try await Workspace.find(id: workspaceID, platform.pool) else {
      throw Late()
    }
    do {
      try await live.toOpen(
        reason: answer, by: Actor(.admin, admin.email), at: at, platform
      ) { tx in
        try await tx.decide(self, .approved, answer, by: admin, of: live, at: at)
      }
    } catch is Workspace.StageRefusal { throw Late() }
  }

  /// The pilot goes on as it is.
  ///
  /// - Throws: ``Late``
  public func decline(
    _ answer: String, by admin: Operator, at: Date, _ platform: Platform
  ) async throws {
    guard let live = try await Workspace.find(id: workspaceID, platform.pool) else {
      throw Late()
    }
    try await platform.pool.transaction(in: live.scope) { tx in
      try await tx.decide(self, .declined, answer, by: admin, of: live, at: at)
    }
  }
}

extension Transaction {
  fileprivate func decide(
    _ request: ExpansionRequest, _ state: ExpansionRequest.State, _ answer: String,
    by admin: Operator, of live: Workspace, at: Date
  ) async throws {
    let decided = try await execute(
      """
      update expansion_requests set state = \(state.rawValue), decided_at = \(at),
        decided_by = \(admin.email), answer = \(answer)
      where expansion_request_id = \(request.id) and state = 'asked'
      """)
    guard decided == 1 else { throw ExpansionRequest.Late() }
    let action =
      state == .approved ? "expansion_request.approved" : "expansion_request.declined"
    try await audit(
      Actor(.admin, admin.email), action, "expansion_request", String(request.id), reason: answer,
      in: live.scope, at: live.scope.now)
    try await auditAdmin(
      admin, action, "workspace", String(live.id), reason: answer, at: at)
  }
}

extension Business {
  /// The drills that speak for the business: those that its open request rests on, or else the newest
  /// that came to their end.
  public func evidence(
    for request: ExpansionRequest?, _ pool: Pool
  ) async throws -> DrillRun? {
    guard let test else { return nil }
    if let request, request.state == .asked {
      return try await DrillRun.find(id: request.drillRunID, in: test.scope, pool)
    }
    return try await DrillRun.latest(finished: true, in: test.scope, pool)
  }
}
