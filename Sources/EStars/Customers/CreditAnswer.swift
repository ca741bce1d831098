import Foundation
import Ledger
import Postgres

/// Where a customer's credits of one unit went, all of them: what came is what was used, expired,
/// taken back, held and left.
public struct CreditAnswer: Sendable, Equatable {
  /// A payment and what it brought.
  public struct Purchase: Sendable, Equatable {
    /// nil: it matches no checkout, and brought nothing.
    public let title: String?
    public let stars: Int64
    /// With the bonus.
    public let credits: Int64
    public let paidAt: Date
    public let refundedAt: Date?
  }

  /// Credits that nobody paid for.
  public struct Gift: Sendable, Equatable {
    public let source: LotSource
    public let credits: Int64
  }

  public struct Use: Sendable, Equatable {
    /// What the action is called; nil: uses that have no action, or all others.
    public let title: String?
    public let units: Int64
    public let credits: Int64
  }

  /// Credits that are left, until when.
  public struct Rest: Sendable, Equatable {
    public let credits: Int64
    /// nil: they do not expire.
    public let until: Date?
  }

  public let unit: Int16
  /// As the operator calls it, in the plural.
  public let unitName: String
  /// Free to spend; negative: a debt.
  public let available: Int64
  public let held: Int64
  /// The latest ones, newest first.
  public let purchases: [Purchase]
  /// How many there are beside them, and what those brought.
  public let earlierPurchases: Int64
  public let earlierCredits: Int64
  public let gifts: [Gift]
  /// The ones that took most, most first; the rest of them as one.
  public let uses: [Use]
  public let expired: Int64
  /// By refunds, without what was forgiven.
  public let takenBack: Int64
  public let rest: [Rest]

  public var came: Int64 {
    purchases.reduce(earlierCredits) { $0 + $1.credits } + gifts.reduce(0) { $0 + $1.credits }
  }
  public var used: Int64 { uses.reduce(0) { $0 + $1.credits } }

  /// An answer for each credit unit that the customer has.
  public static func all(
    of customer: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [CreditAnswer] {
    let names = try await CreditUnit.all(in: scope, pool)
    var answers: [CreditAnswer] = []
    for unit in try await Balance.units(of: customer, in: scope, pool) {
      let name = names.first { $0.number == unit }?.name ?? "#\(unit)"
      let balance = try await Balance.of(customer: customer, unit: unit, in: scope, pool)
      answers.append(
        try await of(Account(customer, unit: unit), named: name, balance, in: scope, pool))
    }
    return answers
  }

  /// - Parameter balance: of the account, which the page has read already.
  public static func of(
    _ account: Account, named unitName: String, _ balance: Balance, in scope: WorkspaceScope,
    _ pool: Pool
  ) async throws -> CreditAnswer {
    async let moved = movements(of: account, in: scope, pool)
    async let lots = grants(to: account, in: scope, pool)
    async let bought = purchases(by: account, in: scope, pool)
    let (sums, granted, purchases) = (try await moved, try await lots, try await bought)
    let shown = Array(purchases.rows.prefix(Limits.answerPurchases))
    // A due expiry counts, whether or not a job has booked it.
    let due = balance.available < 0 ? 0 : max(0, sums.balance - balance.available)
    return CreditAnswer(
      unit: account.unit, unitName: unitName, available: balance.available, held: balance.held,
      purchases: shown, earlierPurchases: purchases.count - Int64(shown.count),
      earlierCredits: granted.bought - shown.reduce(0) { $0 + $1.credits },
      gifts: granted.gifts, uses: sums.uses,
      // Carried credits expire in one lot and go on in another.
      expired: sums.expired - granted.carried + due, takenBack: sums.takenBack,
      rest: rest(balance))
  }

  private static func rest(_ balance: Balance) -> [Rest] {
    var left: [Date: Int64] = [:]
    for lot in balance.lots { left[lot.expiresAt, default: 0] += lot.left }
    return left.sorted { $0.key < $1.key }.map {
      Rest(credits: $0.value, until: $0.key == .distantFuture ? nil : $0.key)
    }
  }
}

extension CreditAnswer {
  private struct Sums {
    var balance: Int64 = 0
    var uses: [Use] = []
    var expired: Int64 = 0
    var takenBack: Int64 = 0
  }

