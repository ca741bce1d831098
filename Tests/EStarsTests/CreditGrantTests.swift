@_spi(Guard) @testable import EStars
import Foundation
@_spi(Guard) import Ledger
import Postgres
import Testing

/// Credits that a person of the team gives a customer.
@Suite struct CreditGrantTests {
  private static let support = Actor(.operator, "support@estudio.example")

  private func order(
    _ credits: Int64, _ source: CreditGrant.Source = .goodwill, days: Int? = nil,
    unit: Int16 = 1, form: String = CreditGrantOrder.newFormKey()
  ) -> CreditGrantOrder {
    CreditGrantOrder(
      credits, source: source, unit: unit, validDays: days, reason: "the bot was down",
      formKey: form)
  }

  private func customer(_ telegramID: Int64, _ fixture: Fixture) async throws -> Int64 {
    try await fixture.pool.transaction(in: fixture.scope) { tx in
      try await tx.customer(
        telegramID: telegramID, name: nil, in: fixture.scope, at: fixture.scope.now)
    }.id
  }

  private func give(
    _ order: CreditGrantOrder, to customer: Int64, as role: Role = .support, _ fixture: Fixture
  ) async throws -> CreditGrant {
    try await CreditGrant.give(
      order, to: customer, by: Self.support, as: role, in: fixture.scope, fixture.pool)
  }

  private func refusal(
    _ body: () async throws -> CreditGrant
  ) async throws -> CreditGrantRefusal? {
    do {
      _ = try await body()
      return nil
    } catch let refusal as CreditGrantRefusal { return refusal }
  }

  @Test func aGrantIsALotAReasonAndAnAuditLine() async throws {
    try await Fixture.with { fixture in
      let id = try await customer(5, fixture)
      let given = try await give(order(10, .promo, days: 30), to: id, as: .manager, fixture)
      #expect(given.grantedBy == Self.support.name && given.reason == "the bot was down")
      let balance = try await Balance.of(customer: id, in: fixture.scope, fixture.pool)
      #expect(balance.available == 10)
      let lot = try #require(balance.lots.first)
      #expect(lot.source == "promo")
      #expect(abs(lot.expiresAt.timeIntervalSince(given.grantedAt) - 30 * 86_400) < 1)
      let timeline = try await Timeline.of(
        customer: id, in: fixture.scope, fixture.pool)
      guard case .entry(let movement)? = timeline.events.first else {
        Issue.record("no entry on the timeline")
        return
      }
      #expect(movement.reason == "the bot was down" && movement.givenBy == Self.support.name)
      // The reason is in one place, from which it can be erased.
      let repeated = try await fixture.count(
        """
        select (select count(*) from entries where reason is not null)
          + (select count(*) from lots where reason is not null)
          + (select count(*) from audit_entries where reason is not null
            or after::text like '%down%') as count
        """)
      #expect(repeated == 0)
      let audit = try await fixture.pool.query(
        """
        select actor, before ->> 'balance' as before, after ->> 'balance' as after
        from audit_entries where action = 'credit_grant.promo' and subject = \(String(id))
        """, in: fixture.scope)
      #expect(audit.count == 1)
      #expect(try audit[0].get("before", as: String.self) == "0")
      #expect(try audit[0].get("after", as: String.self) == "10")
    }
  }

