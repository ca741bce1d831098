import Foundation
import Ledger
import Postgres

extension Workspace {
  /// How far a business has been let in. Both of its sides carry the same.
  public enum Stage: String, Sendable, CaseIterable {
    /// Somebody has asked to be let in; there is no workspace yet.
    case applied
    /// The workspace is there, and its owner is invited.
    case approved
    /// The owner is in: one live bot.
    case pilot
    /// As many bots as a workspace may have.
    case open
    /// Nothing is sold or used, and nothing is lost.
    case suspended
  }

  /// That and why a business stands still.
  public struct Suspension: Sendable, Equatable {
    /// The stage that it goes back to.
    public let from: Stage
    public let at: Date
    /// For the operator to read.
    public let reason: String

    /// nil where the row's workspace is not suspended.
    init?(_ row: Row) throws {
      guard let from = try row.getIfPresent("suspended_from", as: String.self).flatMap(Stage.init)
      else { return nil }
      self.from = from
      at = try row.get("suspended_at")
      reason = try row.get("suspension_reason")
    }
  }

  public enum StageRefusal: Error, Equatable, Sendable {
    /// The change does not begin at the stage that the business is at.
    case stage(Stage)
    /// Empty, or longer than ``Limits/suspensionReasonCharacters``.
    case reason
  }

  public var isSuspended: Bool { suspension != nil }

  /// The stage, or the one that a suspended business goes back to.
  public var stageBeneath: Stage { suspension?.from ?? stage }

  /// Whether a second live bot may be added.
  public var hasManyLiveBots: Bool { stageBeneath == .open }

  /// Stops selling and use on both sides. Payments that are on their way are credited, refunds and
  /// jobs go on.
  ///
  /// - Parameters:
  ///   - reason: For the operator to read.
  ///   - also: What belongs into the same transaction, such as the platform's own log.
  /// - Throws: ``StageRefusal``
  public func suspend(
    reason: String, by actor: Actor, at: Date, _ platform: Platform,
    also: @Sendable (Transaction) async throws -> Void = { _ in }
  ) async throws {
    try await take(.suspension(reason), by: actor, at: at, platform, also)
  }

  /// Goes back to where the business was when it was suspended.
  ///
  /// - Throws: ``StageRefusal``
  public func resume(
    reason: String? = nil, by actor: Actor, at: Date, _ platform: Platform,
    also: @Sendable (Transaction) async throws -> Void = { _ in }
  ) async throws {
    try await take(.resumption(reason), by: actor, at: at, platform, also)
  }

  /// The owner is in. Nothing happens where the business is further already.
  public func toPilot(
    by actor: Actor, at: Date, _ platform: Platform,
    also: @Sendable (Transaction) async throws -> Void = { _ in }
  ) async throws {
    try await take(.pilot, by: actor, at: at, platform, also)
  }

  /// From one live bot to many.
  ///
  /// - Throws: ``StageRefusal``
  public func toOpen(
    reason: String? = nil, by actor: Actor, at: Date, _ platform: Platform,
    also: @Sendable (Transaction) async throws -> Void = { _ in }
  ) async throws {
    try await take(.opening(reason), by: actor, at: at, platform, also)
  }

  private func take(
    _ step: StageStep, by actor: Actor, at: Date, _ platform: Platform,
    _ also: @Sendable (Transaction) async throws -> Void
  ) async throws {
    let change = try await platform.pool.transaction(in: scope) { tx in
      let change = try await tx.take(step, of: self, by: actor, at: at)
      try await also(tx)
      return change
    }
    try await change?.follow(platform)
  }
}

/// A step of a business from one stage to another.
enum StageStep: Sendable, Equatable {
  case pilot
  /// With the reason, for the log.
  case opening(String?)
  case suspension(String)
  case resumption(String?)

  fileprivate var action: String {
    switch self {
    case .pilot, .opening: "workspace.stage_changed"
    case .suspension: "workspace.suspended"
    case .resumption: "workspace.resumed"
    }
  }

