@_spi(Guard) import EStars
import Foundation
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
}
