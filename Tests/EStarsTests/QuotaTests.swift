import Foundation
import Ledger
import Postgres
import TestSupport
import Testing

@_spi(Guard) @testable import EStars

/// Quotas, free units and unmetered access, at moments that a test chooses.
@Suite struct QuotaTests {
  private static let rules: [String: UsageModel.Rule] = [
    "stems": .init(
      price: 2, unmetered: "unlimited",
      allowances: ["free": .init(month: 3), "pro": .init(month: 20, free: 5)]),
    "daily": .init(price: 0, allowances: ["free": .init(day: 100)]),
    "free_day": .init(price: 3, allowances: ["free": .init(free: 2, freePeriod: .day)]),
    "plain": .init(price: 2),
  ]

  private static func with(
    zone: String = "America/Sao_Paulo", _ body: (Fixture) async throws -> Void
  ) async throws {
    try await Fixture.with { fixture in
      try await fixture.write(rules, zone: zone)
      try await body(fixture)
    }
  }

  @Test func oneHundredADayIsOneHundredForSixtyFourClientsOnTwoPlatforms() async throws {
    try await Self.with { fixture in
      let second = Platform(
        pool: Pool(fixture.pool.configuration, logger: TestCluster.logger),
        secrets: try Secrets(hex: Fixture.key), logger: TestCluster.logger)
      let scope = fixture.scope
      let answers = try await withThrowingTaskGroup(of: [UsageStatus].self) { group in
        for client in 0..<64 {
          group.addTask {
            let usage = client % 2 == 0 ? fixture.platform.usage : second.usage
            var statuses: [UsageStatus] = []
            for number in 0..<4 {
              let check = CheckRequest(telegramID: 400, action: "daily", units: 1)
              // Holds count as debits do.
              let key = "q\(client)-\(number)"
              if client % 4 == 3 {
                let request = HoldRequest(
                  check: check, ref: nil, seconds: 600, idempotencyKey: key,
                  botID: fixture.bot.id)
                statuses.append(try await usage.hold(request, in: scope).usage.status)
              } else {
                let request = DebitRequest(check: check, ref: nil, idempotencyKey: key)
                statuses.append(try await usage.debit(request, in: scope).status)
              }
            }
            return statuses
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      await second.close()
      #expect(answers.filter { $0 == .applied }.count == 100)
      #expect(answers.filter { $0 == .quotaExceeded }.count == 156)
      #expect(
        try await fixture.count(
          "select units as count from usage_counters where period = 'lifetime'") == 100)
    }
  }

  @Test func aReplayIsAnsweredWhenTheQuotaIsUsedUpAndWhenTheRulesChanged() async throws {
    try await Self.with { fixture in
      try await fixture.give(20, to: 401)
      let at = Date()
      let first = try await fixture.debit(401, "stems", 3, key: "a", at: at)
      #expect(first.status == .applied && first.cost == 6 && first.balance == 14)
      let over = try await fixture.debit(401, "stems", 1, key: "b", at: at)
      #expect(over.status == .quotaExceeded)
      #expect(over.quota?.period == .month && over.quota?.limit == 3 && over.quota?.used == 3)
      #expect(over.quota?.left == 0)
      #expect(try await fixture.debit(401, "stems", 3, key: "a", at: at).status == .replayed)
      try await fixture.pool.execute(
        """
        update action_tiers set units_per_month = 1, free_units = 9
        where action = 'stems' and tier = 'free'
        """, in: fixture.scope)
      let replay = try await fixture.debit(401, "stems", 3, key: "a", at: at)
      #expect(replay.status == .replayed && replay.cost == 6 && replay.freeUnits == 0)
      #expect(try await fixture.debit(401, "stems", 2, key: "a", at: at).status == .conflict)
      #expect(try await fixture.units(401, "stems") == [3, 3, 3])
    }
  }

  @Test func freeUnitsComeFirstAndAReplayRemembersThem() async throws {
    try await Self.with { fixture in
      try await fixture.give(10, to: 402)
      let at = Date()
      let partly = try await fixture.debit(402, "free_day", 3, key: "a", at: at)
      #expect(partly.status == .applied && partly.cost == 3 && partly.freeUnits == 2)
      #expect(partly.balance == 7 && partly.version != nil)
      let paid = try await fixture.debit(402, "free_day", 1, key: "b", at: at)
      #expect(paid.cost == 3 && paid.freeUnits == 0)
      let replay = try await fixture.debit(402, "free_day", 3, key: "a", at: at)
      #expect(replay.status == .replayed && replay.cost == 3 && replay.freeUnits == 2)
      #expect(replay.balance == 7 && replay.version == partly.version)
      let tomorrow = try await fixture.debit(
        402, "free_day", 2, key: "c", at: at.addingTimeInterval(86_400))
      #expect(tomorrow.cost == 0 && tomorrow.freeUnits == 2)
    }
  }

  @Test func whoeverNobodyHasSeenMayUseWhatIsFreeAndIsCounted() async throws {
    try await Self.with { fixture in
      let at = Date()
      let first = try await fixture.debit(403, "free_day", 2, key: "a", at: at)
      #expect(first.status == .applied && first.cost == 0 && first.freeUnits == 2)
      #expect(try await fixture.debit(403, "free_day", 1, key: "b", at: at).status == .insufficient)
      #expect(try await fixture.units(403, "free_day") == [2, 2, 2])
      // What is declined leaves nothing behind.
      #expect(try await fixture.debit(404, "free_day", 3, key: "c", at: at).status == .insufficient)
      #expect(try await fixture.debit(405, "daily", 101, key: "d", at: at).status == .quotaExceeded)
      #expect(
        try await Customer.find(telegramID: 404, in: fixture.scope, fixture.pool) == nil)
      #expect(
        try await Customer.find(telegramID: 405, in: fixture.scope, fixture.pool) == nil)
    }
  }

