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
    guard request.slug.wholeMatch(of: /[a-z0-9][a-z0-9-]{1,41}[a-z0-9]/) != nil else {
      throw OpeningProblem.slug
    }
    let sides = try await pool.transaction { tx in
      var ids: [Int64] = []
      for (slug, side) in [(request.slug, "live"), (request.slug + "-test", "test")] {
        ids.append(
          try await tx.query(
            """
            insert into workspaces (slug, name, side, segment, time_zone, locale, stage, created_at)
            values (\(slug), \(request.name), \(side), \(request.segment.rawValue),
              \(request.timeZone), \(request.locale), \(request.stage.rawValue), \(at))
            returning workspace_id
            """)[0].get("workspace_id"))
      }
      try await tx.execute(
        """
        update workspaces set twin_id = case workspace_id when \(ids[0])
          then \(ids[1])::bigint else \(ids[0])::bigint end
        where workspace_id = any(\(ids))
        """)
      return ids
    }
    guard let live = try await find(id: sides[0], pool),
      let test = try await find(id: sides[1], pool)
    else { throw OpeningProblem.gone }
    for side in [live, test] { try await side.defineCredits(pool) }
    return (live, test)
  }

  public enum OpeningProblem: Error, CustomStringConvertible {
    case slug, gone
    public var description: String {
      switch self {
      case .slug: "the slug is 3 to 43 small letters, digits and hyphens"
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
      return [live] + all.filter { $0.id == live.twinID }
    }
    let (live, test) = try await open(
      WorkspaceRequest(
        slug: slug, name: name, segment: .serviceBot, timeZone: "America/Sao_Paulo",
        locale: locale), at: at, pool)
    return [live, test]
  }
}
