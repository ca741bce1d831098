import Foundation
import Ledger
import Postgres
import Testing

@testable import EStars

/// What a customer may use now, however many grants there were.
@Suite struct ActiveAccessTests {
  @Test func eachFeatureIsToldOfOnceUntilItsLastGrantEnds() async throws {
    try await Fixture.with { fixture in
      let scope = fixture.scope
      let workspace = scope.workspaceID
      let day: TimeInterval = 86_400
      let customer = try await fixture.pool.transaction(in: scope) { tx in
        let id = try await tx.customer(telegramID: 540, name: nil, in: scope, at: scope.now).id
        try await tx.execute(
          """
          insert into entitlements (workspace_id, entitlement, title, position)
          select \(workspace)::bigint, e, e, 90 from unnest(array['e1', 'e2', 'e3']) e
          """)
        // The first runs, 120 newer ones are over, and another waits behind the first.
        try await tx.execute(
          """
          insert into access_grants (workspace_id, customer_id, entitlement, starts_at, ends_at)
          select \(workspace)::bigint, \(id)::bigint, g.entitlement, g.starts_at, g.ends_at
          from (
            select 0, 'e1', \(scope.now - day)::timestamptz, \(scope.now + day)::timestamptz
            union all
            select n, 'e1', \(scope.now - 9 * day)::timestamptz, \(scope.now - 8 * day)::timestamptz
            from generate_series(1, 120) n
            union all
            select 121, 'e1', \(scope.now + day)::timestamptz, \(scope.now + 3 * day)::timestamptz
            union all
            select 122, 'e2', \(scope.now - day)::timestamptz, 'infinity'
            union all
            select 123, 'e3', \(scope.now + day)::timestamptz, 'infinity'
          ) g (n, entitlement, starts_at, ends_at) order by g.n
          """)
        return id
      }
      let active = try await ActiveAccess.of(customer: customer, in: scope, fixture.pool)
      #expect(active.map(\.entitlement) == ["e1", "e2"])
      let end = try #require(active.first?.endsAt)
      #expect(abs(end.timeIntervalSince(scope.now + 3 * day)) < 60)
      #expect(active.last?.endsAt == .distantFuture)
    }
  }
}
