import Foundation
import Telegram
import Testing

@testable import Sandbox

@Suite struct DeliveryTests {
  private static let ann = Workbench.ann
  private static let bot = Workbench.botID

  private func hook(
    _ bench: Workbench, _ url: String, kinds: [UpdateKind] = UpdateKind.payments,
    connections: Int = 40
  ) async throws {
    try await bench.client().setWebhook(
      url: url, secretToken: "Se-cret_1", allowedUpdates: kinds, maxConnections: connections)
  }

  private func settled(_ bench: Workbench) async throws -> Bool {
    try await eventually { try await bench.book.pendingCount(of: Self.bot) == 0 }
  }

  @Test func carriesTheSecretAndTheUpdate() async throws {
    try await withSandbox { bench in
      try await withWebhook { url, received in
        try await self.hook(bench, url)
        try await bench.book.sendText("hello", from: Self.ann, to: Self.bot)
        #expect(try await self.settled(bench))
        let calls = await received.calls
        #expect(calls.count == 1)
        #expect(calls[0].secret == "Se-cret_1")
        #expect(calls[0].update.message?.text == "hello")
        #expect(calls[0].update.user?.languageCode == "en")
      }
    }
  }

  @Test func aFailingUpdateHoldsUpItsOwnChatOnly() async throws {
    try await withSandbox { bench in
      try await bench.book.registerPerson(PersonCard(id: 5002, firstName: "Bo"))
      let answer: @Sendable (Update, Int) async -> HookReply = { update, count in
        // Ann's first message fails twice.
        update.message?.text == "a1" && count < 6 ? HookReply(status: 500) : HookReply()
      }
      try await withWebhook(answer: answer) { url, received in
        for text in ["a1", "a2", "a3"] {
          try await bench.book.sendText(text, from: Self.ann, to: Self.bot)
        }
        for text in ["b1", "b2", "b3"] {
          try await bench.book.sendText(text, from: 5002, to: Self.bot)
        }
        try await self.hook(bench, url)
        #expect(try await self.settled(bench))
        let texts = await received.texts
        let ann = texts.filter { $0.hasPrefix("a") }
        #expect(ann.count > 3, "\(texts)")
        #expect(ann.suffix(3) == ["a1", "a2", "a3"])
        #expect(!ann.dropLast(2).contains("a2"))
        #expect(texts.filter { $0.hasPrefix("b") } == ["b1", "b2", "b3"])
        let firstSuccess = try #require(texts.lastIndex(of: "a1"))
        #expect(try #require(texts.firstIndex(of: "b3")) < firstSuccess)
      }
    }
  }

  @Test func queuesRunSideBySideUpToTheLimit() async throws {
    try await withSandbox { bench in
      for id in 6001...6008 {
        try await bench.book.registerPerson(PersonCard(id: Int64(id), firstName: "P"))
      }
      let gauge = Gauge()
      let answer: @Sendable (Update, Int) async -> HookReply = { _, _ in
        await gauge.enter()
        try? await Task.sleep(for: .milliseconds(60))
        await gauge.leave()
        return HookReply()
      }
      try await withWebhook(answer: answer) { url, _ in
        for id in 6001...6008 {
          try await bench.book.sendText("hi", from: Int64(id), to: Self.bot)
        }
        try await self.hook(bench, url, connections: 3)
        #expect(try await self.settled(bench))
        #expect(await gauge.highest == 3)
      }
    }
  }

  @Test func retriesAtOnceThenLater() async throws {
    try await withSandbox { bench in
      let answer: @Sendable (Update, Int) async -> HookReply = { _, count in
        HookReply(status: count < 5 ? 503 : 204)
      }
      try await withWebhook(answer: answer) { url, _ in
        try await self.hook(bench, url)
        try await bench.book.sendText("hello", from: Self.ann, to: Self.bot)
        #expect(try await self.settled(bench))
        let log = await bench.book.deliveries(botID: Self.bot).reversed()
        #expect(log.map(\.attempt) == [1, 2, 3, 4, 5])
        #expect(log.map(\.status) == [503, 503, 503, 503, 204])
        let info = try await bench.client().getWebhookInfo()
        #expect(info.lastErrorMessage == "Wrong response from the webhook: 503")
        #expect(info.pendingUpdateCount == 0)
      }
    }
  }

