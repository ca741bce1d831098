import HTTPTypes
import Hummingbird
import Telegram

/// The JSON addresses under `/sandbox` for scripts, loaders and tests. Errors are
/// `{"error":{"code","message"}}` with a fitting status.
///
/// ```
/// GET  bots | people                              POST bots {token,name,username}
/// POST people {id,first_name,last_name?,username?,language_code?,stars?}
/// POST people/P/top-ups {stars}
/// GET  people/P/chats                             PUT people/P/chats/B {is_blocked?}
/// GET  people/P/chats/B/messages                  POST people/P/chats/B/messages {text}
/// POST people/P/chats/B/presses {message_id, row+column | data | text, wait_seconds?}
/// POST people/P/payments {invoice: slug or link | bot_id, message_id}
/// GET  people/P/charges | people/P/subscriptions
/// POST subscriptions/ID/cancellation              DELETE the same switches it on again
/// POST charges/ID/refund {origin?: telegram | silent | chargeback}
/// POST charges/ID/complaint {reason?}
/// POST bots/B/withdrawals {stars}
/// POST bots/B/withdrawals/ID/success | bots/B/withdrawals/ID/failure
/// POST bots/B/movements {direction: incoming | outgoing, partner, stars}
/// POST past-payments [{bot_id,person_id,stars,title,payload,date,charge_id?,refunded_at?}]
/// GET  clock                                      POST clock {seconds}
/// GET  deliveries?bot_id=B
/// POST faults {kind: duplicate | lose_update | delay_delivery | drop_connection | delay | stall
///              | too_many_requests | internal_error, bot_id?, method?, update?, copies?, times?, seconds?}
/// DELETE faults
/// ```
struct ConsoleRoutes: Sendable {
  let book: SandboxBook

  func add(to router: Router<SandboxContext>) {
    let root = router.group("/sandbox")
    addRegister(to: root)
    addChats(to: root.group("/people/{person}"))
    addMoney(to: root)
    addMovements(to: root.group("/bots/{bot}"))
    addTime(to: root)
  }

  private func addRegister(to group: RouterGroup<SandboxContext>) {
    group.get("/bots") { _, _ in try Response.json(await book.bots()) }
    group.post("/bots") { request, _ in
      let form = try await request.json(BotForm.self)
      return try Response.json(
        await book.registerBot(token: form.token, name: form.name, username: form.username),
        status: .created)
    }
    group.get("/people") { _, _ in try Response.json(await book.people()) }
    group.post("/people") { request, _ in
      let form = try await request.json(PersonForm.self)
      return try Response.json(await book.registerPerson(form.card), status: .created)
    }
    group.post("/people/{person}/top-ups") { request, context in
      let form = try await request.json(StarsForm.self)
      return try Response.json(
        StarsForm(stars: await book.topUp(personID: context.id("person"), stars: form.stars)))
    }
  }

  private func addChats(to group: RouterGroup<SandboxContext>) {
    group.get("/chats") { _, context in
      try Response.json(await book.chats(of: context.id("person")))
    }
    group.put("/chats/{bot}") { request, context in
      let form = try await request.json(ChatForm.self)
      try await book.setChat(
        personID: context.id("person"), botID: context.id("bot"),
        isBlocked: form.isBlocked ?? false)
      return Response(status: .noContent)
    }
    group.get("/chats/{bot}/messages") { _, context in
      try Response.json(
        await book.transcript(personID: context.id("person"), botID: context.id("bot")))
    }
    group.post("/chats/{bot}/messages") { request, context in
      let form = try await request.json(TextForm.self)
      let id = try await book.sendText(
        form.text, from: context.id("person"), to: context.id("bot"))
      return try Response.json(MessageNumber(messageID: id), status: .created)
    }
    group.post("/chats/{bot}/presses") { request, context in
      let form = try await request.json(PressForm.self)
      return try await press(form, personID: context.id("person"), botID: context.id("bot"))
    }
    group.get("/charges") { _, context in
      try Response.json(await book.charges(of: context.id("person")))
    }
    group.get("/subscriptions") { _, context in
      try Response.json(await book.subscriptions(of: context.id("person")))
    }
    group.post("/payments") { request, context in
      let form = try await request.json(PaymentForm.self)
      return try await pay(form, personID: context.id("person"))
    }
  }

  private func addMoney(to group: RouterGroup<SandboxContext>) {
    group.post("/subscriptions/{id}/cancellation") { _, context in
      try await book.cancelSubscription(context.word("id"))
      return Response(status: .noContent)
    }
    group.delete("/subscriptions/{id}/cancellation") { _, context in
      try await book.resumeSubscription(context.word("id"))
      return Response(status: .noContent)
    }
    group.post("/charges/{id}/refund") { request, context in
      let form = try await request.json(RefundForm.self)
      try await book.refund(
        chargeID: context.word("id"), origin: form.origin?.book ?? .telegram)
      return Response(status: .noContent)
    }
    group.post("/charges/{id}/complaint") { request, context in
      let form = try await request.json(ComplaintForm.self)
      let id = try await book.complain(
        chargeID: context.word("id"), reason: form.reason ?? "")
      return try Response.json(MessageNumber(messageID: id), status: .created)
    }
    group.post("/past-payments") { request, _ in
      let ids = try await book.seed(try await request.json([PastPayment].self))
      return try Response.json(["charge_ids": ids], status: .created)
    }
  }