  @Test func aDayAndAMonthAreTheWorkspaces() async throws {
    try await Self.with(zone: "Pacific/Auckland") { fixture in
      try await fixture.give(100, to: 406)
      // 30 June, 23:59:59 in Auckland is 30 June, 11:59:59 in Greenwich.
      let end = Date(timeIntervalSince1970: 1_782_820_799)
      let next = end.addingTimeInterval(1)
      let last = try await fixture.debit(406, "stems", 3, key: "a", at: end)
      #expect(last.status == .applied)
      let over = try await fixture.debit(406, "stems", 1, key: "b", at: end)
      #expect(over.status == .quotaExceeded && over.quota?.resetsAt == next)
      #expect(try await fixture.debit(406, "stems", 1, key: "b", at: next).status == .applied)
      let check = try await fixture.check(406, "stems", 1, at: next)
      #expect(check.status == .allowed && check.quota?.used == 1 && check.tier == "free")
      // 31 July, 12:00 in Greenwich.
      #expect(check.quota?.resetsAt == Date(timeIntervalSince1970: 1_785_499_200))
    }
  }

  @Test func aHigherTierHasItsOwnRulesAndAnEntitlementMayLiftThemAll() async throws {
    try await Self.with { fixture in
      try await fixture.give(50, to: 407)
      let at = Date()
      #expect(try await fixture.debit(407, "stems", 3, key: "a", at: at).cost == 6)
      try await fixture.entitle(407, "pro", days: 2, at: at)
      let pro = try await fixture.check(407, "stems", 7, at: at)
      #expect(pro.tier == "pro" && pro.freeUnits == 5 && pro.cost == 4)
      // What was used in the lower tier counts.
      #expect(pro.quota?.limit == 20 && pro.quota?.used == 3)
      try await fixture.entitle(407, "unlimited", days: 1, at: at)
      let free = try await fixture.debit(407, "stems", 500, key: "b", at: at)
      #expect(free.status == .applied && free.cost == 0 && free.freeUnits == 0)
      #expect(try await fixture.units(407, "stems") == [3, 3, 3])
      let customer = try await Customer.find(telegramID: 407, in: fixture.scope, fixture.pool)
      let quotas = try await Quota.of(customer: customer?.id, in: fixture.scope, fixture.pool)
      #expect(!quotas.contains { $0.action == "stems" })
      let later = at.addingTimeInterval(3 * 86_400)
      #expect(try await fixture.check(407, "stems", 1, at: later).tier == "free")
    }
  }

