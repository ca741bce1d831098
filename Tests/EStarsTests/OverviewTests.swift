@_spi(Guard) @testable import EStars
import Foundation
@_spi(Guard) import Ledger
import Postgres
import TestSupport
import Testing

/// What the overview counts, whichever time is chosen.
@Suite struct OverviewTests {
  @Test func itCountsTheFirstUnitAndWhatItsTimeHas() async throws {
    try await Fixture.with { fixture in
      let scope = fixture.scope
      let payment = try await fixture.pay("start", user: 7_900_200, charge: "o")
      try await fixture.pool.transaction(in: scope) { tx in
        _ = try await tx.credit(
          Grant(900, source: .promo, expiresAt: nil), to: Account(payment.customerID, unit: 2),
          key: "job:minutes", in: scope, at: scope.now)
        _ = try await tx.debit(
          Debit(300, key: "api:minutes", action: "sticker"),
          from: Account(payment.customerID, unit: 2), in: scope, at: scope.now)
        _ = try await tx.debit(
          Debit(4, key: "api:credits", action: "sticker"), from: Account(payment.customerID),
          in: scope, at: scope.now)
      }
      let rollup = Rollup(fixture.platform)
      _ = try await rollup.follow(in: scope)
      let today = Day(scope.now, in: fixture.workspace.timeZone)
      for choice in [Period.Choice.day, .week, .month] {
        let seen = try await Overview.load(
          Period(choice, today: today), of: fixture.workspace, in: scope, fixture.pool)
        #expect(seen.now.stars == 75, "\(choice)")
        #expect(seen.now.creditsIssued == 10 && seen.now.creditsUsed == 4, "\(choice)")
        #expect(seen.liability.credits == 6 && seen.usedPerDay.now.reduce(0, +) == 4, "\(choice)")
        #expect(seen.newcomers == (choice == .day ? nil : 1), "\(choice)")
        #expect(seen.products.map(\.sku) == (choice == .day ? [] : ["start"]), "\(choice)")
      }
      #expect(try await rollup.recount(in: scope).isEmpty)
    }
  }
}
