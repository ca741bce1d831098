import Foundation
import Ledger
import Postgres
import TestSupport
import Testing

@testable import EStars

/// What joins a support case, what opens one, and what it counts.
@Suite struct SupportTests {
  private static let user: Int64 = 7_800_001
  private static let agent = Actor(.operator, "support@example.com")

  private func text(
    _ text: String, update: Int64, from: Int64 = user, chat: Int64? = nil,
    type: String = "private"
  ) -> String {
    """
    {"update_id":\(update),"message":{"message_id":1,"date":1795000000,"text":"\(text)",\
    "from":{"id":\(from),"is_bot":false,"first_name":"Ann","language_code":"en"},\
    "chat":{"id":\(chat ?? from),"type":"\(type)"}}}
    """
  }

  private func cases(_ fixture: Fixture, of user: Int64 = user) async throws -> [SupportCase] {
    guard
      let customer = try await Customer.find(telegramID: user, in: fixture.scope, fixture.pool)
    else { return [] }
    return try await SupportCase.of(customer: customer.id, in: fixture.scope, fixture.pool)
  }

  private func said(_ fixture: Fixture, in id: Int64) async throws -> [String] {
    try await SupportMessage.of(case: id, limit: 100, in: fixture.scope, fixture.pool)
      .reversed().map(\.body)
  }

  private func report(
    _ fixture: Fixture, _ text: String, key: String = UUID().uuidString,
    topic: SupportCase.Topic? = nil, charge: String? = nil
  ) async throws -> SupportReport.Answer {
    try await SupportReport(
      telegramID: Self.user, text: text, topic: topic, chargeID: charge, idempotencyKey: key
    ).take(from: fixture.bot, in: fixture.scope, fixture.pool)
  }

  private func answer(
    _ id: Int64, _ fixture: Fixture, key: String = "k"
  ) async throws {
    try await SupportCase.reply(
      to: id, "We look into it.", key: key, by: Self.agent, operatorID: 1, in: fixture.scope,
      fixture.pool)
  }

