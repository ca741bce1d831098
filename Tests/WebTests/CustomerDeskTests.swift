@_spi(Guard) @testable import EStars
import Foundation
@_spi(Guard) import Ledger
import Postgres
import Testing

@testable import Web

/// The lookup, the ready answer and the erasure, as an operator's browser uses them.
@Suite struct CustomerDeskTests {
  private func customer(
    _ telegramID: Int64, _ name: String, _ username: String, _ fixture: ServerFixture
  ) async throws -> Customer {
    let scope = fixture.workspace.scope
    return try await fixture.platform.pool.transaction(in: scope) { tx in
      let made = try await tx.customer(
        telegramID: telegramID,
        name: CustomerName(
          firstName: name, lastName: nil, username: username, languageCode: "es"),
        in: scope, at: scope.now)
      _ = try await tx.credit(
        Grant(3, source: .trial), to: Account(made.id), key: "job:\(telegramID)", in: scope,
        at: scope.now)
      return made
    }
  }

  @Test func idsLeadStraightThereAndNamesToAList() async throws {
    try await ServerFixture.with { fixture in
      let desk = try await Desk(fixture, .viewer)
      let ann = try await customer(7_600_901, "Ann", "ann_shop", fixture)
      let bea = try await customer(7_600_902, "Bea", "", fixture)
      let page = "/w/\(fixture.workspace.slug)/customers/"
      for query in ["7600901", "%40Ann_Shop", "t.me%2Fann_shop", "+7600901+"] {
        let answer = try await desk.get("customers?q=\(query)")
        #expect(answer.status == 303 && answer.headers[.location] == page + "\(ann.id)", "\(query)")
      }
      let listed = try await desk.get("customers?q=be")
      #expect(listed.status == 200 && listed.body.contains("customers/\(bea.id)\""))
      #expect(!listed.body.contains("customers/\(ann.id)\""))
      let mended = try await desk.get("customers?q=aan")
      #expect(mended.body.contains("customers/\(ann.id)\""))
      #expect(mended.body.contains("role=\"status\""))
      let none = try await desk.get("customers?q=%25")
      #expect(none.status == 200 && !none.body.contains("<tbody>"))
      // The box stands on every page but this one, which has it larger.
      #expect(try await desk.get("payments").body.contains("class=\"find\""))
      #expect(!listed.body.contains("class=\"find\""))
      let odd = try await desk.get("customers/\(ann.id)?show=nonsense&after=1.2.3&unit=x")
      #expect(odd.status == 200)
    }
  }

  @Test func anAnswerIsProposedInTheirLanguageAndSentOnce() async throws {
    try await ServerFixture.with { fixture in
      let desk = try await Desk(fixture, .support)
      let ann = try await customer(7_600_903, "Ann", "", fixture)
      let path = "customers/\(ann.id)/credit-answers"
      var form = try await desk.fields(path + "/new")
      #expect(form["text"]?.contains("Ahora tienes 3 créditos.") == true)
      #expect(form["language"] == "es")
      let russian = try await desk.fields(path + "/new?language=ru")
      #expect(russian["text"]?.contains("3 кредита") == true)
      #expect(try await desk.fields(path + "/new?language=xx")["language"] == "es")

      for (text, bot) in [(" \r\n", ""), (String(repeating: "á", count: 4_097), ""), ("x", "1")] {
        let refused = try await desk.post(
          path, form.merging(["text": text, "bot": bot]) { _, new in new }.filter { !$1.isEmpty })
        #expect(refused.status == 422 && refused.body.contains("aria-invalid") == (bot == ""))
        #expect(refused.body.contains("role=\"alert\""))
      }
      #expect(try await desk.post(path, ["text": "x", "form_key": "../x"]).status == 422)

      form["text"] = "Están aquí.\r\nUn saludo"
      for _ in 0..<2 {
        let sent = try await desk.post(path, form)
        #expect(sent.status == 303)
        let location = try #require(sent.headers[.location])
        #expect(location.contains("answered="))
      }
      let said = try await fixture.platform.pool.query(
        "select body from outgoing_messages where customer_id = \(ann.id)",
        in: fixture.workspace.scope
      ).map { try $0.get("body", as: String.self) }
      #expect(said == ["Están aquí.\nUn saludo"])
      let page = try await desk.get(
        "customers/\(ann.id)?answered=\(form["form_key"] ?? "")&show=messages")
      #expect(page.body.contains("Un saludo"))
    }
  }

  @Test func whoPaidOftenHasALinkToAllPayments() async throws {
    try await ServerFixture.with { fixture in
      let desk = try await Desk(fixture, .viewer)
      let (scope, pool) = (fixture.workspace.scope, fixture.platform.pool)
      let first = try await fixture.payment(user: 960, charge: "often0")
      let other = try await fixture.payment(user: 961, charge: "once")
      try await pool.execute(
        """
        insert into payments (workspace_id, bot_id, charge_id, customer_id, stars, state, title,
          paid_at, recorded_at, invoice_payload)
        select workspace_id, bot_id, 'often' || n, customer_id, stars, 'unmatched', title, paid_at,
          recorded_at, '' from payments, generate_series(1, 9) n
        where payment_id = \(first.id)
        """, in: scope)
      let link = "payments?customer=\(first.customerID)"
      #expect(!(try await desk.get("customers/\(first.customerID)").body.contains(link)))
      try await pool.execute(
        """
        update payments set customer_id = \(first.customerID) where payment_id = \(other.id)
        """, in: scope)
      let page = try await desk.get("customers/\(first.customerID)").body
      #expect(page.contains(link) && page.contains("refunds?show=all&amp;customer="))
      // Whoever is typed takes the place of whom the address names.
      #expect(try await desk.get(link).body.contains("often3"))
      let typed = try await desk.get(link + "&q=961").body
      #expect(!typed.contains("often3"))
      #expect(typed.contains("name=\"customer\" value=\"\(other.customerID)\""))
    }
  }

  @Test func whoIsErasedHasAPageWithoutAName() async throws {
    try await ServerFixture.with { fixture in
      let desk = try await Desk(fixture, .manager)
      let ann = try await customer(7_600_904, "Annemarie", "ann_erase", fixture)
      let path = "customers/\(ann.id)"
      let unsure = try await desk.post(path + "/erasure", [:])
      #expect(unsure.status == 422 && unsure.body.contains("aria-invalid"))
      #expect(try await desk.get(path).body.contains("Annemarie"))
      #expect(try await desk.post(path + "/erasure", ["sure": "1"]).status == 303)
      let page = try await desk.get(path)
      #expect(page.status == 200 && !page.body.contains("Annemarie"))
      #expect(!page.body.contains("7600904") && !page.body.contains("ann_erase"))
      #expect(!page.body.contains("/erasure\"") && !page.body.contains("/grants/new"))
      #expect(try await desk.get(path + "/erasure").status == 303)
      for page in ["credit-answers/new", "grants/new", "checkouts/new", "subscriptions/new"] {
        #expect(try await desk.get(path + "/" + page).status == 409, "\(page)")
      }
      for write in [
        "credit-answers", "grants", "checkouts", "subscriptions", "support-cases",
      ] {
        let refused = try await desk.post(path + "/" + write, [:])
        #expect(refused.status == 409, "\(write)")
        #expect(refused.body.contains("This customer was erased"), "\(write)")
      }
      // It is found by its number still.
      let found = try await desk.get("customers?q=\(ann.id)")
      #expect(found.status == 303 || found.body.contains("/customers/\(ann.id)\""))
    }
  }
}
