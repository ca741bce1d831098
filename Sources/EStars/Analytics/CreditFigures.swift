import Foundation
import Ledger
import Postgres

/// What became of one unit of credits. All numbers are positive but ``forgiven``.
public struct CreditFigures: Sendable, Equatable {
  /// Given, by where they came from (`payment`, `bonus`, `trial`, …). Credits that went on into a new
  /// lot were given before.
  public var issuedBySource: [String: Int64] = [:]
  /// By where they came from.
  public var usedBySource: [String: Int64] = [:]
  public var expired: Int64 = 0
  /// By refunds.
  public var takenBack: Int64 = 0
  /// Used, refunded and not asked back.
  public var forgiven: Int64 = 0

  public var issued: Int64 { issuedBySource.values.reduce(0, +) }
  public var used: Int64 { usedBySource.values.reduce(0, +) }

  /// By how much these movements changed what is owed.
  public var owedChange: Int64 { issued - used - expired - takenBack + forgiven }

  public init() {}

  fileprivate mutating func add(_ kind: String, _ source: String, _ credits: Int64) {
    switch kind {
    // Their expiry stands beside them, so together they come to nothing.
    case "credit" where source == "carried": expired -= credits
    case "credit": issuedBySource[source, default: 0] += credits
    case "debit": usedBySource[source, default: 0] -= credits
    case "expire": expired -= credits
    case "clawback": takenBack -= credits
    case "forgive": forgiven += credits
    default: break
    }
  }

  /// nil = all units together.
  fileprivate static func of(_ unit: Int16?) -> SQL { unit.map { "and unit = \($0)" } ?? "" }

  /// - Parameter unit: nil = all together.
  public static func total(
    _ days: ClosedRange<Day>, unit: Int16?, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> CreditFigures {
    var figures = CreditFigures()
    let rows = try await pool.query(
      """
      select kind::text as kind, source, sum(credits)::bigint as credits from credit_days
      where workspace_id = \(scope.workspaceID) \(Self.of(unit))
        and \(days.covers("day"))
      group by kind, source
      """, in: scope)
    for row in rows {
      figures.add(try row.get("kind"), try row.get("source"), try row.get("credits"))
    }
    return figures
  }

  /// Days on which nothing moved are left out.
  public static func byDay(
    _ days: ClosedRange<Day>, unit: Int16?, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Day: CreditFigures] {
    var figures: [Day: CreditFigures] = [:]
    let rows = try await pool.query(
      """
      select day::text as day, kind::text as kind, source, credits from credit_days
      where workspace_id = \(scope.workspaceID) \(Self.of(unit))
        and \(days.covers("day"))
      """, in: scope)
    for row in rows {
      figures[try row.day("day"), default: CreditFigures()]
        .add(try row.get("kind"), try row.get("source"), try row.get("credits"))
    }
    return figures
  }
}

/// Credits that customers may still use, those that are held for running work among them.
public struct CreditLiability: Sendable, Equatable {
  public let credits: Int64
  /// Of them, those that a hold has in hand.
  public let held: Int64

  public init(credits: Int64, held: Int64) {
    self.credits = credits
    self.held = held
  }

  /// At the end of a day.
  public static func at(
    _ day: Day, unit: Int16?, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> CreditLiability {
    // A commit gives all back and takes what was used, so that holds and releases come to what is
    // held.
    let row = try await pool.query(
      """
      select coalesce(sum(credits) filter (where kind not in ('hold', 'release')), 0)::bigint
          as credits,
        coalesce(-sum(credits) filter (where kind in ('hold', 'release')), 0)::bigint as held
      from credit_days
      where workspace_id = \(scope.workspaceID) \(CreditFigures.of(unit))
        and day <= \(day.description)::date
      """, in: scope)[0]
    return CreditLiability(credits: try row.get("credits"), held: try row.get("held"))
  }
}
