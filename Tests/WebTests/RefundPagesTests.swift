@_spi(Guard) @testable import EStars
import Foundation
import HTTPTypes
import Ledger
import Testing

@testable import Web

/// The rule for refunds and the pages of cases, as operators use them over HTTP.
@Suite struct RefundPagesTests {
  private static func words(_ html: String) -> String {
    html.replacing(/<[^>]*>/, with: " ").replacing("\u{a0}", with: " ")
      .replacing(/\s+/, with: " ")
  }

  @Test func anOwnerSettlesTheRuleAndManagersReadIt() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let owner = try await Desk(fixture, .owner)
      var form = try await owner.fields("refund-policy")
      #expect(form["max_age_hours"] == "24" && form["one_per_customer"] == "yes")
      form["max_age_hours"] = "0"
      form["four_eyes_stars"] = "many"
      let refused = try await owner.post("refund-policy", form)
      #expect(refused.status == 422)
      #expect(
        refused.body.contains("Hours since the payment: Give a whole number from 1 to 8,760."))
      #expect(refused.body.contains("value=\"many\""))
      form["max_age_hours"] = "72"
      form["four_eyes_stars"] = "1,000"
      form["max_used_percent"] = "10"
      form["refund_debt_policy"] = "debt"
      let saved = try await owner.post("refund-policy", form)
      #expect(saved.status == 303)
      let stale = try await owner.post("refund-policy", form)
      #expect(stale.status == 409)
      let viewer = try await Desk(fixture, .viewer)
      let page = Self.words(try await viewer.get("refund-policy").body)
      #expect(
        page.contains(
          "refund within 3 days of the payment, if at most 10% of its credits were used, "
            + "once per customer"))
      #expect(page.contains("From 1,000 ★ on, two people have to agree"))
      #expect(!page.contains("Save the rule"))
    }
  }

  /// A case from its payment to two people who agree, with what the buyer would read.
  @Test func aCaseIsDecidedByTwoPeople() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let (scope, pool) = (fixture.workspace.scope, fixture.platform.pool)
      let payment = try await fixture.payment(user: 940, charge: "two")
      try await RefundPolicy.edit(
        RefundPolicy(fourEyesStars: 75), madeFrom: 0, by: Actor(.operator, "o@example.com"),
        in: scope, pool)
      let support = try await Desk(fixture, .support)
      let asked = try await support.post(
        "refunds",
        ["bot": "\(fixture.bot.id)", "charge": "two", "reason": "not_delivered", "note": ""])
      let path = try #require(
        asked.headers[.location]?.split(separator: "/").suffix(2).joined(separator: "/"))
      let manager = try await Desk(fixture, .manager)
      let first = try await manager.get(path).body
      for text in [
        "The way of this payment", "pre-checkout was not seen here", "+10 credits",
        "Your rule says: refund", "Margin of this payment", "Propose to refund 75 ★",
        "What the buyer reads (Portuguese)", "Seu pagamento de 75 ★",
      ] {
        #expect(Self.words(first).contains(text), "\(text)")
      }
      var form = try await manager.fields(path)
      form["message"] = "Volte sempre."
      form["read"] = "1"
      let read = try await manager.post(path + "/approval", form)
      #expect(read.status == 200)
      #expect(Self.words(read.body).contains("voltaram junto. Volte sempre."))
      form["read"] = nil
      #expect(try await manager.post(path + "/approval", form).status == 303)
      #expect(
        try await manager.get("refunds").body.contains("one of two agreed"))
      #expect(try await manager.post(path + "/approval", form).status == 303)
      form["message"] = "Até logo."
      let again = try await manager.post(path + "/approval", form)
      #expect(again.status == 409)
      #expect(Self.words(again.body).contains("You have proposed this refund already"))
      #expect(try await manager.get(path).body.contains("Take the proposal back"))
      #expect(try await manager.post(path + "/withdrawal", [:]).status == 303)
      #expect(try await Refund.of(payment, in: scope, pool)?.proposedBy == nil)
      form["message"] = "Volte sempre."
      #expect(try await manager.post(path + "/approval", form).status == 303)
      let other = try await Desk(fixture, .manager)
      let second = Self.words(try await other.get(path).body)
      #expect(second.contains("Agree and refund 75 ★"))
      #expect(second.contains("Volte sempre."))
      let declined = try await other.post(path + "/decline", ["reason": ""])
      #expect(declined.status == 422)
      #expect(declined.body.contains("href=\"#decline-reason\""))
      #expect(
        try await other.post(
          path + "/decline", ["reason": "delivered", "note": "", "message": ""]
        ).status == 303)
      let refund = try #require(try await Refund.of(payment, in: scope, pool))
      #expect(refund.state == .declined && refund.declineReason == .delivered)
      #expect(refund.proposedBy == nil)
    }
  }
}