  @Test func obeysRetryAfter() async throws {
    try await withSandbox { bench in
      let times = Times()
      let answer: @Sendable (Update, Int) async -> HookReply = { _, count in
        await times.add()
        // 20 seconds at the bench's pace of one fiftieth.
        return count == 1 ? HookReply(status: 429, headers: ["Retry-After": "20"]) : HookReply()
      }
      try await withWebhook(answer: answer) { url, _ in
        try await self.hook(bench, url)
        try await bench.book.sendText("hello", from: Self.ann, to: Self.bot)
        #expect(try await self.settled(bench))
        let all = await times.all
        #expect(all[0].duration(to: all[1]) >= .milliseconds(390))
      }
    }
  }

  @Test func deliversCopiesOnDemand() async throws {
    try await withSandbox { bench in
      try await withWebhook { url, received in
        try await self.hook(bench, url)
        await bench.book.duplicateNext(botID: Self.bot, copies: 7)
        try await bench.book.sendText("again", from: Self.ann, to: Self.bot)
        try await bench.book.sendText("once", from: Self.ann, to: Self.bot)
        #expect(try await self.settled(bench))
        let texts = await received.texts
        #expect(texts.filter { $0 == "again" }.count == 7)
        #expect(texts.last == "once")
        #expect(await Set(received.updateIDs).count == 2)
      }
    }
  }

  @Test func anUpdateExpiresAfterADay() async throws {
    try await withSandbox { bench in
      try await bench.book.sendText("old", from: Self.ann, to: Self.bot)
      try await bench.book.advanceClock(seconds: 86_000)
      #expect(try await bench.book.pendingCount(of: Self.bot) == 1)
      try await bench.book.advanceClock(seconds: 1000)
      #expect(try await bench.book.pendingCount(of: Self.bot) == 0)
      try await withWebhook { url, received in
        try await bench.book.sendText("new", from: Self.ann, to: Self.bot)
        try await self.hook(bench, url)
        #expect(try await self.settled(bench))
        #expect(await received.texts == ["new"])
      }
    }
  }

  @Test func aCheckoutQueryExpiresAfter150Seconds() async throws {
    try await withSandbox { bench in
      let link = try await bench.client().createInvoiceLink(invoice())
      let slug = try #require(TranscriptView.slug(in: link))
      async let outcome = bench.book.pay(invoice: slug, personID: Self.ann)
      #expect(try await eventually { try await bench.book.pendingCount(of: Self.bot) == 1 })
      try await bench.book.advanceClock(seconds: 151)
      #expect(try await bench.book.pendingCount(of: Self.bot) == 0)
      #expect(try await outcome == .noAnswer)
    }
  }

  @Test func carriesOutTheMethodInAReply() async throws {
    try await withSandbox { bench in
      let answer: @Sendable (Update, Int) async -> HookReply = { update, _ in
        guard let query = update.preCheckoutQuery else { return HookReply() }
        return HookReply(
          body: """
            {"method":"answerPreCheckoutQuery","pre_checkout_query_id":"\(query.id)","ok":true}
            """)
      }
      try await withWebhook(answer: answer) { url, received in
        try await self.hook(bench, url)
        let link = try await bench.client().createInvoiceLink(invoice())
        let slug = try #require(TranscriptView.slug(in: link))
        let outcome = try await bench.book.pay(invoice: slug, personID: Self.ann)
        guard case .paid(let charge) = outcome else { throw Refusal.invalid("\(outcome)") }
        #expect(try await self.settled(bench))
        let last = await received.calls.last?.update.message?.successfulPayment
        #expect(last?.telegramPaymentChargeID == charge)
      }
    }
  }