  @Test func supportGivesUpToTheCapExactlyHoweverManyGiveAtOnce() async throws {
    try await Fixture.with(maxConnections: 24) { fixture in
      let id = try await customer(5, fixture)
      let other = try await customer(6, fixture)
      try await CreditPolicy.change(
        to: CreditPolicy(goodwillCapCredits: 50, lowCreditsThreshold: 3), by: Self.support,
        in: fixture.scope, fixture.pool)
      let refusals = try await withThrowingTaskGroup(of: CreditGrantRefusal?.self) { group in
        for _ in 0..<40 {
          group.addTask { try await refusal { try await give(order(3), to: id, fixture) } }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(refusals.count { $0 == nil } == 16)
      let room = GoodwillRoom(cap: 50, given: 48)
      #expect(refusals.compactMap(\.self).allSatisfy { $0 == .aboveCap(room) })
      #expect(try await fixture.balance(5) == 48)
      // The rest of two still fits, and another customer has a cap of their own.
      _ = try await give(order(2), to: id, fixture)
      #expect(try await refusal { try await give(order(1), to: id, fixture) } != nil)
      _ = try await give(order(50), to: other, fixture)
      // A manager has no such cap, and what a manager gives counts.
      _ = try await give(order(500), to: id, as: .manager, fixture)
      let left = try await GoodwillRoom.of(customer: id, in: fixture.scope, fixture.pool)
      #expect(left == GoodwillRoom(cap: 50, given: 550) && left.left == 0)
    }
  }

  @Test func theCapIsOfThirtyDays() async throws {
    try await Fixture.with { fixture in
      let id = try await customer(5, fixture)
      _ = try await give(order(50), to: id, fixture)
      #expect(try await refusal { try await give(order(1), to: id, fixture) } != nil)
      func scope(afterDays days: Double) -> WorkspaceScope {
        WorkspaceScope(
          workspaceID: fixture.workspace.id, clockOffsetSeconds: Int(days * 86_400))
      }
      func giveLater(_ days: Double) async throws -> CreditGrant {
        try await CreditGrant.give(
          order(1), to: id, by: Self.support, as: .support, in: scope(afterDays: days),
          fixture.pool)
      }
      #expect(try await refusal { try await giveLater(29.9) } != nil)
      #expect(try await refusal { try await giveLater(30.1) } == nil)
    }
  }

  @Test func aFormSentTwiceGivesOnce() async throws {
    try await Fixture.with { fixture in
      let id = try await customer(5, fixture)
      let form = CreditGrantOrder.newFormKey()
      let grants = try await withThrowingTaskGroup(of: CreditGrant.self) { group in
        for _ in 0..<20 {
          group.addTask { try await give(order(10, form: form), to: id, fixture) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(Set(grants.map(\.id)).count == 1)
      #expect(try await fixture.balance(5) == 10)
      #expect(
        try await fixture.count(
          "select count(*) from audit_entries where action = 'credit_grant.goodwill'") == 1)
      // The same form with other values, or for somebody else, is no repetition.
      let other = try await customer(6, fixture)
      for attempt in [(Int64(11), id), (10, other)] {
        let answer = try await refusal {
          try await give(order(attempt.0, form: form), to: attempt.1, fixture)
        }
        #expect(answer == .formUsed)
      }
      #expect(try await fixture.balance(6) == 0)
    }
  }

  @Test func oneFormForTwoCustomersAtOnceGivesOnce() async throws {
    try await Fixture.with { fixture in
      let ids = [try await customer(5, fixture), try await customer(6, fixture)]
      for _ in 0..<10 {
        let form = CreditGrantOrder.newFormKey()
        let refusals = try await withThrowingTaskGroup(of: CreditGrantRefusal?.self) { group in
          for id in ids {
            group.addTask {
              try await refusal {
                try await give(order(1, form: form), to: id, as: .owner, fixture)
              }
            }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(refusals.count { $0 == nil } == 1 && refusals.contains(.formUsed))
      }
      let total = try await fixture.balance(5) + fixture.balance(6)
      #expect(total == 10)
    }
  }

  @Test func anOpeningBalanceMakesTheCustomer() async throws {
    try await Fixture.with { fixture in
      func open(
        _ order: CreditGrantOrder, _ telegramID: Int64, as role: Role = .manager
      ) async throws -> CreditGrant {
        try await CreditGrant.open(
          order, telegramID: telegramID, name: "João", by: Self.support, as: role,
          in: fixture.scope, fixture.pool)
      }
      let refused = try await refusal { try await open(order(9, .adjustment), 77, as: .support) }
      #expect(refused == .role(needed: .manager))
      #expect(
        try await Customer.find(telegramID: 77, in: fixture.scope, fixture.pool) == nil,
        "a refusal leaves nobody behind")
      let form = CreditGrantOrder.newFormKey()
      let ids = try await withThrowingTaskGroup(of: Int64.self) { group in
        for _ in 0..<8 {
          group.addTask { try await open(order(9, .adjustment, form: form), 77).customerID }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(Set(ids).count == 1)
      let customer = try #require(
        try await Customer.find(telegramID: 77, in: fixture.scope, fixture.pool))
      #expect(customer.firstName == "João" && !customer.hasPurchased)
      let found = try await CustomerLookup.find("joao", in: fixture.scope, fixture.pool)
      #expect(found.people.map(\.balance) == [9])
      // Whoever is known keeps the name that Telegram gave.
      _ = try await makeCustomer(88, named: "Ann", fixture)
      _ = try await open(order(3, .adjustment), 88)
      let known = try await Customer.find(telegramID: 88, in: fixture.scope, fixture.pool)
      #expect(known?.firstName == "Ann")
    }
  }

  private func makeCustomer(
    _ telegramID: Int64, named name: String, _ fixture: Fixture
  ) async throws -> Customer {
    try await fixture.pool.transaction(in: fixture.scope) { tx in
      try await tx.customer(
        telegramID: telegramID,
        name: CustomerName(firstName: name, lastName: nil, username: nil, languageCode: nil),
        in: fixture.scope, at: fixture.scope.now)
    }
  }

  @Test func whatDoesNotFitIsRefused() async throws {
    try await Fixture.with { fixture in
      let id = try await customer(5, fixture)
      func answer(_ order: CreditGrantOrder, as role: Role = .owner) async throws
        -> CreditGrantRefusal?
      {
        try await refusal { try await give(order, to: id, as: role, fixture) }
      }
      #expect(try await answer(order(0)) == .credits)
      #expect(try await answer(order(Limits.goodwillCredits + 1)) == .credits)
      #expect(try await answer(order(1, .promo, days: 0)) == .validDays)
      #expect(try await answer(order(1, .promo, days: Limits.grantValidDays + 1)) == .validDays)
      #expect(try await answer(order(1, unit: 9)) == .unit)
      #expect(try await answer(order(1, .promo), as: .support) == .role(needed: .manager))
      #expect(try await answer(order(1), as: .viewer) == .role(needed: .support))
      #expect(try await answer(order(1, form: "short")) == .formUsed)
      let noReason = CreditGrantOrder(
        1, source: .goodwill, reason: "", formKey: CreditGrantOrder.newFormKey())
      #expect(try await answer(noReason) == .reason)
      #expect(
        try await refusal { try await give(order(1), to: 999_999, as: .owner, fixture) }
          == .notFound)
      let made = try await fixture.count(
        "select (select count(*) from credit_grants) + (select count(*) from entries) as count")
      #expect(made == 0)
    }
  }

  @Test func aFullAccountSaysSo() async throws {
    try await Fixture.with { fixture in
      let id = try await customer(5, fixture)
      for days in 1...64 {
        _ = try await give(order(1, .promo, days: days), to: id, as: .owner, fixture)
      }
      let refused = try await refusal {
        try await give(order(1), to: id, as: .owner, fixture)
      }
      #expect(refused == .tooManyLots)
      #expect(try await fixture.balance(5) == 64)
      #expect(try await fixture.count("select count(*) from credit_grants") == 64)
    }
  }

  @Test func debtIsPaidFirstAndOtherUnitsStayApart() async throws {
    try await Fixture.with { fixture in
      let id = try await customer(5, fixture)
      try await fixture.pool.execute(
        """
        insert into credit_units (workspace_id, unit, name)
        values (\(fixture.workspace.id), 2, 'minutes')
        """, in: fixture.scope)
      _ = try await give(order(7, unit: 2), to: id, as: .owner, fixture)
      #expect(try await fixture.balance(5) == 0)
      #expect(try await Balance.units(of: id, in: fixture.scope, fixture.pool) == [1, 2])
      let minutes = try await Balance.of(
        customer: id, unit: 2, in: fixture.scope, fixture.pool)
      #expect(minutes.available == 7)
      let timeline = try await Timeline.of(
        customer: id, unit: 2, in: fixture.scope, fixture.pool)
      #expect(timeline.events.count == 1)
    }
  }

  @Test func thePolicyIsTheOwnersAndAudited() async throws {
    try await Fixture.with { fixture in
      let policy = CreditPolicy(goodwillCapCredits: 0, lowCreditsThreshold: 9)
      for _ in 0..<2 {
        try await CreditPolicy.change(
          to: policy, by: Self.support, in: fixture.scope, fixture.pool)
      }
      #expect(try await CreditPolicy.of(fixture.scope, fixture.pool) == policy)
      let lines = try await fixture.pool.query(
        """
        select before ->> 'goodwill_cap_credits' as before, after ->> 'goodwill_cap_credits' as after
        from audit_entries where action = 'credit_policy.changed'
        """, in: fixture.scope)
      #expect(lines.count == 1, "the same values again are no change")
      #expect(try lines.first?.get("before", as: String.self) == "50")
      #expect(try lines.first?.get("after", as: String.self) == "0")
      let other = try await CreditPolicy.of(fixture.live.scope, fixture.pool)
      #expect(other.goodwillCapCredits == 50, "the live side has its own")
      let id = try await customer(5, fixture)
      #expect(try await refusal { try await give(order(1), to: id, fixture) } != nil)
    }
  }
}
