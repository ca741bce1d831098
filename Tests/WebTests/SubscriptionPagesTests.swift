@_spi(Guard) @testable import EStars
import Foundation
import HTTPTypes
import Telegram
import Testing

@testable import Web

/// Subscriptions as operators see and change them, and as bots are told of them.
@Suite struct SubscriptionPagesTests {
  /// Somebody's paid subscription, from its checkout on.
  private struct Sale {
    let checkout: Checkout
    let user: Int64
    let fixture: ServerFixture

    init(_ plan: String, for user: Int64, _ fixture: ServerFixture) async throws {
      self.user = user
      self.fixture = fixture
      let (scope, pool) = (fixture.workspace.scope, fixture.platform.pool)
      let catalog = try await Catalog.load(in: scope, pool)
      checkout = try await pool.transaction(in: scope) { tx in
        try await tx.openCheckout(
          CheckoutRequest(
            telegramID: user, item: .plan(plan), idempotencyKey: UUID().uuidString),
          with: fixture.bot, catalog, fixture.platform.secrets, in: scope, at: scope.now
        ).0
      }
      let now = Int64(Date().timeIntervalSince1970)
      try await tell(
        """
        "message":{"message_id":1,"date":\(now),"from":{"id":\(user),"is_bot":false,\
        "first_name":"Ann"},"chat":{"id":\(user),"type":"private","first_name":"Ann"},\
        "successful_payment":{"currency":"XTR","total_amount":\(checkout.stars),\
        "invoice_payload":"\(checkout.payload ?? "")",\
        "telegram_payment_charge_id":"stx\(user)","provider_payment_charge_id":"0",\
        "is_recurring":true,"is_first_recurring":true,\
        "subscription_expiration_date":\(now + 2_592_000)}}
        """, update: user * 10)
    }

    /// Telegram's word of the renewal.
    func renewal(_ state: String, update: Int64) async throws {
      try await tell(
        """
        "subscription":{"user":{"id":\(user),"is_bot":false,"first_name":"Ann"},\
        "invoice_payload":"\(checkout.payload ?? "")","state":"\(state)"}
        """, update: user * 10 + update)
    }

    private func tell(_ words: String, update: Int64) async throws {
      let scope = fixture.workspace.scope
      _ = try await fixture.platform.updates.receive(
        "{\"update_id\":\(update),\(words)}", for: fixture.bot, in: fixture.workspace,
        scope: scope)
    }

