import Foundation
@_spi(Guard) import Ledger
import Postgres

/// A business to open: its live and its test side are made together.
public struct WorkspaceRequest: Sendable {
  public let slug: String
  public let name: String
  public let segment: Bot.Segment
  public let timeZone: String
  public let locale: String
  public let stage: Workspace.Stage

  public init(
    slug: String, name: String, segment: Bot.Segment, timeZone: String, locale: String,
    stage: Workspace.Stage = .open
  ) {
    self.slug = slug
    self.name = name
    self.segment = segment
    self.timeZone = timeZone
    self.locale = locale
    self.stage = stage
  }
}

extension Workspace {
  /// Opens both sides: `slug` is live, `slug-test` is the test side. Each gets its own ledger with
  /// one credit unit. No transaction touches two workspaces, so the units are written after.
  public static func open(
    _ request: WorkspaceRequest, at: Date, _ pool: Pool
  ) async throws -> (live: Workspace, test: Workspace) {
    let sides = try await opening(request) {
      try await pool.transaction { tx in try await tx.openSides(request, at: at) }
    }
    guard let live = try await find(id: sides.live, pool),
      let test = try await find(id: sides.test, pool)
    else { throw OpeningProblem.gone }
    for side in [live, test] { try await side.defineCredits(pool) }
    return (live, test)
  }

  /// Checks the slug before the work that opens both sides, and says so where it finds it taken.
  ///
  /// - Throws: ``OpeningProblem``
  static func opening<T: Sendable>(
    _ request: WorkspaceRequest, _ work: () async throws -> T
  ) async throws -> T {
    guard Slug.isWellFormed(request.slug) else { throw OpeningProblem.slug }
    guard !Slug.reserved.contains(request.slug) else { throw OpeningProblem.reserved }
    do { return try await work() } catch let error as PostgresError
      where error.constraint == "workspaces_slug_key"
    { throw OpeningProblem.taken }
  }

  public enum OpeningProblem: Error, Equatable, CustomStringConvertible {
    case slug, reserved, taken, gone
    public var description: String {
      switch self {
      case .slug:
        "the slug is 3 to 43 small letters, digits and hyphens, and does not end in -test"
      case .reserved: "the slug is a word of the product's own"
      case .taken: "another workspace has this slug"
      case .gone: "the workspace that was just made is gone"
      }
    }
  }

  /// The credit unit and the tier that every workspace begins with. Safe to repeat.
  func defineCredits(_ pool: Pool) async throws {
    try await pool.execute(
      """
      insert into credit_units (workspace_id, unit, name) values (\(id), 1, 'credits')
      on conflict do nothing
      """, in: scope)
    try await pool.execute(
      """
      insert into tiers (workspace_id, tier, title, position) values (\(id), 'free', 'Free', 0)
      on conflict do nothing
      """, in: scope)
  }

  /// Both sides of the business with this slug, opened now where there is none.
  public static func sides(
    slug: String, orOpenedAs name: String, locale: String, at: Date, _ pool: Pool
  ) async throws -> [Workspace] {
    let all = try await all(pool)
    if let live = all.first(where: { $0.slug == slug && $0.side == .live }) {
      let sides = [live] + all.filter { $0.id == live.twinID }
      // A process that was killed while it opened them left this out.
      for side in sides { try await side.defineCredits(pool) }
      return sides
    }
    let (live, test) = try await open(
      WorkspaceRequest(
        slug: slug, name: name, segment: .serviceBot, timeZone: "America/Sao_Paulo",
        locale: locale), at: at, pool)
    return [live, test]
  }
}

extension Transaction {
  /// Goes on inside the live side that this transaction has opened, where nobody else is yet. It is in
  /// no other workspace from then on.
  func enterOpened(_ id: Int64) async throws -> WorkspaceScope {
    let scope = WorkspaceScope(workspaceID: id)
    try await enter(scope)
    return scope
  }

  /// The rows of both sides. Their ledgers' first rows are written in transactions of their own.
  func openSides(
    _ request: WorkspaceRequest, at: Date
  ) async throws -> (live: Int64, test: Int64) {
    var ids: [Int64] = []
    for (slug, side) in [(request.slug, "live"), (request.slug + "-test", "test")] {
      ids.append(
        try await query(
          """
          insert into workspaces (slug, name, side, segment, stage, time_zone, locale, created_at)
          values (\(slug), \(request.name), \(side), \(request.segment.rawValue),
            \(request.stage.rawValue), \(request.timeZone), \(request.locale), \(at))
          returning workspace_id
          """)[0].get("workspace_id"))
    }
    try await execute(
      """
      update workspaces set twin_id = case workspace_id when \(ids[0])
        then \(ids[1])::bigint else \(ids[0])::bigint end
      where workspace_id = any(\(ids))
      """)
    return (ids[0], ids[1])
  }
}