  @Test func aReplyMayNotReadOrMoveTheWebhook() async throws {
    try await withSandbox { bench in
      let answer: @Sendable (Update, Int) async -> HookReply = { _, _ in
        HookReply(body: #"{"method":"deleteWebhook"}"#)
      }
      try await withWebhook(answer: answer) { url, _ in
        try await self.hook(bench, url)
        try await bench.book.sendText("hello", from: Self.ann, to: Self.bot)
        #expect(try await self.settled(bench))
        #expect(try await bench.client().getWebhookInfo().url == url)
      }
    }
  }

  @Test func sendsWhatWasAskedForOnly() async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      try await withWebhook { url, received in
        try await self.hook(bench, url, kinds: [.preCheckoutQuery])
        try await bench.book.sendText("unwanted", from: Self.ann, to: Self.bot)
        #expect(try await bench.book.pendingCount(of: Self.bot) == 0)
        #expect(try await client.getWebhookInfo().allowedUpdates == [.preCheckoutQuery])
        // A list stays until another is given; an empty one stands for all ordinary kinds.
        try await client.deleteWebhook()
        try await bench.book.sendText("unwanted", from: Self.ann, to: Self.bot)
        #expect(try await client.getUpdates().isEmpty)
        #expect(try await client.getUpdates(allowedUpdates: []).isEmpty)
        try await bench.book.sendText("wanted", from: Self.ann, to: Self.bot)
        #expect(try await client.getUpdates().count == 1)
        #expect(await received.calls.isEmpty)
      }
    }
  }

  @Test func aWebhookThatHangsIsGivenUpAndTriedAgain() async throws {
    var pace = quickPace()
    pace.webhookReply = .milliseconds(200)
    try await withSandbox(pace: pace) { bench in
      let answer: @Sendable (Update, Int) async -> HookReply = { _, count in
        if count == 1 { try? await Task.sleep(for: .seconds(1)) }
        return HookReply()
      }
      try await withWebhook(answer: answer) { url, received in
        try await self.hook(bench, url)
        try await bench.book.sendText("slow", from: Self.ann, to: Self.bot)
        #expect(try await self.settled(bench))
        let texts = await received.texts
        #expect(texts.count >= 2 && Set(texts) == ["slow"])
        let log = await bench.book.deliveries(botID: Self.bot)
        #expect(log.last?.error == "Read timeout expired")
      }
    }
  }

  @Test func settingTwiceWithinASecondIsTooOften() async throws {
    var pace = quickPace()
    // A second of half a minute, so that a slow machine meets it.
    pace.retryFactor = 30
    try await withSandbox(pace: pace) { bench in
      let client = try bench.client()
      for _ in 0..<2 {
        try await client.setWebhook(
          url: "http://127.0.0.1:9/a", secretToken: nil, allowedUpdates: [])
      }
      let error = await #expect(throws: TelegramError.self) {
        try await client.setWebhook(
          url: "http://127.0.0.1:9/b", secretToken: nil, allowedUpdates: [])
      }
      #expect(
        error == .api(code: 429, description: "Too Many Requests: retry after 1", retryAfter: 1))
    }
  }

  @Test func aWebhookThatIsGoneForADayIsRemoved() async throws {
    try await withSandbox { bench in
      let answer: @Sendable (Update, Int) async -> HookReply = { _, _ in HookReply(status: 410) }
      try await withWebhook(answer: answer) { url, _ in
        try await self.hook(bench, url)
        try await bench.book.sendText("hello", from: Self.ann, to: Self.bot)
        #expect(await eventually { await bench.book.deliveries().count >= 2 })
        #expect(try await bench.client().getWebhookInfo().url == url)
        try await bench.book.advanceClock(seconds: 82_900)
        #expect(try await eventually { try await bench.client().getWebhookInfo().url.isEmpty })
        #expect(try await bench.client().getUpdates().map(\.message?.text) == ["hello"])
      }
    }
  }

  @Test func droppingPendingUpdatesForgetsThem() async throws {
    try await withSandbox { bench in
      try await bench.book.sendText("lost", from: Self.ann, to: Self.bot)
      try await withWebhook { url, received in
        try await bench.client().setWebhook(
          url: url, secretToken: nil, allowedUpdates: [], dropPendingUpdates: true)
        try await bench.book.sendText("kept", from: Self.ann, to: Self.bot)
        #expect(try await self.settled(bench))
        #expect(await received.texts == ["kept"])
      }
    }
  }
}

private actor Gauge {
  private var current = 0
  private(set) var highest = 0
  func enter() {
    current += 1
    highest = max(highest, current)
  }
  func leave() { current -= 1 }
}

private actor Times {
  private(set) var all: [ContinuousClock.Instant] = []
  func add() { all.append(.now) }
}