    func subscription() async throws -> Subscription {
      let (scope, pool) = (fixture.workspace.scope, fixture.platform.pool)
      let customer = try #require(try await Customer.find(telegramID: user, in: scope, pool))
      return try #require(
        try await Subscription.of(customer: customer.id, in: scope, pool).first)
    }
  }

  private func figure(_ html: String, _ label: String) -> String? {
    html.split(separator: "class=\"figure ").first { $0.contains(label) }?
      .firstMatch(of: /figure-value">([^<]*)</).map {
        String($0.output.1).replacing("\u{a0}", with: " ")
      }
  }

  private func words(_ html: String) -> String {
    html.replacing(/<[^>]*>/, with: " ").replacing(/\s+/, with: " ")
  }

  @Test func aCancellationIsShownAsDoneOnlyWhenTelegramConfirms() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let desk = try await Desk(fixture)
      let sale = try await Sale("pro", for: 8_101, fixture)
      let other = try await Sale("premium", for: 8_102, fixture)
      let path = "subscriptions/\(try await sale.subscription().id)"
      let list = try await desk.get("subscriptions").body
      #expect(figure(list, "Stars a month (MRR)") == "8,000 ★")
      #expect(list.contains("What the active subscriptions that Telegram renews bring"))
      let refused = try await desk.post("\(path)/cancellation", ["reason": ""])
      #expect(refused.status == 422 && refused.body.contains("href=\"#cancellation-reason\""))
      let asked = try await desk.post("\(path)/cancellation", ["reason": "Asked by <mail>"])
      #expect(asked.status == 303)
      let waiting = words(try await desk.get(path).body)
      #expect(waiting.contains("Telegram is being asked to stop the renewal"))
      #expect(waiting.contains("Renewal, as Telegram has confirmed it On"))
      #expect(waiting.contains("Asked by &lt;mail&gt;"))
      #expect(figure(try await desk.get("subscriptions").body, "(MRR)") == "8,000 ★")

      try await sale.renewal("canceled", update: 1)
      let done = words(try await desk.get(path).body)
      #expect(done.contains("Renewal, as Telegram has confirmed it Off"))
      #expect(!done.contains("Telegram is being asked"))
      #expect(done.contains("stopped the renewal") && done.contains("began the subscription"))
      #expect(done.contains("Let the customer renew again"))
      let after = try await desk.get("subscriptions?show=ending").body
      #expect(figure(after, "(MRR)") == "6,000 ★")
      #expect(after.contains("/\(path)\""))
      let others = try await other.subscription().id
      #expect(!after.contains("/subscriptions/\(others)\""))

      // The customer changes her mind in Telegram.
      try await sale.renewal("active", update: 2)
      #expect(try await sale.subscription().renewal == .off)
      #expect(try await desk.post("\(path)/reactivation", ["reason": "She asked"]).status == 303)
      #expect(try await sale.subscription().wish == .allow)
      #expect(try await sale.subscription().renewal == .off)
    }
  }

  @Test func aDowngradeWaitsForTheEndAndForItsBuyer() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let desk = try await Desk(fixture)
      let sale = try await Sale("premium", for: 8_111, fixture)
      let id = try await sale.subscription().id
      let path = "subscriptions/\(id)"
      let dearer = try await desk.post(
        "\(path)/downgrade", ["plan": "enterprise", "reason": "Too much"])
      #expect(dearer.status == 422 && dearer.body.contains("href=\"#downgrade-plan\""))
      #expect(dearer.body.contains("Too much"))
      let form = ["plan": "pro", "reason": "Wants less"]
      #expect(try await desk.post("\(path)/downgrade", form).status == 303)
      let page = words(try await desk.get(path).body)
      #expect(page.contains("Next plan Pro, when its link is paid"))
      #expect(page.contains("Premium → Pro"))
      let now = try await sale.subscription()
      #expect(now.plan == "premium" && now.state == .active && now.nextPlan == "pro")
      #expect(try await desk.post("\(path)/end", ["reason": "x"]).status == 409)
      #expect(try await desk.post("subscriptions/999/cancellation", form).status == 404)
    }
  }

  @Test func aPlanByAgreementIsGivenAndEndedByHand() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let desk = try await Desk(fixture)
      let (scope, pool) = (fixture.workspace.scope, fixture.platform.pool)
      _ = try await Sale("pro", for: 8_121, fixture)
      let customer = try #require(
        try await Customer.find(telegramID: 8_121, in: scope, pool))
      let path = "customers/\(customer.id)/subscriptions"
      #expect(try await desk.get("\(path)/new").body.contains("Pro, trial of 7 days"))
      let bad = try await desk.post(path, ["plan": "pro", "days": "5", "reason": ""])
      #expect(bad.status == 422)
      for field in ["days", "reason"] { #expect(bad.body.contains("href=\"#\(field)\"")) }
      let tried = try await desk.post(path, ["plan": "pro", "reason": "Wants to try"])
      #expect(tried.status == 409 && tried.body.contains("nothing to try"))
      #expect(tried.body.contains("Wants to try"))
      let given = try await desk.post(
        path, ["plan": "enterprise", "days": "", "reason": "Contract 17"])
      let location = try #require(given.headers[.location])
      #expect(given.status == 303)
      let own = location.split(separator: "/").suffix(2).joined(separator: "/")
      let page = words(try await desk.get(own).body)
      for words in ["Contract 17", "Unlimited", "No end", "Nothing to renew"] {
        #expect(page.contains(words), "\(words)")
      }
      let customers = try await desk.get("customers/\(customer.id)").body
      #expect(customers.contains("/\(own)\"") && customers.contains("Give a plan"))
      let check = try await api(
        fixture, "/v1/checks", #"{"user":8121,"action":"stem_separation","units":900}"#,
        try await fixture.key([.use]))
      #expect(check.body.contains(#""allowed":true"#) && check.body.contains(#""cost":0"#))
      #expect(try await desk.post("\(own)/end", ["reason": "Contract over"]).status == 303)
      #expect(words(try await desk.get(own).body).contains("Expired"))
      #expect(try await desk.post("\(own)/end", ["reason": "Again"]).status == 303)
    }
  }

  private func api(
    _ fixture: ServerFixture, _ path: String, _ body: String, _ token: String,
    key: String = UUID().uuidString
  ) async throws -> (status: Int, headers: HTTPFields, body: String) {
    try await fixture.send(
      .post, path,
      headers: [
        .authorization: "Bearer \(token)", .contentType: "application/json",
        HTTPField.Name("Idempotency-Key") ?? .via: key,
      ], body: body)
  }

  private func get(
    _ fixture: ServerFixture, _ path: String, _ token: String
  ) async throws -> String {
    try await fixture.send(.get, path, headers: [.authorization: "Bearer \(token)"]).body
  }

  @Test func botsTryStopAndMoveDown() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let token = try await fixture.key([.sell, .read])
      let catalog = try await get(fixture, "/v1/catalog?user=8131&language=pt-br", token)
      #expect(catalog.contains(#""title":"Grátis""#) && catalog.contains(#""trial_days":7"#))
      let body = #"{"user":8131,"plan":"pro"}"#
      let begun = try await api(fixture, "/v1/subscriptions", body, token, key: "trial-1")
      #expect(begun.status == 201 && begun.body.contains(#""state":"trial""#))
      let again = try await api(fixture, "/v1/subscriptions", body, token, key: "trial-1")
      #expect(again.status == 200 && again.body == begun.body)
      #expect(again.headers[.idempotencyReplayed] == "true")
      let codes = [
        (#"{"user":8131,"plan":"premium"}"#, "trial-1", 409, "idempotency_key_reused"),
        (body, "trial-2", 409, "already_subscribed"),
        (#"{"user":8132,"plan":"premium"}"#, "trial-3", 422, "no_trial"),
        (#"{"user":8132,"plan":"none"}"#, "trial-4", 422, "unknown_plan"),
      ]
      for (body, key, status, code) in codes {
        let answer = try await api(fixture, "/v1/subscriptions", body, token, key: key)
        #expect(answer.status == status && answer.body.contains("\"\(code)\""), "\(answer)")
      }
      #expect(
        try await !get(fixture, "/v1/catalog?user=8131", token).contains("\"trial_days\""))
      #expect(
        try await get(fixture, "/v1/customers/8131", token).contains(#""renewal":"none""#))
      let stop = "/v1/subscriptions/8131/cancellation"
      #expect(try await api(fixture, stop, "", token).body.contains("\"not_renewable\""))
      let nobody = try await api(fixture, "/v1/subscriptions/8139/cancellation", "", token)
      #expect(nobody.status == 404 && nobody.body.contains("\"no_subscription\""))
    }
  }

  @Test func whatABotAsksIsToldAsAskedUntilTelegramConfirms() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let token = try await fixture.key([.sell, .read])
      let sale = try await Sale("premium", for: 8_141, fixture)
      let down = "/v1/subscriptions/8141/downgrade"
      let dearer = try await api(fixture, down, #"{"plan":"enterprise"}"#, token)
      #expect(dearer.status == 422)
      let moved = try await api(fixture, down, #"{"plan":"pro"}"#, token, key: "down-1")
      #expect(moved.status == 202 && moved.body.contains(#""next_plan":"pro""#))
      for part in [#""asked":"cancel""#, #""renewal":"on""#] {
        #expect(moved.body.contains(part), "\(part)")
      }
      try await sale.renewal("canceled", update: 1)
      let replay = try await api(fixture, down, #"{"plan":"pro"}"#, token, key: "down-1")
      #expect(replay.status == 200 && replay.body.contains(#""renewal":"off""#))
      let other = try await api(fixture, down, #"{"plan":"free"}"#, token, key: "down-1")
      #expect(other.status == 409)
      let back = "/v1/subscriptions/8141/reactivation"
      let allowed = try await api(fixture, back, #"{"plan":"premium"}"#, token)
      #expect(allowed.status == 202 && allowed.body.contains(#""asked":"allow""#))
      #expect(!allowed.body.contains("next_plan"))
      #expect(try await api(fixture, back, #"{"plan":"pro"}"#, token).status == 404)
      let customer = try await get(fixture, "/v1/customers/8141", token)
      #expect(customer.contains(#""plan":"premium""#) && customer.contains("access_ends_at"))
    }
  }
}
