@_spi(Guard) @testable import EStars
import Foundation
@_spi(Guard) import Ledger
import Postgres
import Testing

@testable import Web

/// Overview, analytics and payments as their addresses ask for them.
@Suite struct FigurePagesTests {
  @Test func theAddressChoosesTheDays() async throws {
    try await ServerFixture.with { fixture in
      let desk = try await Desk(fixture, .viewer)
      for period in ["", "?period=today", "?period=24h", "?period=30d", "?period=90d"] {
        let page = try await desk.get(period)
        #expect(page.status == 200 && page.body.contains("Net Stars"), "\(period)")
      }
      for period in ["", "?period=today", "?period=7d", "?period=90d", "?period=nonsense"] {
        let page = try await desk.get("analytics\(period)")
        #expect(page.status == 200 && page.body.contains("Trial conversion"), "\(period)")
      }
      let own = try await desk.get("analytics?period=custom&from=2026-02-28&to=2026-03-01").body
      #expect(own.contains("28 Feb 2026 – 1 Mar 2026, beside 26 Feb 2026 – 27 Feb 2026."))
      #expect(own.contains(#"name="from" value="2026-02-28""#))
      // What makes no sense is kept where it was typed, and said.
      let wrong = try await desk.get("analytics?period=custom&from=2026-02-30&to=%00").body
      #expect(wrong.contains("Write dates as 2026-11-21"))
      #expect(wrong.contains(#"name="from" value="2026-02-30""#))
      #expect(wrong.contains(#"aria-describedby="dates-problem""#))
    }
  }

  @Test func paymentsAreAskedForInTheAddress() async throws {
    try await ServerFixture.with { fixture in
      let desk = try await Desk(fixture, .viewer)
      let list = try await desk.get("payments?state=refunded&product=plan&bot=x&period=7d").body
      #expect(list.contains("No payment matches"))
      #expect(list.contains(#"<option value="refunded" selected>"#))
      #expect(list.contains(#"<option value="plan" selected>"#))
      #expect(list.contains(#"<option value="7d" selected>"#))
      let dated = try await desk.get("payments?from=2026-11-01").body
      #expect(dated.contains(#"<option value="custom" selected>"#))
      #expect(try await desk.get("payments?from=1.11.2026").body.contains("Write dates as"))
      #expect(try await desk.get("payments?q=77").body.contains("No customer has this Telegram id"))
      #expect(try await desk.get("payments?q=no-such-charge").body.contains("No payment matches"))
      #expect(try await desk.get("payments?customer=424242").status == 404)
      let unread = try await desk.get("payments?from=1.11.2026").body
      #expect(unread.contains("aria-invalid=\"true\" aria-describedby=\"dates-problem\""))
      let nobody = try await desk.get("payments?q=77").body
      #expect(nobody.contains("aria-invalid=\"true\" aria-describedby=\"who-problem\""))
      let undated = try await desk.get("payments?period=custom").body
      #expect(undated.contains("Choose a first or a last day"))
      // A time that is chosen counts, whatever dates stand beside it.
      let week = try await desk.get("payments?period=7d&from=2020-01-01&to=2020-01-02").body
      #expect(week.contains("value=\"7d\" selected") && !week.contains("2020-01-01"))
      #expect(try await desk.get("payments?q=%00&sku=%00&after=x").status == 200)
    }
  }
  @Test func yearsThatNobodyMeansAreSaidToBeWrong() async throws {
    try await ServerFixture.with { fixture in
      let desk = try await Desk(fixture, .viewer)
      for (path, problem) in [
        ("analytics?period=custom&from=0001-01-01", "Write dates as"),
        ("analytics?period=custom&to=2201-01-01", "Write dates as"),
        ("payments?from=0000-01-01", "Write dates as"),
        ("payments?to=9999-12-31", "Write dates as"),
        ("audit?from=0001-01-01", "field-problem"), ("audit?until=9999-12-31", "field-problem"),
      ] {
        let page = try await desk.get(path)
        #expect(page.status == 200, "\(path): \(page.status)")
        #expect(page.body.contains(problem), "\(path)")
        #expect(page.body.contains("value=\"\(path.suffix(10))\""), "\(path)")
      }
      // The first day and the last one have days before and after them.
      for path in [
        "analytics?period=custom&from=1970-01-01&to=1970-01-01",
        "analytics?period=custom&from=2200-12-31&to=2200-12-31",
        "payments?from=1970-01-01&to=2200-12-31", "audit?from=1970-01-01&until=2200-12-31",
      ] {
        let page = try await desk.get(path)
        #expect(page.status == 200, "\(path): \(page.status)")
        #expect(!page.body.contains("-problem"), "\(path)")
      }
    }
  }

  @Test func aSecondUnitIsChosenAndKept() async throws {
    try await ServerFixture.with { fixture in
      let (scope, pool) = (fixture.workspace.scope, fixture.platform.pool)
      let desk = try await Desk(fixture, .viewer)
      try await fixture.give(900)
      let alone = try await desk.get("analytics")
      #expect(alone.status == 200)
      #expect(alone.body.contains(">Credits</h2>") && !alone.body.contains("unit="))
      #expect(try await !desk.get("").body.contains("credit units"))
      try await pool.execute(
        """
        insert into credit_units (workspace_id, unit, name) values (\(scope.workspaceID), 2, 'minutes')
        """, in: scope)
      try await fixture.give(77, unit: 2)

      let second = try await desk.get("analytics?period=7d&unit=2").body
      #expect(second.contains(">Credits: minutes</h2>"))
      #expect(second.contains(">77</dd>") && !second.contains(">900</dd>"))
      let path = "/w/\(fixture.workspace.slug)/analytics"
      for link in ["?period=7d#credits", "?period=today&amp;unit=2", "?unit=2"] {
        #expect(second.contains("href=\"\(path)\(link)\""), "\(link)")
      }
      #expect(second.contains(#"<input type="hidden" name="unit" value="2">"#))
      let own = try await desk.get("analytics?period=custom&from=2026-11-01&to=2026-11-02").body
      #expect(
        own.contains("?period=custom&amp;from=2026-11-01&amp;to=2026-11-02&amp;unit=2#credits"))
      let other = try await desk.get("analytics?period=7d&unit=3").body
      #expect(other.contains(">Credits: credits</h2>") && other.contains(">900</dd>"))

      // The overview says which of them it counts.
      let overview = try await desk.get("?period=24h").body
      #expect(overview.contains("Of your credit units this page counts credits only."))
      #expect(overview.contains("900 issued") && !overview.contains("977"))
      #expect(!overview.contains("new in this time") && !overview.contains("Best sellers"))
      #expect(try await desk.get("?period=7d").body.contains("1 is new in this time"))
    }
  }
}

extension ServerFixture {
  /// Credits for one and the same person.
  fileprivate func give(_ credits: Int64, unit: Int16 = 1) async throws {
    let scope = workspace.scope
    try await platform.pool.transaction(in: scope) { tx in
      let person = try await tx.customer(telegramID: 9, name: nil, in: scope, at: scope.now)
      _ = try await tx.credit(
        Grant(credits, source: .promo, expiresAt: nil), to: Account(person.id, unit: unit),
        key: "job:\(unit)", in: scope, at: scope.now)
    }
  }
}