  fileprivate var reason: String? {
    switch self {
    case .pilot: nil
    case .opening(let reason), .resumption(let reason): reason
    case .suspension(let reason): reason
    }
  }
}

/// A step that was taken, for what comes after its transaction.
struct StageChange: Sendable {
  fileprivate let workspace: Workspace
  /// Of the workspace's log.
  fileprivate let line: Int64

  /// Lets this process know at once, and tells the other side's log.
  func follow(_ platform: Platform) async throws {
    try await platform.directory.reload(workspace: workspace.id)
    guard let twinID = workspace.twinID,
      let twin = try await Workspace.find(id: twinID, platform.pool)
    else { return }
    try await platform.directory.reload(workspace: twinID)
    try await AuditEntry.mirror(line, to: twin, platform.pool)
  }
}

extension Transaction {
  /// Moves both sides of a business on, in one statement, and writes it into the log of the one whose
  /// transaction this is. The other side's log is told by ``StageChange/follow(_:)``, or by a job
  /// where that is never reached.
  ///
  /// - Returns: nil where there is nothing to do.
  /// - Throws: ``Workspace/StageRefusal``
  func take(
    _ step: StageStep, of workspace: Workspace, by actor: Actor, at: Date
  ) async throws -> StageChange? {
    let sides = [workspace.id] + [workspace.twinID].compactMap(\.self)
    let rows = try await query(
      """
      select \(Workspace.columns) from workspaces w where w.workspace_id = any(\(sides))
      order by w.workspace_id for no key update
      """
    ).map(Workspace.init)
    guard let present = rows.first(where: { $0.id == workspace.id }),
      let (to, from) = try step.outcome(for: present)
    else { return nil }
    if case .suspension(let reason) = step {
      guard (1...Limits.suspensionReasonCharacters).contains(reason.unicodeScalars.count) else {
        throw Workspace.StageRefusal.reason
      }
      try await execute(
        """
        update workspaces set stage = 'suspended', suspended_from = \(from?.rawValue),
          suspended_at = \(at), suspension_reason = \(reason)
        where workspace_id = any(\(sides))
        """)
    } else if to == .suspended {
      try await execute(
        """
        update workspaces set suspended_from = \(from?.rawValue) where workspace_id = any(\(sides))
        """)
    } else {
      try await execute(
        """
        update workspaces set stage = \(to.rawValue), suspended_from = null, suspended_at = null,
          suspension_reason = null
        where workspace_id = any(\(sides))
        """)
    }
    let isBeneath = to == .suspended && step == .pilot
    let (before, after) = isBeneath ? (present.stageBeneath, from ?? to) : (present.stage, to)
    let line = try await auditBothSides(
      actor, step.action, "workspace", String(workspace.id),
      before: ["stage": before.rawValue], after: ["stage": after.rawValue], reason: step.reason,
      in: workspace.scope, and: workspace.twinID,
      at: at.addingTimeInterval(TimeInterval(workspace.clockOffsetSeconds)))
    return StageChange(workspace: workspace, line: line)
  }
}

extension StageStep {
  /// The stage after the step and, of a suspended business, the one beneath; nil where the step was
  /// taken before.
  fileprivate func outcome(
    for workspace: Workspace
  ) throws -> (stage: Workspace.Stage, suspendedFrom: Workspace.Stage?)? {
    switch self {
    case .pilot:
      guard workspace.stageBeneath == .approved else { return nil }
      return workspace.isSuspended ? (.suspended, .pilot) : (.pilot, nil)
    case .opening:
      guard workspace.stage == .pilot else { throw Workspace.StageRefusal.stage(workspace.stage) }
      return (.open, nil)
    case .suspension:
      guard !workspace.isSuspended else { throw Workspace.StageRefusal.stage(.suspended) }
      return (.suspended, workspace.stage)
    case .resumption:
      guard let suspension = workspace.suspension else {
        throw Workspace.StageRefusal.stage(workspace.stage)
      }
      return (suspension.from, nil)
    }
  }
}