  private static func movements(
    of account: Account, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Sums {
    let rows = try await pool.query(
      """
      select e.kind, a.title, e.action, e.units, e.amount from (
        select workspace_id, kind::text, case when kind = 'debit' then action end as action,
          sum(coalesce(units, 1)) filter (where kind = 'debit')::bigint as units,
          sum(amount)::bigint as amount
        from entries
        where workspace_id = \(scope.workspaceID) and account_id = \(account.id)
          and unit = \(account.unit)
        group by workspace_id, 2, 3) e
      left join actions a on a.workspace_id = e.workspace_id and a.action = e.action
      order by e.amount
      """, in: scope)
    var sums = Sums()
    for row in rows {
      let amount: Int64 = try row.get("amount")
      sums.balance += amount
      switch try row.get("kind", as: String.self) {
      case "debit":
        sums.uses.append(
          Use(
            title: try row.getIfPresent("title") ?? row.getIfPresent("action"),
            units: try row.get("units"), credits: -amount))
      case "expire": sums.expired -= amount
      case "clawback", "forgive": sums.takenBack -= amount
      default: break
      }
    }
    let others = sums.uses.dropFirst(Limits.answerActions)
    if others.count > 1 {
      sums.uses = Array(sums.uses.prefix(Limits.answerActions))
      sums.uses.append(
        Use(
          title: nil, units: others.reduce(0) { $0 + $1.units },
          credits: others.reduce(0) { $0 + $1.credits }))
    }
    return sums
  }

  private struct Grants {
    var bought: Int64 = 0
    var carried: Int64 = 0
    var gifts: [Gift] = []
  }

  private static func grants(
    to account: Account, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Grants {
    var grants = Grants()
    let rows = try await pool.query(
      """
      select source, charge_id is not null as is_bought, carried_from is not null as is_carried,
        sum(amount)::bigint as credits
      from lots where workspace_id = \(scope.workspaceID) and account_id = \(account.id)
        and unit = \(account.unit)
      group by 1, 2, 3 order by 4 desc
      """, in: scope)
    for row in rows {
      let credits: Int64 = try row.get("credits")
      if try row.get("is_carried") {
        grants.carried += credits
      } else if try row.get("is_bought") {
        grants.bought += credits
      } else {
        grants.gifts.append(Gift(source: try row.get("source"), credits: credits))
      }
    }
    return grants
  }

  /// Payments that filled the account; in the first unit's, those that brought nothing, too.
  private static func purchases(
    by account: Account, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> (rows: [Purchase], count: Int64) {
    let rows = try await pool.query(
      """
      select p.title, p.stars, p.paid_at, p.refunded_at, l.credits,
        count(*) over () as payments
      from payments p
      cross join lateral (
        select sum(l.amount)::bigint as credits from lots l
        where l.workspace_id = p.workspace_id and l.bot_id = p.bot_id
          and l.charge_id = p.charge_id and l.unit = \(account.unit)
          and l.carried_from is null) l
      where p.workspace_id = \(scope.workspaceID) and p.customer_id = \(account.id)
        and (l.credits is not null or \(account.unit == 1)::boolean and not exists (
          select from lots o where o.workspace_id = p.workspace_id and o.bot_id = p.bot_id
            and o.charge_id = p.charge_id))
      order by p.paid_at desc, p.payment_id desc limit \(Limits.answerPurchases)
      """, in: scope)
    return (
      try rows.map { row in
        Purchase(
          title: try row.getIfPresent("title"), stars: try row.get("stars"),
          credits: try row.getIfPresent("credits") ?? 0, paidAt: try row.get("paid_at"),
          refundedAt: try row.getIfPresent("refunded_at"))
      }, try rows.first?.get("payments") ?? 0
    )
  }
}
