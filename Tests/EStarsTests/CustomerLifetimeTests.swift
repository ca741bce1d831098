import Foundation
import Postgres
import TestSupport
import Testing

@testable import EStars

/// What a customer's uses cost, in the money of the workspace.
@Suite struct CustomerLifetimeTests {
  @Test func costsOfEveryCurrencyCount() async throws {
    try await Fixture.with { fixture in
      let (scope, pool) = (fixture.scope, fixture.pool)
      let payment = try await fixture.pay("start", user: 51, charge: "lifetime")
      var rates = try await Rates.of(scope, pool)
      func lifetime() async throws -> CustomerLifetime {
        try await CustomerLifetime.of(
          customer: payment.customerID, at: rates, in: scope, pool)
      }
      func count(_ micros: Int64, of currency: String) async throws {
        try await fixture.database.superPool.execute(
          """
          insert into customer_days (workspace_id, day, customer_id, cost_micros, cost_currency)
          values (\(fixture.workspace.id), '2026-11-01', \(payment.customerID), \(micros),
            \(currency))
          """)
      }
      let uncounted = try await lifetime()
      #expect(uncounted.costMicros == nil && uncounted.netStars == 75)
      // There are figures, and nothing was spent.
      try await count(0, of: "")
      #expect(try await lifetime().costMicros == 0)
      rates.currency = "BRL"
      rates.currencyMicrosPerUSD = 5_000_000
      try await count(700, of: "BRL")
      try await count(1_000, of: "USD")
      try await count(9, of: "JPY")
      #expect(try await lifetime().costMicros == 700 + 5_000)
    }
  }
}
