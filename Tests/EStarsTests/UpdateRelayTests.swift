import Foundation
import Postgres
import TestSupport
import Testing

@_spi(Guard) import Ledger
@_spi(Guard) @testable import EStars

/// What waits for a bot's own handler, how long, and when people's words are forgotten.
@Suite struct UpdateRelayTests {
  private func message(_ update: Int64, chat: Int64 = 71, from: Int64 = 71) -> String {
    """
    {"update_id":\(update),"message":{"message_id":\(update),"date":1795000000,\
    "from":{"id":\(from),"is_bot":false,"first_name":"Ann"},"chat":{"id":\(chat),\
    "type":"private"},"text":"private words"}}
    """
  }

  @Test func anUpdateWaitsForItsChatsTurnWithAllItsWords() async throws {
    try await Fixture.with { fixture in
      try await fixture.relay()
      let updates = [
        message(1, chat: -100_5, from: 71),
        """
        {"update_id":2,"callback_query":{"id":"q","from":{"id":71,"is_bot":false,\
        "first_name":"Ann"},"message":{"message_id":1,"date":0,"chat":{"id":-1005,\
        "type":"group"}},"data":"x"}}
        """,
        #"{"update_id":3,"poll":{"id":"p"}}"#, #"{"update_id":4,"something_new":7}"#,
        #"{"update_id":5,"purchased_paid_media":{"from":{"id":73},"paid_media_payload":"x"}}"#,
      ]
      for update in updates {
        _ = try await fixture.receive(update, relaying: true)
        _ = try await fixture.receive(update, relaying: true)
      }
      let rows = try await fixture.pool.query(
        "select update_id, body, relay_queue, relay_state from updates order by update_id",
        in: fixture.scope)
      #expect(try rows.map { try $0.get("body", as: String.self) } == updates)
      #expect(try rows.map { try $0.get("relay_queue", as: Int64.self) } == [-1005, 71, 0, 0, 73])
      #expect(
        try rows.allSatisfy { try $0.get("relay_state", as: String.self) == "due" })
      let jobs = try await fixture.pool.query(
        "select subject from jobs where kind = 'updates.relay' order by subject")
      #expect(
        try jobs.map { try $0.get("subject", as: String.self) }.sorted()
          == [-1005, 0, 71, 73].map { "\(fixture.bot.id):\($0)" }.sorted())
    }
  }

  @Test func whatIsNotTakenInADayIsGivenUpAndForgotten() async throws {
    try await Fixture.with { fixture in
      try await fixture.relay()
      _ = try await fixture.receive(message(1), relaying: true)
      _ = try await fixture.receive(message(2), relaying: true)
      let worker = Worker(platform: fixture.platform)
      try await waitUntil { try await fixture.relayed(1)?.attempts ?? 0 > 0 }
      #expect(try await fixture.relayed(1)?.error == "address_private")
      #expect(try await fixture.relayed(1)?.body != nil)
      // The second one waits behind the first.
      #expect(try await fixture.relayed(2)?.attempts == 0)
      let later = try await fixture.moved(days: 2)
      try await waitUntil {
        try await worker.runDue { Date().addingTimeInterval(7200) }
        return try await later.relayed(2)?.state == "failed"
      }
      for update in [1, 2] {
        let row = try await later.relayed(Int64(update))
        #expect(row?.state == "failed" && row?.body == nil, "\(update)")
      }
    }
  }

  @Test func aPaymentThatIsRelayedIsBookedAndHandedOn() async throws {
    try await Fixture.with { fixture in
      try await fixture.relay()
      let sale = try await fixture.checkout("start", for: 71)
      let update = Sent.payment(
        update: 9, from: 71, stars: sale.stars, payload: sale.payload ?? "", charge: "c9")
      let handled = try await fixture.receive(update, relaying: true)
      guard case .stored("payment.credited", _, false) = handled else {
        Issue.record("\(handled)")
        return
      }
      #expect(try await fixture.relayed(9)?.body == update)
      // Whoever forwards updates by itself gets nothing back.
      _ = try await fixture.receive(message(10))
      let forwarded = try await fixture.relayed(10)
      #expect(forwarded?.state == nil && forwarded?.body == nil)
    }
  }

  @Test func whatWaitsIsHandedOnAtOnceWhenTheHandlerMoves() async throws {
    try await Fixture.with { fixture in
      try await fixture.relay()
      _ = try await fixture.receive(message(1), relaying: true)
      try await waitUntil { try await fixture.relayed(1)?.attempts ?? 0 > 0 }
      try await fixture.pool.execute(
        "update updates set relay_at = now() + interval '1 hour'", in: fixture.scope)
      try await fixture.pool.execute("update jobs set run_at = now() + interval '1 hour'")
      try await fixture.pool.transaction(in: fixture.scope) { tx in
        try await tx.hurryRelay(botID: fixture.bot.id + 1, in: fixture.scope)
      }
      let due: SQL = "select count(*) from updates where relay_at <= now() + interval '1 minute'"
      let jobs: SQL = "select count(*) from jobs where run_at <= now() + interval '1 minute'"
      #expect(try await fixture.count(due) == 0)
      #expect(try await fixture.count(jobs) == 0)
      try await fixture.pool.transaction(in: fixture.scope) { tx in
        try await tx.hurryRelay(botID: fixture.bot.id, in: fixture.scope)
      }
      #expect(try await fixture.count(due) == 1)
      #expect(try await fixture.count(jobs) == 1)
    }
  }

  @Test func anUpdateOfABotThatIsNotRelayedAnyMoreGoesNowhere() async throws {
    try await Fixture.with { fixture in
      try await fixture.relay()
      _ = try await fixture.receive(message(1), relaying: true)
      try await fixture.pool.execute(
        """
        update bots set mode = 'webhook', relay_url = null, sealed_relay_secret = null
        where bot_id = \(fixture.bot.id)
        """)
      try await Worker(platform: fixture.platform).runDue { Date().addingTimeInterval(7200) }
      // Its next try is due by the workspace's own clock.
      let later = try await fixture.moved(days: 0)
      try await waitUntil {
        try await Worker(platform: later.platform).runDue { Date().addingTimeInterval(7200) }
        return try await later.relayed(1)?.state == "failed"
      }
      #expect(try await later.relayed(1)?.error == "no_handler")
      #expect(try await later.relayed(1)?.body == nil)
    }
  }

  @Test func noBodyIsKeptForMoreThanAWeek() async throws {
    try await Fixture.with { fixture in
      // Words of people, a kind that is kept, one that could not be processed, and one that has no
      // use here.
      _ = try await fixture.receive(#"{"update_id":5,"chat_boost":{"chat":{"id":1}}}"#)
      _ = try await fixture.receive(message(1))
      _ = try await fixture.receive(#"{"update_id":2,"my_chat_member":{"chat":{"id":1}}}"#)
      _ = try await fixture.receive(message(3), relaying: true)
      try await fixture.pool.execute(
        """
        insert into updates (workspace_id, bot_id, update_id, kind, body, state, retry_at,
          received_at)
        values (\(fixture.scope.workspaceID), \(fixture.bot.id), 4, 'message', 'words', 'pending',
          now(), now())
        """, in: fixture.scope)
      let words: SQL = "select count(*) from updates where body is not null"
      #expect(try await fixture.relayed(1)?.body == nil)
      #expect(try await fixture.relayed(5)?.body == nil)
      #expect(try await fixture.count(words) == 3)
      let sixth = try await fixture.moved(days: 6)
      try await sixth.purge()
      #expect(try await sixth.relayed(2)?.body != nil)
      let eighth = try await fixture.moved(days: 8)
      try await eighth.purge()
      #expect(try await eighth.count(words) == 0)
      #expect(
        try await eighth.count("select count(*) from updates where relay_state = 'due'") == 0)
    }
  }

  @Test func whatAHandlerMayAskFor() throws {
    func call(_ body: String, _ type: String = "application/json") -> HandlerCall? {
      HandlerCall(
        .init(status: 200, contentType: type, body: Array(body.utf8), isWhole: true))
    }
    let message = try #require(
      call(#"{"method":"sendMessage","chat_id":5,"text":"a","reply_markup":{"a":[1]}}"#))
    #expect(message.method == "sendMessage" && message.isAllowed)
    #expect(
      try JSONSerialization.jsonObject(with: message.parameters) as? NSDictionary
        == ["chat_id": 5, "text": "a", "reply_markup": ["a": [1]]])
    for method in [
      "getMe", "getUpdates", "setWebhook", "deleteWebhook", "close", "logOut",
      "answerPreCheckoutQuery", "refundStarPayment", "createInvoiceLink", "setMyCommands", "GETME",
      "transferGift", "DeleteWebhook", "sendGift", "sendInvoice", "sendPaidMedia", "sendNothing",
      "editUserStarSubscription", "answerShippingQuery", "forwardAnything",
    ] {
      #expect(call(#"{"method":"\#(method)"}"#)?.isAllowed == false, "\(method)")
    }
    let broadcast = try #require(
      call(#"{"method":"sendMessage","text":"a","allow_paid_broadcast":true}"#))
    #expect(String(decoding: broadcast.parameters, as: UTF8.self) == #"{"text":"a"}"#)
    for method in ["sendMessage", "editMessageText", "answerCallbackQuery", "DELETEMESSAGE"] {
      #expect(call(#"{"method":"\#(method)"}"#)?.isAllowed == true, "\(method)")
    }
    for body in [
      "", "ok", "[]", "{}", #"{"method":7}"#, #"{"method":""}"#, #"{"method":"../getMe"}"#,
      #"{"method":"sendMessage/../getMe"}"#,
    ] {
      #expect(call(body) == nil, "\(body)")
    }
    let form = [
      "--b", #"Content-Disposition: form-data; name="method""#, "", "sendMessage", "--b",
      #"Content-Disposition: form-data; name="text""#, "Content-Type: text/plain", "", "two",
      "--b--",
      "",
    ].joined(separator: "\r\n")
    let fromForm = try #require(call(form, "multipart/form-data; boundary=\"b\""))
    #expect(fromForm.method == "sendMessage")
    #expect(String(decoding: fromForm.parameters, as: UTF8.self) == #"{"text":"two"}"#)
  }
}

extension Fixture {
  /// A handler that was set when private networks were still allowed.
  func relay() async throws {
    try await pool.execute(
      """
      update bots set mode = 'relay', relay_url = 'https://127.0.0.1/hook',
        sealed_relay_secret = \(try platform.secrets.seal("relay-secret"))
      where bot_id = \(bot.id)
      """)
  }

  func receive(_ update: String, relaying: Bool) async throws -> UpdateIntake.Handled {
    try await platform.updates.receive(
      update, for: bot, in: workspace, scope: scope, relaying: relaying)
  }

  struct Relayed {
    let state: String?
    let attempts: Int
    let error: String?
    let body: String?
  }

  func relayed(_ update: Int64) async throws -> Relayed? {
    try await pool.query(
      """
      select relay_state, relay_attempts, relay_error, body from updates
      where workspace_id = \(scope.workspaceID) and update_id = \(update)
      """, in: scope
    ).first.map { row in
      Relayed(
        state: try row.getIfPresent("relay_state"), attempts: try row.get("relay_attempts"),
        error: try row.getIfPresent("relay_error"), body: try row.getIfPresent("body"))
    }
  }

  /// Runs the hourly job as the worker does.
  func purge() async throws {
    try await Worker(platform: platform).purgeInbox(in: scope)
  }
}

/// What happens by itself is waited for, as long as a slow machine may take.
func waitUntil(_ isSo: () async throws -> Bool) async throws {
  for _ in 0..<600 {
    if try await isSo() { return }
    try await Task.sleep(for: .milliseconds(50))
  }
  Issue.record("it did not happen within 30 seconds")
}