extension RefundPagesTests {
  /// Telegram gives Stars back by the buyer's id alone, so pages offer nothing once it is gone.
  @Test func whoWasErasedIsOfferedNothing() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let (scope, pool) = (fixture.workspace.scope, fixture.platform.pool)
      let payments = [
        try await fixture.payment(user: 950, charge: "e1"),
        try await fixture.payment(user: 950, charge: "e2"),
      ]
      let desk = try await Desk(fixture, .manager)
      func ask(_ charge: String) async throws -> (status: Int, headers: HTTPFields, body: String) {
        try await desk.post(
          "refunds", ["bot": "\(fixture.bot.id)", "charge": charge, "reason": "other", "note": ""])
      }
      let asked = try await ask("e1")
      let path = try #require(
        asked.headers[.location]?.split(separator: "/").suffix(2).joined(separator: "/"))
      let form = try await desk.fields(path)
      #expect(
        try await desk.post(path + "/decline", ["reason": "other"]).status == 303)
      let open = "payments/\(fixture.bot.id)/e2"
      #expect(try await desk.get(open).body.contains("Ask for a refund"))
      try await Customer.erase(
        payments[0].customerID, by: Actor(.operator, "o@example.com"), in: scope, pool)
      let page = try await desk.get(open).body
      #expect(page.contains("This customer was erased"))
      for offer in ["Ask for a refund", "Send the receipt again", "Open a case about it"] {
        #expect(!page.contains(offer), "\(offer)")
      }
      #expect(try await ask("e2").status == 409)
      #expect(try await Refund.of(payments[1], in: scope, pool) == nil)
      #expect(try await desk.post(open + "/receipts", ["form_key": "again"]).status == 409)
      let refused = try await desk.post(path + "/approval", form)
      #expect(refused.status == 409 && refused.body.contains("This customer was erased"))
      #expect(!refused.body.contains("Give credits instead"))
      #expect(try await Refund.of(payments[0], in: scope, pool)?.state == .declined)
    }
  }
}

extension ServerFixture {
  /// A pack that somebody who reads Portuguese has paid.
  func payment(user: Int64, charge: String) async throws -> Payment {
    let (scope, pool) = (workspace.scope, platform.pool)
    let catalog = try await Catalog.load(in: scope, pool)
    let checkout = try await pool.transaction(in: scope) { tx in
      try await tx.openCheckout(
        CheckoutRequest(
          telegramID: user, sku: "start", discountPercent: 0, resume: nil,
          idempotencyKey: "k\(charge)"),
        with: bot, catalog, platform.secrets, in: scope, at: scope.now
      ).0
    }
    _ = try await platform.updates.receive(
      """
      {"update_id":\(user),"message":{"message_id":1,\
      "date":\(Int64(Date().timeIntervalSince1970)),"chat":{"id":\(user),"type":"private"},\
      "from":{"id":\(user),"is_bot":false,"first_name":"Lia","language_code":"pt-br"},\
      "successful_payment":{"currency":"XTR","total_amount":\(checkout.stars),\
      "invoice_payload":"\(checkout.payload ?? "")",\
      "telegram_payment_charge_id":"\(charge)","provider_payment_charge_id":"0"}}}
      """, for: bot, in: workspace, scope: scope)
    return try #require(
      try await Payment.find(botID: bot.id, chargeID: charge, in: scope, pool))
  }
}
