@_spi(Guard) @testable import EStars
import Foundation
import HTTPTypes
import Postgres
import Telegram
import TestSupport
import Testing

@_spi(Guard) import Ledger
@testable import Sandbox

/// How operators hear of alerts: in their chats, on their pages, and not at all where they say so.
@Suite struct AlertTests {
  private func link(_ bench: MessageBench) async throws {
    try await bench.platform.pool.execute(
      """
      insert into alert_chats (workspace_id, bot_id, chat_id, title, linked_by, linked_at)
      values (\(bench.scope.workspaceID), \(bench.bot.id), \(MessageBench.ann), 'Ann', 'o', now())
      """, in: bench.scope)
  }

  private func raise(
    _ kind: Alert.Kind, _ facts: [String: String], about subject: String = "",
    _ fixture: ServerFixture
  ) async throws {
    let scope = fixture.workspace.scope
    try await fixture.platform.pool.transaction(in: scope) { tx in
      _ = try await tx.raise(kind, about: subject, facts: facts, in: scope, at: scope.now)
    }
  }

  @Test func chatsAreToldOnceAndAfterAMute() async throws {
    try await MessageBench.with { bench in
      let pool = bench.platform.pool
      let facts = ["bot": "loja_bot", "count": "1"]
      try await AlertRule.mute(
        .mismatch, until: bench.scope.now.addingTimeInterval(3_600), by: MessageBench.owner,
        in: bench.scope, pool)
      try await raise(.mismatch, facts, bench.fixture)
      #expect(try await Alert.openCount(in: bench.scope, pool) == 0)
      try await link(bench)
      try await raise(.mismatch, facts, bench.fixture)
      #expect(try await Alert.unacknowledged(in: bench.scope, pool).first?.toldAt == nil)
      try await AlertRule.mute(.mismatch, until: nil, by: MessageBench.owner, in: bench.scope, pool)
      for _ in 0..<3 { try await raise(.mismatch, facts, bench.fixture) }
      let alert = try #require(try await Alert.unacknowledged(in: bench.scope, pool).first)
      #expect(alert.sightings == 5 && alert.toldAt != nil)
      #expect(try await Alert.openCount(in: bench.scope, pool) == 1)
      // Pages alone.
      var quiet = AlertRule(kind: .ledgerUnverified)
      quiet.inChat = false
      try await quiet.keep(by: MessageBench.owner, in: bench.scope, pool)
      try await raise(.ledgerUnverified, ["problems": "2"], bench.fixture)
      // Nowhere.
      var off = AlertRule(kind: .manyRefunds)
      off.isOn = false
      try await off.keep(by: MessageBench.owner, in: bench.scope, pool)
      try await raise(.manyRefunds, [:], bench.fixture)
      #expect(
        try await Alert.unacknowledged(in: bench.scope, pool).map(\.kind)
          == [.ledgerUnverified, .mismatch])
      try await bench.work()
      let said = try await bench.said()
      #expect(said.count == 1, "\(said)")
      #expect(
        said.first?.hasSuffix(": 1 movimento de @loja_bot não bate com os livros do Telegram.")
          == true)
    }
  }

  @Test func whatHappenedTogetherIsOneMessage() async throws {
    try await MessageBench.with { bench in
      let (pool, scope) = (bench.platform.pool, bench.scope)
      try await link(bench)
      var rule = AlertRule(kind: .largePaymentFailed)
      rule.threshold = 75
      try await rule.keep(by: MessageBench.owner, in: scope, pool)
      for buyer in [7_500_011, 7_500_012] as [Int64] {
        let checkout = try await bench.open(for: buyer)
        try await pool.transaction(in: scope) { tx in
          try await tx.step(checkout, to: .rejected, "withdrawn", in: scope, at: scope.now)
        }
      }
      try await pool.execute(
        """
        with made as (
          insert into subscriptions (workspace_id, bot_id, customer_id, plan, state, renewal, stars,
            credit_unit, rollover_cap_credits, grace_days, started_at, period_started_at,
            period_ends_at)
          select c.workspace_id, \(bench.bot.id), c.customer_id, p.plan, 'active', 'on', 100, 1, 0,
            3, now(), now(), now() + interval '30 days'
          from customers c join plans p on p.workspace_id = c.workspace_id
          where c.workspace_id = \(scope.workspaceID) and c.telegram_id = 7500011
            and p.kind = 'recurring'
          order by p.position limit 1
          returning workspace_id, subscription_id, plan)
        insert into subscription_changes (workspace_id, subscription_id, step, kind, by, to_plan, at)
        select workspace_id, subscription_id, 1, 'subscribe', 'user', plan, \(scope.now) from made
        """, in: scope)
      for _ in 0..<2 { try await bench.platform.alerts.look(in: scope) }
      try await bench.work()
      let said = try await bench.said().sorted()
      #expect(said.count == 2, "\(said)")
      #expect(said.contains { $0.contains("Nova assinatura: “") })
      #expect(said.contains { $0.matches(of: /\n• Um pagamento de 75 ★ por “/).count == 2 })
      // A new subscription needs nobody's look.
      #expect(try await Alert.openCount(in: scope, pool) == 2)
      let news = try await Alert.over(of: nil, before: nil, limit: 9, in: scope, pool)
      #expect(news.map(\.kind) == [.newSubscription])
    }
  }

  @Test func telegramIsAskedHowWebhooksDo() async throws {
    try await MessageBench.with { bench in
      let (pool, watch) = (bench.platform.pool, bench.platform.alerts)
      func open() async throws -> [Alert] {
        try await Alert.unacknowledged(in: bench.scope, pool)
      }
      try await watch.lookAtWebhooks(in: bench.scope)
      #expect(try await open().isEmpty)
      try await pool.execute(
        """
        update bots set mode = 'webhook', webhook_url = 'https://estars.example/telegram/1'
        where bot_id = \(bench.bot.id)
        """)
      try await watch.lookAtWebhooks(in: bench.scope)
      let alert = try #require(try await open().first)
      #expect(alert.subject == "bot:\(bench.bot.id)" && alert.facts["problem"] == "elsewhere")
      try await pool.execute(
        "update bots set mode = 'forwarding', webhook_url = null where bot_id = \(bench.bot.id)")
      try await watch.lookAtWebhooks(in: bench.scope)
      #expect(try await open().map(\.state) == [.open], "it may come and go")
      try await watch.lookAtWebhooks(
        in: WorkspaceScope(workspaceID: bench.scope.workspaceID, clockOffsetSeconds: 1_000))
      #expect(try await open().map(\.state) == [.unseen])
    }
  }

  @Test func webhooksAreJudgedByWhatWaitsAndWhatFailed() async throws {
    try await MessageBench.with { bench in
      let now = Date()
      func trouble(
        _ pending: Int, errorSecondsAgo: Int64? = nil
      ) -> AlertWatch.WebhookTrouble? {
        var info = WebhookInfo(
          url: "https://own.example", hasCustomCertificate: false, pendingUpdateCount: pending)
        info.lastErrorDate = errorSecondsAgo.map { Int64(now.timeIntervalSince1970) - $0 }
        info.lastErrorMessage = errorSecondsAgo.map { _ in "Connection refused" }
        return AlertWatch.trouble(info, of: bench.bot, limit: 100, at: now)
      }
      #expect(trouble(100) == nil)
      #expect(trouble(101) == .pending(101))
      #expect(trouble(0, errorSecondsAgo: 5) == nil, "made good since")
      #expect(trouble(3, errorSecondsAgo: 3_600) == nil)
      #expect(trouble(3, errorSecondsAgo: 5) == .error("Connection refused", pending: 3))
    }
  }

  @Test func pagesShowAcknowledgeSetAndMute() async throws {
    try await ServerFixture.with { fixture in
      let (scope, pool) = (fixture.workspace.scope, fixture.platform.pool)
      let desk = try await Desk(fixture)
      #expect(try await desk.get("alerts").body.contains("Nothing needs a look"))
      try await raise(.liabilityHigh, ["credits": "5", "limit": "4"], fixture)
      #expect(try await Alert.openCount(in: scope, pool) == 0, "nobody has set a limit")
      try await raise(.ledgerUnverified, ["problems": "2"], fixture)
      try await raise(.mismatch, ["bot": "shop_bot", "count": "3"], about: "bot:1", fixture)
      let ids = try await Alert.unacknowledged(in: scope, pool).map(\.id)
      let list = try await desk.get("alerts").body
      #expect(list.contains("3 movements of @shop_bot do not agree with Telegram"))
      #expect(list.contains(#"<span class="nav-badge" title="2 alerts that nobody"#))
      #expect(try await desk.get("alerts/\(ids[0])").body.contains("What to do"))
      #expect(try await desk.get("alerts/999999").status == 404)
      for _ in 0..<2 {
        #expect(try await desk.post("alerts/\(ids[0])/acknowledgement", [:]).status == 303)
      }
      #expect(try await Alert.goingOn(in: scope, pool).map(\.id) == [ids[0]])
      let rest = ["oldest": "\(ids[1])", "newest": "\(ids[1])"]
      for wrong in [["newest": "\(ids[1])"], ["oldest": "\(ids[0])", "newest": "\(ids[1])"]] {
        #expect(try await desk.post("alerts/acknowledgement", wrong).status == 400)
      }
      #expect(try await desk.post("alerts/acknowledgement", rest).status == 303)
      #expect(try await Alert.openCount(in: scope, pool) == 0)

      let form = ["is_on": "1", "in_chat": "1"]
      let wrong = try await desk.post(
        "alert-rules/payments.failing", form.merging(["threshold": "x%"]) { $1 })
      #expect(wrong.status == 422 && wrong.body.contains(#"value="x%""#))
      #expect(wrong.body.contains(##"href="#payments_failing-threshold""##))
      #expect(
        try await desk.post("alert-rules/payments.failing", form.merging(["threshold": ""]) { $1 })
          .status == 422)
      for (kind, threshold) in [("payments.failing", "12"), ("liability.high", "1,000")] {
        let saved = try await desk.post(
          "alert-rules/\(kind)", form.merging(["threshold": threshold]) { $1 })
        #expect(saved.headers[.location]?.hasSuffix("/alert-rules?saved=\(kind)") == true)
      }
      #expect(try await desk.post("alert-rules/liability.high", form).status == 303)
      let rules = try await AlertRule.all(in: scope, pool)
      #expect(rules.first { $0.kind == .paymentsFailing }?.threshold == 12)
      #expect(rules.first { $0.kind == .liabilityHigh }?.isWatched == false)
      #expect(try await desk.post("alert-rules/none", form).status == 404)
      #expect(try await desk.post("alert-rules/webhook.slow/mute", ["hours": "5"]).status == 422)
      #expect(try await desk.post("alert-rules/webhook.slow/mute", ["hours": "8"]).status == 303)
      let page = try await desk.get("alert-rules?saved=webhook.slow").body
      #expect(page.contains("Saved: Updates come late") && page.contains("End the mute"))
      #expect(page.contains("more than 12% within an hour · pages and chats"))
      let actions = try await AuditEntry.history(
        of: "alert_rule", limit: 10, in: scope, pool
      ).map(\.action)
      #expect(
        actions == [
          "alert_rule.muted", "alert_rule.edited", "alert_rule.edited", "alert_rule.edited",
        ])
      let viewer = try await Desk(fixture, .viewer)
      let read = try await viewer.get("alert-rules").body
      #expect(!read.contains("name=\"threshold\"") && !read.contains("name=\"hours\""))
    }
  }
  /// What was not on the page is not acknowledged with it.
  @Test func alertsThatNeedALookHavePages() async throws {
    try await ServerFixture.with { fixture in
      let (scope, pool) = (fixture.workspace.scope, fixture.platform.pool)
      let desk = try await Desk(fixture)
      for number in 1...52 {
        try await raise(
          .mismatch, ["bot": "b\(number)", "count": "1"], about: "\(number)", fixture)
      }
      let ids = try await Alert.unacknowledged(limit: 100, in: scope, pool).map(\.id)
      #expect(ids.count == 52)
      let first = try await desk.get("alerts?kind=webhook.slow").body
      #expect(first.contains("There are more than these 50"))
      #expect(first.contains("?kind=webhook.slow&amp;open_after=\(ids[49])"))
      let older = try await desk.get("alerts?open_after=\(ids[49])")
      #expect(older.body.contains("@b2 ") && older.body.contains("@b1 "))
      #expect(!older.body.contains("@b3 ") && !older.body.contains("There are more"))
      let fields = try await desk.fields("alerts")
      #expect(fields["oldest"] == "\(ids[49])" && fields["newest"] == "\(ids[0])")
      try await raise(.mismatch, ["bot": "b53", "count": "1"], about: "53", fixture)
      #expect(
        try await desk.post(
          "alerts/acknowledgement", fields.filter { ["oldest", "newest"].contains($0.key) }
        ).status == 303)
      let left = try await Alert.unacknowledged(in: scope, pool).map(\.subject)
      #expect(left == ["53", "2", "1"])
    }
  }
}