  @Test func lowCreditsAreToldOnceWhenTheyFallBelowTheThreshold() async throws {
    try await Self.with { fixture in
      try await fixture.give(6, to: 408)
      let at = Date()
      for key in ["a", "b", "b", "c", "d"] {
        _ = try await fixture.debit(408, "plain", 1, key: key, at: at)
      }
      let bodies = try await fixture.pool.query(
        "select body from events where kind = 'credits.low'", in: fixture.scope)
      #expect(try bodies.map { try $0.get("body") } == [#"{"balance":2,"threshold":3}"#])
    }
  }

  @Test func aHoldThatTakesCreditsBelowTheThresholdIsToldOfOnce() async throws {
    try await Self.with { fixture in
      try await fixture.give(10, to: 409)
      var holds: [Int64] = []
      for key in ["a", "b"] {
        holds.append(try #require(try await fixture.hold(409, "plain", 2, key: key).hold?.id))
      }
      for id in holds {
        _ = try await fixture.platform.usage.commit(
          hold: id, units: nil, key: "c\(id)", in: fixture.scope)
      }
      let bodies = try await fixture.pool.query(
        "select body from events where kind = 'credits.low'", in: fixture.scope)
      #expect(try bodies.map { try $0.get("body") } == [#"{"balance":2,"threshold":3}"#])
    }
  }

  @Test func quotasOfACustomerAreThoseOfTheTier() async throws {
    try await Self.with { fixture in
      let nobody = try await Quota.of(customer: nil, in: fixture.scope, fixture.pool)
      let own = nobody.filter { Self.rules[$0.action] != nil }
      #expect(own.map(\.action) == ["daily", "stems"])
      #expect(own.map(\.quota.limit) == [100, 3])
      #expect(own.map(\.quota.left) == [100, 3])
      let tier = try await Tier.of(customer: nil, in: fixture.scope, fixture.pool)
      #expect(tier?.key == "free")
    }
  }
}

extension Fixture {
  func give(_ credits: Int64, to user: Int64, expiresAt: Date? = nil, name: String = "gift")
    async throws
  {
    try await pool.transaction(in: scope) { tx in
      let customer = try await tx.customer(
        telegramID: user, name: nil, in: scope, at: scope.now)
      let answer = try await tx.credit(
        Grant(credits, source: .promo, expiresAt: expiresAt), to: Account(customer.id),
        key: "test:\(name):\(user)", in: scope, at: scope.now)
      #expect(answer.status == .applied)
    }
  }

  func entitle(_ user: Int64, _ entitlement: String, days: Int, at: Date) async throws {
    try await pool.transaction(in: scope) { tx in
      let customer = try await tx.customer(telegramID: user, name: nil, in: scope, at: at)
      try await tx.grantAccess(
        entitlement, days: days, customerID: customer.id, botID: bot.id,
        chargeID: "\(entitlement)-\(user)", in: scope, at: at)
    }
  }

  func debit(
    _ user: Int64, _ action: String, _ units: Int64, key: String, at: Date
  ) async throws -> UsageAnswer {
    let request = DebitRequest(
      check: CheckRequest(telegramID: user, action: action, units: units), ref: nil,
      idempotencyKey: key, botID: bot.id)
    return try UsageAnswer(
      try await pool.query(Usage.posting([request], in: scope, at: at), in: scope)[0])
  }

  func check(
    _ user: Int64, _ action: String, _ units: Int64, at: Date
  ) async throws -> UsageAnswer {
    let request = CheckRequest(telegramID: user, action: action, units: units)
    return try UsageAnswer(
      try await pool.query(Usage.checking([request], in: scope, at: at), in: scope)[0])
  }

  /// What is counted of an action: by day, lifetime and month.
  func units(_ user: Int64, _ action: String) async throws -> [Int64] {
    try await pool.query(
      """
      select u.units from usage_counters u join customers c using (workspace_id, customer_id)
      where u.workspace_id = \(scope.workspaceID) and c.telegram_id = \(user)
        and u.action = \(action) order by u.period, u.starts_on
      """, in: scope
    ).map { try $0.get("units") }
  }
}
