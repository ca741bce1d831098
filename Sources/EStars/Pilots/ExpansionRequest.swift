import Foundation
import Ledger
import Postgres

/// A business's wish to go from a pilot to as many live bots as it likes, with the drills that it
/// rests on. It belongs to the live side.
public struct ExpansionRequest: Sendable, Equatable {
  public enum State: String, Sendable, CaseIterable { case asked, approved, declined }

  public let id: Int64
  /// The live side.
  public let workspaceID: Int64
  public let state: State
  public let askedAt: Date
  public let askedBy: String
  /// In the operator's words.
  public let body: String
  /// Of the test side.
  public let drillRunID: Int64
  public let decidedAt: Date?
  public let decidedBy: String?
  /// In the admin's words.
  public let answer: String?

  init(_ row: Row) throws {
    id = try row.get("expansion_request_id")
    workspaceID = try row.get("workspace_id")
    state = State(rawValue: try row.get("state")) ?? .asked
    askedAt = try row.get("asked_at")
    askedBy = try row.get("asked_by")
    body = try row.get("body")
    drillRunID = try row.get("drill_run_id")
    decidedAt = try row.getIfPresent("decided_at")
    decidedBy = try row.getIfPresent("decided_by")
    answer = try row.getIfPresent("answer")
  }

  /// The newest of a business.
  ///
  /// - Parameter workspaceID: Its live side.
  public static func latest(of workspaceID: Int64, _ pool: Pool) async throws -> ExpansionRequest? {
    try await pool.query(
      """
      select * from expansion_requests where workspace_id = \(workspaceID)
      order by expansion_request_id desc limit 1
      """
    ).first.map(ExpansionRequest.init)
  }
}

extension ExpansionRequest {
  public enum Refusal: Error, Sendable, Equatable {
    /// The business is no pilot.
    case stage
    case noDrills
    /// The newest drills did not all pass.
    case drillsFailed
    /// The newest drills are older than ``Limits/drillEvidenceSeconds``.
    case drillsOld
    case tooLong
  }

  /// What speaks against asking now; nil: nothing does.
  ///
  /// - Parameter drills: The newest that came to their end, of the test side.
  public static func refusal(
    of drills: DrillRun?, from stage: Workspace.Stage, at: Date
  ) -> Refusal? {
    guard stage == .pilot else { return .stage }
    guard let drills else { return .noDrills }
    guard drills.state == .passed else { return .drillsFailed }
    return drills.isEvidence(at: at) ? nil : .drillsOld
  }

  /// Asks an admin, who sees the drills that the request rests on. One that waits already is given
  /// back as it is.
  ///
  /// - Parameters:
  ///   - live: The live side, which asks.
  ///   - test: Where the drills ran.
  ///   - scope: Of the live side.
  /// - Throws: ``Refusal``
  public static func ask(
    _ body: String, of live: Workspace, drillsIn test: WorkspaceScope, by actor: Actor,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> ExpansionRequest {
    let at = Date()
    let drills = try await DrillRun.latest(finished: true, in: test, pool)
    if let refusal = refusal(of: drills, from: live.stage, at: at) { throw refusal }
    guard let drills else { throw Refusal.noDrills }
    guard body.unicodeScalars.count <= Limits.expansionCharacters else { throw Refusal.tooLong }
    return try await pool.transaction(in: scope) { tx in
      // Whoever comes second holds the row of the first, so that nobody decides meanwhile.
      let row = try await tx.query(
        """
        insert into expansion_requests as r (workspace_id, asked_at, asked_by, body, drill_run_id)
        values (\(scope.workspaceID), \(at), \(actor.name), \(body), \(drills.id))
        on conflict (workspace_id) where state = 'asked' do update set asked_by = r.asked_by
        returning *, xmax = 0 as is_new
        """)[0]
      let asked = try ExpansionRequest(row)
      guard try row.get("is_new") else { return asked }
      try await tx.audit(
        actor, "expansion_request.made", "expansion_request", String(asked.id),
        after: ["drill_run": String(drills.id)], in: scope, at: scope.now)
      return asked
    }
  }
}
