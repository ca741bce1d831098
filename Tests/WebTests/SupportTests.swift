@_spi(Guard) @testable import EStars
import Foundation
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import Sandbox
@testable import Web

/// Support cases at the desk and by the API.
@Suite struct SupportDeskTests {
  private func report(
    _ fixture: ServerFixture, _ body: String, key: String = UUID().uuidString,
    scope: APIKey.Scope = .support
  ) async throws -> (status: Int, headers: HTTPFields, body: String) {
    let name = try #require(HTTPField.Name("Idempotency-Key"))
    return try await fixture.send(
      .post, "/v1/support-cases",
      headers: [
        .authorization: "Bearer \(try await fixture.key([scope]))",
        .contentType: "application/json", name: key,
      ], body: body)
  }

  private func number(_ json: String) throws -> Int64 {
    let digits = try #require(json.firstMatch(of: /"id":([0-9]+)/)).output.1
    return try #require(Int64(digits))
  }

  @Test func aBotOpensACaseByTheAPI() async throws {
    try await ServerFixture.with { fixture in
      let body = #"{"user":7800101,"text":" Nothing came.\n","topic":"not_delivered"}"#
      let first = try await report(fixture, body, key: "a")
      #expect(first.status == 201)
      #expect(first.body.contains(#""opened":true"#) && first.body.contains(#""state":"open""#))
      #expect(first.body.contains(#""subject":"Nothing came.""#))
      let again = try await report(fixture, body, key: "a")
      #expect(again.status == 200 && again.body == first.body)
      #expect(again.headers[.idempotencyReplayed] == "true")
      let joined = try await report(fixture, #"{"user":7800101,"text":"Hello?"}"#)
      #expect(joined.status == 201 && joined.body.contains(#""opened":false"#))
      #expect(try number(joined.body) == number(first.body))
      let wrong: [(String, Int, String)] = [
        (#"{"user":7800101,"text":" \n"}"#, 400, "invalid_text"),
        (#"{"user":7800101,"text":"a\u0000b"}"#, 400, "invalid_text"),
        (#"{"user":0,"text":"x"}"#, 400, "invalid_user"),
        (#"{"user":7800101,"text":"x","topic":"weather"}"#, 400, "invalid_topic"),
        (#"{"user":7800101,"text":"x","subject":""}"#, 400, "invalid_subject"),
        (#"{"user":7800101,"text":"x","charge_id":"a\u0000"}"#, 400, "invalid_charge"),
        (#"{"user":7800101,"text":"x","charge_id":"stxNone"}"#, 422, "unknown_charge"),
      ]
      for (body, status, code) in wrong {
        let answer = try await report(fixture, body)
        #expect(answer.status == status && answer.body.contains("\"\(code)\""), "\(answer.body)")
      }
      let other = try await report(fixture, #"{"user":7800101,"text":"x"}"#, key: "a")
      #expect(other.status == 409)
      #expect(try await report(fixture, body, scope: .sell).status == 403)
    }
  }

  @Test func anOperatorAnswersAssignsAndCloses() async throws {
    try await MessageBench.with { bench in
      let fixture = bench.fixture
      try await bench.pay(try await bench.open())
      try await bench.hear(
        "/paysupport I paid", in: #"{"id":1,"type":"private"}"#)
      let opened = try await SupportReport(
        telegramID: MessageBench.ann, text: "Where are my <b>credits</b>?", topic: .creditsMissing,
        idempotencyKey: "a"
      ).take(from: bench.bot, in: bench.scope, bench.platform.pool).supportCase
      let desk = try await Desk(fixture, .support)
      let path = "support-cases/\(opened.id)"
      let list = try await desk.get("support-cases").body
      #expect(list.contains("Where are my &lt;b&gt;credits") && list.contains("/\(path)"))
      #expect(!(try await desk.get("support-cases?state=closed").body.contains("/\(path)")))
      // A template is put behind what was typed; nothing is sent by that.
      let key = UUID().uuidString
      let draft = try await desk.post(
        path + "/replies",
        ["step": "insert", "template": "not-delivered:en", "reply": "Hi!", "form_key": key])
      #expect(draft.status == 200)
      #expect(
        draft.body.contains("Hi!\n\nSorry, Ann. We have put the credit back: you have 10 credits."))
      #expect(try await bench.said().isEmpty)
      let long = try await desk.post(
        path + "/replies", ["reply": String(repeating: "x", count: 5000), "form_key": key])
      #expect(long.status == 422 && long.body.contains("xxxxx"))
      for _ in 0..<2 {
        let sent = try await desk.post(
          path + "/replies", ["reply": "Hi {name}, look again.", "form_key": key])
        #expect(sent.status == 303)
      }
      #expect(try await bench.said().filter { $0 == "Hi Ann, look again." }.count == 1)
      let page = try await desk.get(path).body
      #expect(page.contains("Hi Ann, look again.") && page.contains("Sent"))
      #expect(page.contains("Waits for the buyer"))
      // Whoever answers takes it, and gives it away again.
      let mine = try await desk.get("support-cases?state=waiting&owner=mine").body
      #expect(mine.contains("/\(path)"))
      #expect(try await desk.post(path + "/assignment", ["assignee": "999999"]).status == 409)
      #expect(try await desk.post(path + "/assignment", ["assignee": ""]).status == 303)
      #expect(
        !(try await desk.get("support-cases?state=waiting&owner=mine").body.contains("/\(path)")))
      #expect(try await desk.post(path + "/notes", ["note": " ", "form_key": "n"]).status == 422)
      #expect(
        try await desk.post(path + "/notes", ["note": "Check it", "form_key": "n"]).status == 303)
      // The buyer writes while somebody is about to close.
      let seen = try #require(
        try await desk.get(path).body.firstMatch(of: /name="seen" value="([0-9]+)"/)
      ).output.1
      try await bench.receive(
        #""message":{"message_id":9,"date":1795000000,"from":{"id":\#(MessageBench.ann),"#
          + #""is_bot":false,"first_name":"Ann"},"chat":{"id":\#(MessageBench.ann),"#
          + #""type":"private"},"text":"Still gone"}"#)
      // An older page does not show the newest words, so nobody closes from it.
      let older = try await desk.get(path + "?after=\(seen)").body
      #expect(!older.contains("name=\"seen\"") && older.contains("talk-words"))
      let late = try await desk.post(path + "/closure", ["seen": String(seen)])
      #expect(late.status == 409 && late.body.contains("Still gone"))
      let newest = try #require(late.body.firstMatch(of: /name="seen" value="([0-9]+)"/)).output.1
      #expect(try await desk.post(path + "/closure", ["seen": String(newest)]).status == 303)
      let closed = try await desk.post(
        path + "/replies", ["reply": "One more", "form_key": UUID().uuidString])
      #expect(closed.status == 409)
      #expect(try await desk.post(path + "/reopening", [:]).status == 303)
    }
  }

  @Test func aBuyerWhoBlockedTheBotIsSeenOnTheCase() async throws {
    try await MessageBench.with { bench in
      try await bench.pay(try await bench.open())
      let opened = try await SupportReport(
        telegramID: MessageBench.ann, text: "Hm", idempotencyKey: "a"
      ).take(from: bench.bot, in: bench.scope, bench.platform.pool).supportCase
      try await bench.book.setChat(
        personID: MessageBench.ann, botID: bench.bot.id, isBlocked: true)
      let desk = try await Desk(bench.fixture, .support)
      let path = "support-cases/\(opened.id)"
      _ = try await desk.post(path + "/replies", ["reply": "Hello", "form_key": "a"])
      #expect(try await desk.get(path).body.contains("class=\"state state-bad\""))
    }
  }

  @Test func aCaseIsOpenedFromACustomerAndAPayment() async throws {
    try await MessageBench.with { bench in
      let payment = try await bench.pay(try await bench.open())
      let desk = try await Desk(bench.fixture, .support)
      let path = "customers/\(payment.customerID)/support-cases"
      let empty = try await desk.fields(
        path + "/new?bot=\(payment.botID)&charge=\(payment.chargeID)")
      #expect(empty["payment"] == "\(payment.botID):\(payment.chargeID)")
      var form = empty
      let refused = try await desk.post(path, form)
      #expect(refused.status == 422 && refused.body.contains("What happened: "))
      form["subject"] = "Asked by e-mail"
      form["note"] = "Wrote to us."
      form["topic"] = "access"
      let made = try await desk.post(path, form)
      #expect(made.status == 303)
      // The same form again is the same case; the payment of somebody else is nobody's here.
      #expect(try await desk.post(path, form).headers[.location] == made.headers[.location])
      // With other words it is shown again under another key, with what was typed.
      form["subject"] = "Asked by phone"
      let again = try await desk.post(path, form)
      #expect(again.status == 409 && again.body.contains("This form was sent before"))
      #expect(again.body.contains("Asked by phone") && again.body.contains("Wrote to us."))
      let key = again.body.firstMatch(of: /name="form_key" value="([^"]*)"/)?.output.1
      #expect(key != nil && key.map(String.init) != form["form_key"])
      form["form_key"] = Checkout.newFormKey()
      form["payment"] = "\(payment.botID):stxNone"
      #expect(try await desk.post(path, form).status == 422)
      let location = try #require(made.headers[.location])
      let page = try await bench.fixture.send(.get, location, headers: [.cookie: desk.cookie])
      #expect(page.body.contains("Wrote to us.") && page.body.contains("talk-note"))
      #expect(page.body.contains(payment.chargeID))
      let links = try await desk.get("payments/\(payment.botID)/\(payment.chargeID)").body
      #expect(links.contains(location) && links.contains("support-cases/new?bot="))
    }
  }

  @Test func templatesAndTheTimeAreForManagers() async throws {
    try await ServerFixture.with { fixture in
      let desk = try await Desk(fixture, .manager)
      let wrong = try await desk.post(
        "reply-templates", ["key": "No Key", "title-en": "Hello", "body-en": "Hi {nme}"])
      #expect(wrong.status == 422 && wrong.body.contains("{nme}") && wrong.body.contains("Hello"))
      #expect(try await desk.post("reply-templates", ["key": "hello"]).status == 422)
      let made = try await desk.post(
        "reply-templates", ["key": "hello", "title-en": "Hello", "body-en": "Hi {name}"])
      #expect(made.status == 303)
      let taken = try await desk.post(
        "reply-templates", ["key": "hello", "title-en": "Hello", "body-en": "Hi"])
      #expect(taken.status == 422)
      var fields = try await desk.fields("reply-templates/hello")
      #expect(fields["body-en"] == "Hi {name}")
      fields["title-pt-br"] = "Oi"
      fields["body-pt-br"] = "Oi, {name}"
      fields["title-en"] = ""
      fields["body-en"] = ""
      #expect(try await desk.post("reply-templates/hello", fields).status == 303)
      let known = try #require(
        try await ReplyTemplate.find(
          "hello", in: fixture.workspace.scope, fixture.platform.pool))
      #expect(known.words == [.ptBR: .init(title: "Oi", body: "Oi, {name}")])
      let page = try await desk.get("reply-templates/hello").body
      #expect(page.contains("changed the template"))
      #expect(try await desk.post("reply-templates/hello/removal", [:]).status == 303)
      #expect(try await desk.get("reply-templates/hello").status == 404)
      #expect(try await desk.post("support-sla", ["minutes": "4"]).status == 422)
      #expect(try await desk.post("support-sla", ["minutes": "90"]).status == 303)
      let minutes = try await SupportSLA.minutes(
        in: fixture.workspace.scope, fixture.platform.pool)
      #expect(minutes == 90)
      #expect(try await desk.get("support-cases").body.contains("90 minutes"))
    }
  }

  @Test func whoCallsForSupportReadsTheNumberOfTheCase() async throws {
    try await ServerFixture.with { fixture in
      let secret = try #require(HTTPField.Name("X-Telegram-Bot-Api-Secret-Token"))
      try await fixture.platform.pool.execute(
        "update bots set mode = 'webhook', answers_commands = true where bot_id = \(fixture.bot.id)"
      )
      fixture.platform.directory.remember(
        try #require(try await Bot.all(in: fixture.workspace.scope, fixture.platform.pool).first))
      func send(_ text: String, _ update: Int) async throws -> String {
        try await fixture.send(
          .post, "/telegram/\(fixture.bot.id)",
          headers: [secret: fixture.webhookSecret, .contentType: "application/json"],
          body: """
            {"update_id":\(update),"message":{"message_id":1,"date":1795000000,"text":"\(text)",\
            "from":{"id":7800201,"is_bot":false,"first_name":"Ann","language_code":"es"},\
            "chat":{"id":7800201,"type":"private"}}}
            """
        ).body
      }
      #expect(try await send("/paysupport", 1).contains("/paysupport meus"))
      let acknowledged = try await send("/paysupport no llegó nada", 2)
      let customer = try #require(
        try await Customer.find(
          telegramID: 7_800_201, in: fixture.workspace.scope, fixture.platform.pool))
      let found = try await SupportCase.of(
        customer: customer.id, in: fixture.workspace.scope, fixture.platform.pool)
      #expect(found.count == 1 && customer.firstName == "Ann")
      #expect(acknowledged.contains("caso \(found[0].id)."))
      #expect(try await send("hola", 3) == "{}")
    }
  }
}
