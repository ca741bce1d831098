import Foundation
import Ledger
import Postgres

extension SupportCase {
  /// Which of the workspace's cases are listed.
  public struct Filter: Sendable, Equatable {
    public enum Owner: Sendable, Equatable {
      case anybody, nobody
      case one(Int64)
    }

    /// nil: all of them.
    public var state: State?
    public var owner: Owner
    public var topic: Topic?
    /// Only those that have waited for an answer since before then.
    public var waitingSince: Date?

    public init(
      state: State?, owner: Owner = .anybody, topic: Topic? = nil, waitingSince: Date? = nil
    ) {
      self.state = state
      self.owner = owner
      self.topic = topic
      self.waitingSince = waitingSince
    }

    /// Whoever waits for us comes by how long; the rest by age, newest first.
    var isQueue: Bool { state == .open }

    fileprivate var conditions: SQL {
      let state: SQL = self.state.map { "and s.state = \($0.rawValue)" } ?? ""
      let topic: SQL = self.topic.map { "and s.topic = \($0.rawValue)" } ?? ""
      let overdue: SQL = waitingSince.map { "and s.waits_since < \($0)" } ?? ""
      let owner: SQL =
        switch self.owner {
        case .anybody: ""
        case .nobody: "and s.assigned_to is null"
        case .one(let id): "and s.assigned_to = \(id)"
        }
      return "\(state) \(topic) \(overdue) \(owner)"
    }
  }

  /// A place in a list of cases.
  public struct Cursor: Sendable, Equatable {
    /// nil in lists by age.
    let waitsSince: Date?
    let id: Int64

    public init(_ supportCase: SupportCase, in filter: Filter) {
      waitsSince = filter.isQueue ? supportCase.waitsSince : nil
      id = supportCase.id
    }

    /// - Returns: nil for a text that is no cursor.
    public init?(_ text: String) {
      let parts = text.split(separator: "~").map(String.init)
      guard let id = parts.last.flatMap({ Int64($0) }), id > 0, parts.count <= 2 else { return nil }
      if parts.count == 2 {
        guard let micros = Int64(parts[0]), (0...Self.latest).contains(micros) else { return nil }
        waitsSince = Date(timeIntervalSince1970: Double(micros) / 1_000_000)
      } else {
        waitsSince = nil
      }
      self.id = id
    }

    public var text: String {
      let micros = waitsSince.map {
        String(Int64(($0.timeIntervalSince1970 * 1_000_000).rounded()))
      }
      return (micros.map { $0 + "~" } ?? "") + String(id)
    }

    /// The year 9999, in microseconds since 1970.
    private static let latest: Int64 = 253_370_764_800_000_000
  }

  /// One page of the workspace's cases.
  public static func list(
    _ filter: Filter, after cursor: Cursor?, limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> (cases: [SupportCase], next: Cursor?) {
    let later: SQL
    let order: SQL
    if filter.isQueue {
      order = "s.waits_since, s.support_case_id"
      later =
        cursor.flatMap { cursor in
          cursor.waitsSince.map {
            "and (s.waits_since, s.support_case_id) > (\($0)::timestamptz, \(cursor.id)::bigint)"
          }
        } ?? ""
    } else {
      order = "s.support_case_id desc"
      later = cursor.map { "and s.support_case_id < \($0.id)" } ?? ""
    }
    var found = try await pool.query(
      """
      select \(columns) from support_cases s
      where s.workspace_id = \(scope.workspaceID) \(filter.conditions) \(later)
      order by \(order) limit \(limit + 1)
      """, in: scope
    ).map(SupportCase.init)
    let hasMore = found.count > limit
    if hasMore { found.removeLast() }
    return (found, hasMore ? found.last.map { Cursor($0, in: filter) } : nil)
  }
}