  @Test func onlyACallOpensACaseAndOnlyItsBuyersWordsJoin() async throws {
    try await Fixture.with { fixture in
      let words = [
        "hello", "/paysupport", "/terms please", "/paysupport@other_bot I paid", "/paysupportx y",
      ]
      for (number, word) in words.enumerated() {
        let handled = try await fixture.receive(text(word, update: Int64(number + 1)))
        #expect(
          handled == .stored(outcome: "stored", paymentID: nil, isDuplicate: false), "\(word)")
      }
      #expect(try await fixture.count("select count(*) from support_cases") == 0)
      #expect(try await fixture.count("select count(*) from customers") == 0)
      let payment = try await fixture.pay("start", user: Self.user, charge: "stxS1")
      let call = text("/PaySupport@shop_bot I paid,\\nand nothing came.", update: 20)
      #expect(
        try await fixture.receive(call)
          == .stored(outcome: "support.opened", paymentID: nil, isDuplicate: false))
      // The same update again, another person's words, a group's, a command: none of them join.
      _ = try await fixture.receive(call)
      _ = try await fixture.receive(text("me too", update: 21, from: 7_800_002))
      _ = try await fixture.receive(
        text("in the group", update: 22, chat: -100_5, type: "supergroup"))
      _ = try await fixture.receive(text("/start", update: 23))
      #expect(
        try await fixture.receive(text("Hello?", update: 24))
          == .stored(outcome: "support.joined", paymentID: nil, isDuplicate: false))
      let found = try #require(try await cases(fixture).first)
      #expect(found.state == .open && found.source == .buyer && found.topic == .other)
      #expect(found.paymentID == payment.id && found.product == "start")
      #expect(found.subject == "I paid,")
      #expect(try await said(fixture, in: found.id) == ["I paid,\nand nothing came.", "Hello?"])
      #expect(try await cases(fixture, of: 7_800_002).isEmpty)
      try await SupportCase.close(
        found.id, seen: nil, by: Self.agent, in: fixture.scope, fixture.pool)
      // Whoever chats on after the end is none of our business.
      _ = try await fixture.receive(text("thanks, bye", update: 25))
      #expect(try await said(fixture, in: found.id).count == 2)
      #expect(try await cases(fixture).map(\.state) == [.closed])
    }
  }

  @Test func wordsThatComeTogetherStandInOneCase() async throws {
    try await Fixture.with { fixture in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 1...12 {
          let update = text("/paysupport number \(number)", update: Int64(number))
          group.addTask { _ = try await fixture.receive(update) }
        }
        try await group.waitForAll()
      }
      let found = try await cases(fixture)
      #expect(found.count == 1)
      #expect(try await said(fixture, in: found[0].id).count == 12)
      let opened = try await fixture.count(
        "select count(*) from events where kind = 'support.case_opened'")
      #expect(opened == 1)
    }
  }

  @Test func aReportOpensExtendsAndReplays() async throws {
    try await Fixture.with { fixture in
      let first = try await fixture.pay("start", user: Self.user, charge: "stxS1")
      let second = try await fixture.pay("start", user: Self.user, charge: "stxS2")
      let opened = try await report(fixture, "Where are my credits?", key: "a")
      #expect(opened.isOpening && !opened.isReplay)
      #expect(opened.supportCase.paymentID == second.id)
      let joined = try await report(
        fixture, "Nobody?", key: "b", topic: .creditsMissing, charge: "stxS2")
      #expect(!joined.isOpening && joined.supportCase.id == opened.supportCase.id)
      #expect(joined.supportCase.topic == .creditsMissing)
      // A case about another payment is another case.
      let other = try await report(fixture, "And this one?", key: "c", charge: "stxS1")
      #expect(other.isOpening && other.supportCase.paymentID == first.id)
      for (key, body, isOpening) in [
        ("a", "Where are my credits?", true), ("c", "And this one?", true),
      ] {
        let charge: String? = key == "c" ? "stxS1" : nil
        let again = try await report(fixture, body, key: key, charge: charge)
        #expect(again.isReplay && again.isOpening == isOpening)
      }
      await #expect(throws: Checkout.Refusal.keyReused) {
        _ = try await report(fixture, "Something else", key: "a")
      }
      await #expect(throws: SupportRefusal.unknownCharge) {
        _ = try await report(fixture, "x", key: "d", charge: "stxNone")
      }
      // A key of a refused request is free.
      #expect(try await !report(fixture, "x", key: "d").isReplay)
      #expect(try await fixture.count("select count(*) from support_cases") == 2)
    }
  }

  @Test func theSameWordsByTwoWaysAreOneMessage() async throws {
    try await Fixture.with { fixture in
      _ = try await fixture.receive(text("/paysupport I paid", update: 1))
      let passedOn = try await report(fixture, "I paid", key: "a")
      #expect(!passedOn.isOpening)
      _ = try await report(fixture, "again", key: "b")
      _ = try await fixture.receive(text("again", update: 2))
      // But whoever says it twice says it twice.
      _ = try await fixture.receive(text("again", update: 3))
      #expect(
        try await said(fixture, in: passedOn.supportCase.id) == ["I paid", "again", "again"])
      #expect(try await report(fixture, "I paid", key: "a").isReplay)
    }
  }

  /// A screenshot is not kept, but that it came brings the case back.
  @Test func whatComesWithoutWordsJoinsToo() async throws {
    try await Fixture.with { fixture in
      func sent(_ fields: String, update: Int64, from: Int64 = Self.user) -> String {
        text("", update: update, from: from).replacing("\"text\":\"\"", with: fields)
      }
      let photo = "\"photo\":[{\"file_id\":\"a\",\"width\":1,\"height\":1}]"
      _ = try await fixture.receive(sent(photo, update: 1))
      #expect(try await fixture.count("select count(*) from customers") == 0)
      _ = try await fixture.receive(text("/paysupport nothing came", update: 2))
      let opened = try #require(try await cases(fixture).first)
      try await answer(opened.id, fixture)
      #expect(try await cases(fixture).first?.state == .waiting)
      #expect(
        try await fixture.receive(sent(photo, update: 3))
          == .stored(outcome: "support.joined", paymentID: nil, isDuplicate: false))
      #expect(try await cases(fixture).first?.state == .open)
      _ = try await fixture.receive(
        sent(photo + ",\"caption\":\"see here\"", update: 4))
      _ = try await fixture.receive(sent("\"voice\":{\"file_id\":\"v\"}", update: 5))
      _ = try await fixture.receive(sent("\"dice\":{\"value\":3}", update: 6))
      _ = try await fixture.receive(sent(photo, update: 7, from: 7_800_003))
      let heard = try await SupportMessage.of(
        case: opened.id, limit: 100, in: fixture.scope, fixture.pool
      ).reversed().filter { $0.author == .buyer }
      #expect(heard.map(\.attachment) == [nil, .photo, .photo, .voice])
      #expect(heard.map(\.body) == ["nothing came", "", "see here", ""])
    }
  }

  /// The first way may know less: what the second one says of the case is not lost.
  @Test func theSecondWaySaysWhatTheCaseIsAbout() async throws {
    try await Fixture.with { fixture in
      _ = try await fixture.receive(text("/paysupport give my Stars back", update: 1))
      let payment = try await fixture.pay("start", user: Self.user, charge: "stxEcho")
      let opened = try #require(try await cases(fixture).first)
      try await answer(opened.id, fixture)
      let echo = try await report(
        fixture, "give my Stars back", key: "a", topic: .refund, charge: "stxEcho")
      #expect(!echo.isOpening)
      let found = try #require(try await cases(fixture).first)
      #expect(found.topic == .refund && found.paymentID == payment.id)
      #expect(found.product == "start")
      // Nothing new was said, so the next word is the buyer's still.
      #expect(found.state == .waiting && found.waitsSince == nil)
      let asked = try await fixture.count(
        "select count(*) from jobs where (kind, subject) = ('refund.request', \(String(found.id)))")
      #expect(asked == 1)
      #expect(try await said(fixture, in: found.id).count == 2)
    }
  }

  @Test func aBuyerIsHeardAHundredTimesADay() async throws {
    try await Fixture.with { fixture in
      let opened = try await report(fixture, "one")
      try await fixture.pool.execute(
        """
        insert into support_messages (workspace_id, support_case_id, author_kind, body, at)
        select \(fixture.scope.workspaceID), \(opened.supportCase.id), 'buyer', 'n', \(fixture.scope.now)
        from generate_series(2, \(Limits.supportMessagesPerDay))
        """, in: fixture.scope)
      await #expect(throws: SupportRefusal.tooManyMessages) {
        _ = try await report(fixture, "too much")
      }
      let handled = try await fixture.receive(text("too much", update: 9))
      #expect(handled == .stored(outcome: "stored", paymentID: nil, isDuplicate: false))
    }
  }

  @Test func whoseWordIsNextGoesToAndFro() async throws {
    try await Fixture.with { fixture in
      let opened = try await report(fixture, "one").supportCase
      #expect(opened.waitsSince != nil)
      for _ in 0..<2 { try await answer(opened.id, fixture) }
      var now = try #require(
        try await SupportCase.find(id: opened.id, in: fixture.scope, fixture.pool))
      #expect(now.state == .waiting && now.waitsSince == nil && now.firstAnsweredAt != nil)
      let sent = try await SupportMessage.of(
        case: opened.id, limit: 9, in: fixture.scope, fixture.pool)
      #expect(sent.count == 2 && sent.first?.delivery?.state == .due)
      _ = try await report(fixture, "two")
      now = try #require(
        try await SupportCase.find(id: opened.id, in: fixture.scope, fixture.pool))
      let waits = try #require(now.waitsSince)
      #expect(now.state == .open && waits > opened.openedAt)
      // Who has written stays in the place of the first word.
      _ = try await report(fixture, "three")
      now = try #require(
        try await SupportCase.find(id: opened.id, in: fixture.scope, fixture.pool))
      #expect(now.waitsSince == waits)
      await #expect(throws: SupportRefusal.newWords) {
        try await SupportCase.close(
          opened.id, seen: sent[0].id, by: Self.agent, in: fixture.scope, fixture.pool)
      }
      for _ in 0..<2 {
        try await SupportCase.close(
          opened.id, seen: .max, by: Self.agent, in: fixture.scope, fixture.pool)
      }
      await #expect(throws: SupportRefusal.self) { try await answer(opened.id, fixture, key: "l") }
      for _ in 0..<2 {
        try await SupportCase.reopen(opened.id, by: Self.agent, in: fixture.scope, fixture.pool)
      }
      let audit = try await AuditEntry.about(
        "support_case", String(opened.id), in: fixture.scope, fixture.pool)
      #expect(
        audit.map(\.action) == [
          "support.opened", "support.replied", "support.closed", "support.reopened",
        ])
      #expect(
        try await fixture.count(
          "select count(*) from events where kind = 'support.case_closed'") == 1)
    }
  }

  @Test func pressureGrowsByTheDayAndEndsAtThirty() async throws {
    try await Fixture.with { fixture in
      _ = try await fixture.pay("start", user: Self.user, charge: "stxS1")
      let waits: [(days: Double, product: String)] = [
        (0.5, "start"), (1.5, "start"), (3, "pro"), (400, ""),
      ]
      let customer = try #require(
        try await Customer.find(telegramID: Self.user, in: fixture.scope, fixture.pool))
      for (days, product) in waits {
        let since = fixture.scope.now.addingTimeInterval(-days * 86_400)
        try await fixture.pool.execute(
          """
          insert into support_cases (workspace_id, bot_id, customer_id, product, topic, subject,
            source, opened_at, waits_since, last_message_at)
          values (\(fixture.scope.workspaceID), \(fixture.bot.id), \(customer.id), \(product),
            'other', 'x', 'bot', \(since), \(since), \(since))
          """, in: fixture.scope)
      }
      let pressure = try await SupportPressure.load(in: fixture.scope, fixture.pool)
      #expect(pressure.cases == 4 && pressure.overdue == 4 && pressure.points == 1 + 2 + 4 + 30)
      #expect(pressure.byProduct.map(\.key) == ["", "pro", "start"])
      #expect(pressure.byProduct.map(\.points) == [30, 4, 3])
      #expect(pressure.bySegment.map(\.key) == ["ai_bot"])
      #expect(try await SupportCase.openCount(in: fixture.scope, fixture.pool) == 4)
      // Whoever has waited longest comes first, page by page.
      var cursor: SupportCase.Cursor?
      var seen: [String] = []
      repeat {
        let page = try await SupportCase.list(
          .init(state: .open), after: cursor, limit: 1, in: fixture.scope, fixture.pool)
        seen += page.cases.map(\.product)
        cursor = page.next.flatMap { SupportCase.Cursor($0.text) }
      } while cursor != nil
      #expect(seen == ["", "pro", "start", "start"])
      let late = SupportCase.Filter(
        state: .open, owner: .nobody, topic: .other,
        waitingSince: fixture.scope.now.addingTimeInterval(-2 * 86_400))
      let overdue = try await SupportCase.list(
        late, after: nil, limit: 9, in: fixture.scope, fixture.pool)
      #expect(overdue.cases.map(\.product) == ["", "pro"])
      let mine = SupportCase.Filter(state: nil, owner: .one(5))
      let none = try await SupportCase.list(
        mine, after: nil, limit: 9, in: fixture.scope, fixture.pool)
      #expect(none.cases.isEmpty)
    }
  }

  @Test func aSecondPaymentIsBroughtUpUntilItsRefundIsDecided() async throws {
    try await Fixture.with { fixture in
      let checkout = try await fixture.checkout("start", for: Self.user)
      for charge in ["stxS1", "stxS2"] {
        _ = try await fixture.receive(
          Sent.payment(
            update: charge == "stxS1" ? 1 : 2, from: Self.user, stars: checkout.stars,
            payload: checkout.payload ?? "", charge: charge))
      }
      let found = try await cases(fixture)
      #expect(found.map(\.source) == [.system] && found[0].state == .open)
      let refund = try #require(try await fixture.refund(found[0].refundID ?? 0))
      #expect(refund.chargeID == "stxS2")
      try await fixture.decide(refund, .decline(.other))
      #expect(try await cases(fixture).map(\.state) == [.closed])
    }
  }

  @Test func aRefundOfAPaymentThatIsNotHereIsBroughtUpUntilItIs() async throws {
    try await Fixture.with { fixture in
      _ = try await fixture.pay("start", user: Self.user, charge: "stxS1")
      let checkout = try await fixture.checkout("start", for: Self.user)
      let payload = checkout.payload ?? ""
      _ = try await fixture.receive(
        Sent.refund(
          update: 5, payer: Self.user, stars: checkout.stars, payload: payload, charge: "stxS9"))
      #expect(try await cases(fixture).map(\.state) == [.open])
      _ = try await fixture.receive(
        Sent.payment(
          update: 6, from: Self.user, stars: checkout.stars, payload: payload, charge: "stxS9"))
      #expect(try await cases(fixture).map(\.state) == [.closed])
    }
  }

  @Test func placesAreFilledOnceAndInTheBuyersLanguage() async throws {
    try await Fixture.with { fixture in
      _ = try await fixture.pay("start", user: Self.user, charge: "stxS1")
      let customer = try #require(
        try await Customer.find(telegramID: Self.user, in: fixture.scope, fixture.pool))
      let text = "{name}: {balance} {nme}"
      let values = try await ReplyTemplate.values(
        ReplyTemplate.places(in: text), for: customer, in: fixture.workspace,
        scope: fixture.scope, fixture.pool)
      #expect(ReplyTemplate.fill(text, values) == "Ann: 10 créditos {nme}")
      #expect(ReplyTemplate.fill("{name}", [.name: "{balance}"]) == "{balance}")
      #expect(ReplyTemplate.unknownPlaces(in: text + "{Name}{}{ x }") == ["nme", "Name"])
      let template = ReplyTemplate(key: "k", words: [.es: .init(title: "t", body: "b")])
      #expect(template.words(in: .ru, else: .en)?.language == .es)
    }
  }

  @Test func aSubjectIsHowTheWordsBegin() {
    #expect(SupportCase.subject(of: "\n  Hello there \nmore") == "Hello there")
    let long = SupportCase.subject(of: String(repeating: "👩🏽‍🚀é ", count: 400))
    #expect(long.hasSuffix("…") && long.unicodeScalars.count <= Limits.supportSubjectCharacters)
  }
}