  private func addMovements(to group: RouterGroup<SandboxContext>) {
    group.post("/withdrawals") { request, context in
      let form = try await request.json(StarsForm.self)
      let id = try await book.withdraw(botID: context.id("bot"), stars: form.stars)
      return try Response.json(TransactionID(id: id), status: .created)
    }
    for (end, succeeded) in [("success", true), ("failure", false)] {
      group.post("/withdrawals/{id}/\(end)") { _, context in
        try await book.endWithdrawal(
          context.word("id"), botID: context.id("bot"), succeeded: succeeded)
        return Response(status: .noContent)
      }
    }
    group.post("/movements") { request, context in
      let form = try await request.json(MovementForm.self)
      let id = try await book.moveStars(
        botID: context.id("bot"), form.direction, partner: form.partner, stars: form.stars)
      return try Response.json(TransactionID(id: id), status: .created)
    }
  }

  private func addTime(to group: RouterGroup<SandboxContext>) {
    group.get("/clock") { _, _ in try await clock() }
    group.post("/clock") { request, _ in
      let form = try await request.json(ClockForm.self)
      try await book.advanceClock(seconds: form.seconds)
      return try await clock()
    }
    group.get("/deliveries") { request, _ in
      let botID = request.uri.queryParameters["bot_id"].flatMap { Int64($0) }
      return try Response.json(await book.deliveries(botID: botID))
    }
    group.post("/faults") { request, _ in
      try await order(try await request.json(FaultForm.self))
      return Response(status: .noContent)
    }
    group.delete("/faults") { _, _ in
      await book.clearFaults()
      return Response(status: .noContent)
    }
  }

  private func clock() async throws -> Response {
    try Response.json(
      ClockReading(now: await book.now, offsetSeconds: await book.clockOffset))
  }

  private func press(_ form: PressForm, personID: Int64, botID: Int64) async throws -> Response {
    let place = try await book.buttonPlace(form, personID: personID, botID: botID)
    let id = try await book.press(
      row: place.row, column: place.column, messageID: form.messageID, from: personID,
      to: botID)
    let wait = min(max(form.waitSeconds ?? 0, 0), 15)
    let answer = wait > 0 ? await book.pressAnswer(id, within: .seconds(wait)) : nil
    return try Response.json(
      PressReply(
        pressID: id, isAnswered: answer != nil, text: answer?.text,
        isAlert: answer?.isAlert ?? false), status: .created)
  }

  private func pay(_ form: PaymentForm, personID: Int64) async throws -> Response {
    let slug: String
    if let invoice = form.invoice {
      // A whole link does as well as its last part.
      slug = invoice.split(separator: "$").last.map(String.init) ?? invoice
    } else if let botID = form.botID, let messageID = form.messageID {
      slug = try await book.invoiceSlug(
        messageID: messageID, personID: personID, botID: botID)
    } else {
      throw Refusal.invalid("Name an invoice, or a bot and a message.")
    }
    return try Response.json(
      PaymentReply(try await book.pay(invoice: slug, personID: personID)))
  }

  private func order(_ form: FaultForm) async throws {
    let times = form.times ?? 1
    guard (1...1000).contains(times) else { throw Refusal.invalid("times is 1 to 1000.") }
    let seconds = form.seconds ?? 1
    guard (0...300).contains(seconds) else { throw Refusal.invalid("seconds is 0 to 300.") }
    let method: Faults.MethodFault
    switch form.kind {
    case .duplicate:
      guard let botID = form.botID, (2...50).contains(form.copies ?? 2) else {
        throw Refusal.invalid("A duplicate needs bot_id, and copies of 2 to 50.")
      }
      return await book.duplicateNext(
        botID: botID, kind: form.update.map { UpdateKind($0) }, copies: form.copies ?? 2)
    case .loseUpdate:
      guard let botID = form.botID else { throw Refusal.invalid("bot_id is missing.") }
      return await book.loseUpdates(botID: botID, what: form.update, times: times)
    case .delayDelivery:
      guard let botID = form.botID else { throw Refusal.invalid("bot_id is missing.") }
      return await book.delayDeliveries(botID: botID, seconds: seconds, times: times)
    case .dropConnection: method = .dropConnection
    case .delay: method = .delay(seconds: seconds)
    case .stall: method = .stall(seconds: seconds)
    case .tooManyRequests: method = .tooManyRequests(retryAfter: Int(seconds))
    case .internalError: method = .internalError
    }
    await book.order(method, botID: form.botID, method: form.method, times: times)
  }
}
