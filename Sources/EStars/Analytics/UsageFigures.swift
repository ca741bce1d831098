import Foundation
import Ledger
import Postgres

/// What bots charged for.
public struct UsageFigures: Sendable, Equatable {
  /// Uses of one action, by one bot or of customers from one source.
  public struct Part: Sendable, Equatable {
    /// Key of an action, number of a bot (0: no bot), or a traffic source.
    public let key: String
    public fileprivate(set) var uses: Int64 = 0
    public fileprivate(set) var units: Int64 = 0
    public fileprivate(set) var credits: Int64 = 0
    /// What was paid for these credits, in millionths of a Star; unpaid credits brought nothing.
    public fileprivate(set) var starMicros: Int64 = 0
    /// What they cost the operator, in millionths of each currency, at the costs of their time.
    public fileprivate(set) var costs: [String: Int64] = [:]

    public init(
      key: String, uses: Int64 = 0, units: Int64 = 0, credits: Int64 = 0, starMicros: Int64 = 0,
      costs: [String: Int64] = [:]
    ) {
      (self.key, self.uses, self.units, self.credits) = (key, uses, units, credits)
      (self.starMicros, self.costs) = (starMicros, costs)
    }

    /// Both together, under the first's key.
    public static func + (one: Part, other: Part) -> Part {
      Part(
        key: one.key, uses: one.uses + other.uses, units: one.units + other.units,
        credits: one.credits + other.credits, starMicros: one.starMicros + other.starMicros,
        costs: one.costs.merging(other.costs, uniquingKeysWith: +))
    }

    /// In millionths of the workspace's currency; nil where one of the costs has no rate.
    public func cost(at rates: Rates) -> Int64? {
      costs.reduce(into: Int64?(0)) { sum, cost in
        guard let known = sum, let micros = rates.micros(cost.value, of: cost.key) else {
          sum = nil
          return
        }
        sum = known + micros
      }
    }
  }

  /// Of each, the one with the most uses first.
  public let byAction: [Part]
  public let byBot: [Part]
  public let bySource: [Part]

  public var total: Part { byAction.reduce(Part(key: ""), +) }

  public init(byAction: [Part], byBot: [Part], bySource: [Part]) {
    (self.byAction, self.byBot, self.bySource) = (byAction, byBot, bySource)
  }

  public static func load(
    _ days: ClosedRange<Day>, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> UsageFigures {
    var parts: [Int: [String: Part]] = [:]
    let rows = try await pool.query(
      """
      select grouping(action, bot_id, traffic_source)::int as part,
        coalesce(action, bot_id::text, traffic_source) as key, cost_currency,
        sum(uses)::bigint as uses, sum(units)::bigint as units, sum(credits)::bigint as credits,
        sum(stars_micros)::bigint as stars_micros, sum(cost_micros)::bigint as cost_micros
      from usage_days where workspace_id = \(scope.workspaceID) and \(days.covers("day"))
      group by grouping sets (
        (action, cost_currency), (bot_id, cost_currency), (traffic_source, cost_currency))
      """, in: scope)
    for row in rows {
      let key: String = try row.get("key")
      let (cost, currency) = (
        try row.get("cost_micros", as: Int64.self), try row.get("cost_currency", as: String.self)
      )
      let part = Part(
        key: key, uses: try row.get("uses"), units: try row.get("units"),
        credits: try row.get("credits"), starMicros: try row.get("stars_micros"),
        costs: cost == 0 ? [:] : [currency: cost])
      parts[try row.get("part"), default: [:]][key, default: Part(key: key)] =
        (parts[try row.get("part")]?[key] ?? Part(key: key)) + part
    }
    func sorted(_ which: Int) -> [Part] {
      (parts[which] ?? [:]).values.sorted { ($1.uses, $0.key) < ($0.uses, $1.key) }
    }
    // A bit for each column that a row is not grouped by.
    return UsageFigures(byAction: sorted(0b011), byBot: sorted(0b101), bySource: sorted(0b110))
  }
}
