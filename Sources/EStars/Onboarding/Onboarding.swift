import Foundation
import Ledger
import Postgres

/// The first steps of a business. What is done is read from its data, never ticked.
public struct Onboarding: Sendable, Equatable {
  public enum Step: String, Sendable, CaseIterable {
    /// Of the one who looks.
    case secondFactor = "second_factor"
    /// Language and time zone.
    case settings
    case rates
    /// On the test side, where everything is tried first.
    case bot
    case packs
    case actions
    /// Of a bot of the test side.
    case key
    /// All of them, the last time they ran.
    case drills
  }

  /// What one side has.
  public struct Side: Sendable, Equatable {
    public let workspace: Workspace
    /// Somebody has looked at them, whether they were changed or not.
    public let hasSettings: Bool
    public let hasRates: Bool
    /// Bots that are connected.
    public let bots: Int
    /// On sale.
    public let packs: Int
    /// In force.
    public let actions: Int
    /// Keys that open the API now.
    public let keys: Int
    /// When a bot last called with one of them.
    public let keyUsedAt: Date?

    init(_ workspace: Workspace, _ row: Row) throws {
      self.workspace = workspace
      hasSettings = try row.get("has_settings")
      hasRates = try row.get("has_rates")
      bots = try row.get("bots")
      packs = try row.get("packs")
      actions = try row.get("actions")
      keys = try row.get("keys")
      keyUsedAt = try row.getIfPresent("key_used_at")
    }
  }

  /// The newest drills that ran to their end.
  public struct Drills: Sendable, Equatable {
    public let finishedAt: Date
    public let passed: Int
    public let failed: Int

    public var havePassed: Bool { passed > 0 && failed == 0 }
  }

  public let hasSecondFactor: Bool
  /// Those that the one who looks owns, the one in the address first.
  public let sides: [Side]
  public let drills: Drills?
  /// Since when nobody is reminded of it any more.
  public let putAwayAt: Date?

  public func side(_ side: Workspace.Side) -> Side? { sides.first { $0.workspace.side == side } }

  public func isDone(_ step: Step) -> Bool {
    switch step {
    case .secondFactor: hasSecondFactor
    case .settings: sides.contains(where: \.hasSettings)
    case .rates: sides.allSatisfy(\.hasRates)
    case .bot: (side(.test)?.bots ?? 0) > 0
    case .packs: sides.allSatisfy { $0.packs > 0 }
    case .actions: sides.allSatisfy { $0.actions > 0 }
    case .key: (side(.test)?.keys ?? 0) > 0
    case .drills: drills?.havePassed ?? false
    }
  }

  public var doneSteps: Int { Step.allCases.count(where: isDone) }
  public var isFinished: Bool { doneSteps == Step.allCases.count }

  /// The step to do now; nil when all are done.
  public var next: Step? { Step.allCases.first { !isDone($0) } }

  /// - Parameter sides: Those that the person owns.
  public static func load(
    for person: Operator, on sides: [Workspace], _ pool: Pool
  ) async throws -> Onboarding {
    var found: [Side] = []
    for side in sides {
      found.append(
        try Side(side, try await pool.query(facts(of: side, at: Date()), in: side.scope)[0]))
    }
    let row = try await pool.query(
      """
      select onboarded_at, drills_finished_at, coalesce(drills_passed, 0) as drills_passed,
        coalesce(drills_failed, 0) as drills_failed
      from workspaces where workspace_id = any(\(sides.map(\.id)))
      order by drills_finished_at desc nulls last limit 1
      """
    ).first
    let finishedAt = try row?.getIfPresent("drills_finished_at", as: Date.self)
    return Onboarding(
      hasSecondFactor: person.secondFactorSince != nil, sides: found,
      drills: try finishedAt.flatMap { at in
        try row.map {
          Drills(
            finishedAt: at, passed: try $0.get("drills_passed"),
            failed: try $0.get("drills_failed"))
        }
      }, putAwayAt: try row?.getIfPresent("onboarded_at"))
  }

  private static func facts(of side: Workspace, at: Date) -> SQL {
    """
    select
      exists (select from audit_entries where workspace_id = \(side.id)
        and subject_kind = 'settings') as has_settings,
      exists (select from audit_entries where workspace_id = \(side.id)
        and subject_kind = 'rates') as has_rates,
      (select count(*) from bots where workspace_id = \(side.id) and disconnected_at is null)
        as bots,
      (select count(*) from packs where workspace_id = \(side.id) and withdrawn_at is null
        and base_sku is null) as packs,
      (select count(*) from actions where workspace_id = \(side.id) and withdrawn_at is null)
        as actions,
      k.keys, k.key_used_at
    from (select count(*) as keys, max(last_used_at) as key_used_at from api_keys
      where workspace_id = \(side.id) and revoked_at is null
        and (expires_at is null or expires_at > \(at))) k
    """
  }

  /// Nobody is reminded of the first steps any more. The page of them stays.
  public static func putAway(_ sides: [Workspace], at: Date, _ pool: Pool) async throws {
    try await pool.execute(
      """
      update workspaces set onboarded_at = \(at)
      where workspace_id = any(\(sides.map(\.id))) and onboarded_at is null
      """)
  }
}
