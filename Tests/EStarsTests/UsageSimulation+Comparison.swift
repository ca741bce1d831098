import Foundation
import Ledger
import Postgres
import TestSupport

@_spi(Guard) @testable import EStars

extension UsageSimulation {
  /// What an answer says otherwise than the model.
  func differ(_ answer: UsageAnswer, _ expected: UsageModel.Answer) -> [String] {
    guard answer.status == expected.status else {
      return ["answered \(answer), expected \(expected)"]
    }
    var actual = UsageModel.Answer(status: answer.status)
    var wanted = expected
    if answer.status == .conflict || answer.status == .unknownAction { return [] }
    (actual.cost, actual.free) = (answer.cost, answer.freeUnits)
    actual.entitlement = answer.entitlement
    if [.noAccess, .tooManyUnits].contains(answer.status) {
      wanted.balance = 0
    } else {
      actual.balance = answer.balance
      (actual.period, actual.limit) = (answer.quota?.period, answer.quota?.limit)
      (actual.used, actual.resetsAt) = (answer.quota?.used, answer.quota?.resetsAt)
    }
    return actual == wanted ? [] : ["answered \(actual), expected \(wanted)"]
  }

  /// The customer in the database and in the model: open lots in burn order, balance, what is held,
  /// and what counts in the present periods.
  mutating func compare(_ user: Int64) async throws -> [String] {
    model.expire(user, at: time)
    let starts = Quota.Period.allCases.map { name(model.starts($0, time), $0) }
    let row = try await fixture.pool.query(
      """
      select coalesce(b.balance, 0)::bigint as balance, coalesce(b.held, 0)::bigint as held, array(
          select o.reason || ' ' || o.amount_left from open_lots o
          where o.workspace_id = c.workspace_id and o.account_id = c.customer_id
            and o.expires_at > \(time) order by o.position) as lots,
        array(select u.action || ' ' || u.period || ' ' || u.units || ' ' || u.free_units
          from usage_counters u
          where u.workspace_id = c.workspace_id and u.customer_id = c.customer_id
            and u.starts_on = any (\(starts)::date[]) and u.units > 0
            and (u.period <> 'month' or u.starts_on = \(starts[1])::date)
            and (u.period <> 'day' or u.starts_on = \(starts[0])::date) order by 1) as counters
      from customers c
      left join lateral ledger_balance(c.workspace_id, c.customer_id, 1::smallint, \(time)) b
        on true
      where c.workspace_id = \(fixture.scope.workspaceID) and c.telegram_id = \(user)
      """, in: fixture.scope
    ).first
    var differences: [String] = []
    func check<T: Equatable>(_ what: String, _ actual: T, _ expected: T) {
      if actual != expected {
        differences.append("\(what) of \(user): \(actual), expected \(expected)")
      }
    }
    check("balance", try row?.get("balance") ?? 0, model.balance(user))
    check("held", try row?.get("held") ?? 0, model.held(user))
    check("lots", try row?.get("lots") ?? [], lots(user))
    check("counters", try row?.get("counters") ?? [], counters(user))
    return differences
  }

  private func lots(_ user: Int64) -> [String] {
    model.openLots(user).compactMap { index in
      model.customers[user].map { "\($0.lots[index].name) \($0.lots[index].left)" }
    }
  }

  private func counters(_ user: Int64) -> [String] {
    var lines: [String] = []
    for action in ["stems", "daily", "gift"] {
      for period in Quota.Period.allCases {
        let uses = model.uses(user, action, in: period, time)
        let units = uses.reduce(0) { $0 + $1.units }
        let free = uses.reduce(0) { $0 + $1.free }
        if units > 0 { lines.append("\(action) \(period.rawValue) \(units) \(free)") }
      }
    }
    return lines.sorted()
  }

  private func name(_ start: Date, _ period: Quota.Period) -> String {
    if period == .lifetime { return "-infinity" }
    let parts = model.calendar.dateComponents([.year, .month, .day], from: start)
    return "\(parts.year ?? 0)-\(parts.month ?? 0)-\(parts.day ?? 0)"
  }
}
