import Foundation
import HTTPTypes
import Hummingbird
import Telegram

/// The phone: choose a person, chat with a bot, pay, cancel, ask for refunds. Works by forms and
/// reloads alone; the script only saves reloads.
struct PhoneRoutes: Sendable {
  let book: SandboxBook
  let pages: PhonePages
  let notices = Notices()

  func add(to router: Router<SandboxContext>) {
    router.get("/assets/{file}") { _, context in try pages.asset(context.word("file")) }
    router.get("/") { request, context in try await people(request, context) }
    router.get("/healthz") { _, _ in Response(status: .ok) }
    let person = router.group("/people/{person}")
    person.get("/") { request, context in try await chats(request, context) }
    addChat(to: person.group("/chats/{bot}"))
    addPayments(to: person)
    ConsolePage(phone: self).add(to: router)
  }

  private func addChat(to group: RouterGroup<SandboxContext>) {
    group.get("/") { request, context in try await chat(request, context) }
    group.get("/transcript") { request, context in try await transcript(request, context) }
    group.post("/messages") { request, context in try await send(request, context) }
    group.post("/presses") { request, context in try await press(request, context) }
    group.get("/invoices/{slug}") { request, context in try await sheet(request, context) }
    group.post("/invoices/{slug}/payment") { _, context in try await pay(context) }
  }

  private func people(_ request: Request, _ context: SandboxContext) async throws -> Response {
    let people = await book.people()
    // A form writes a space as a plus sign.
    let text = (request.uri.queryParameters["q"].map(String.init) ?? "")
      .replacing("+", with: " ").trimmingCharacters(in: .whitespaces)
    let found = people.filter { PhoneViews.matches($0, text) }
    let shown = found.prefix(SandboxLimits.peoplePerPage)
    return pages.page(
      "people",
      await frame(
        "People", request,
        [
          "people": shown.map(PhoneViews.person), "hasPeople": !people.isEmpty,
          "isLong": people.count > SandboxLimits.peoplePerPage, "query": text,
          "isNobody": found.isEmpty,
          "count": shown.count < found.count
            ? "\(shown.count) of \(found.count) people" : "\(found.count) people",
        ]))
  }

  private func chats(_ request: Request, _ context: SandboxContext) async throws -> Response {
    let personID = try context.id("person")
    return pages.page(
      "chats", try await personFrame("Chats", personID: personID, request, ["isList": true]))
  }

  private func chat(_ request: Request, _ context: SandboxContext) async throws -> Response {
    let personID = try context.id("person")
    let botID = try context.id("bot")
    let bot = try await book.bot(botID)
    var values = try await transcriptValues(personID: personID, botID: botID)
    values["botName"] = bot.name
    values["botUsername"] = "@\(bot.username)"
    values["base"] = "/people/\(personID)/chats/\(botID)"
    let language = try await book.person(personID).languageCode
    let commands = bot.commands(for: language).map {
      ["command": "/\($0.command)", "description": $0.description]
    }
    values["commands"] = commands
    values["hasCommands"] = !commands.isEmpty
    return pages.page(
      "chat",
      try await personFrame(
        bot.name, personID: personID, botID: botID, request, values))
  }

  /// The messages alone, for the script; 304 while nothing changed.
  private func transcript(
    _ request: Request, _ context: SandboxContext
  ) async throws -> Response {
    let values = try await transcriptValues(
      personID: context.id("person"), botID: context.id("bot"))
    let text = pages.fragment("transcript", values)
    let tag = "\"\(PhonePages.fingerprint(text))\""
    var response =
      request.headers[.ifNoneMatch] == tag
      ? Response(status: .notModified) : pages.html(text)
    response.headers[.eTag] = tag
    return response
  }

  private func transcriptValues(
    personID: Int64, botID: Int64
  ) async throws -> [String: Any] {
    let lines = try await book.transcript(
      personID: personID, botID: botID, last: SandboxLimits.messagesPerPage)
    return [
      "messages": TranscriptView(personID: personID, botID: botID).values(lines),
      "isEmpty": lines.isEmpty,
      "start": "/people/\(personID)/chats/\(botID)/messages",
    ]
  }

  private func send(_ request: Request, _ context: SandboxContext) async throws -> Response {
    let personID = try context.id("person")
    let botID = try context.id("bot")
    let text = try await request.form().text("text") ?? ""
    if !text.trimmingCharacters(in: .whitespacesAndNewlines).isEmpty {
      let id = try await book.sendText(text, from: personID, to: botID)
      await waitForReply(after: id, personID: personID, botID: botID)
    }
    return redirect("/people/\(personID)/chats/\(botID)#end")
  }

  private func press(_ request: Request, _ context: SandboxContext) async throws -> Response {
    let personID = try context.id("person")
    let botID = try context.id("bot")
    let form = try await request.form()
    guard let message = form.integer("message"), let row = form.integer("row"),
      let column = form.integer("column")
    else { throw Refusal.missing("button") }
    let id = try await book.press(
      row: Int(clamping: row), column: Int(clamping: column), messageID: message,
      from: personID, to: botID)
    let answer = await book.pressAnswer(id, within: .seconds(2))
    return await redirect(
      "/people/\(personID)/chats/\(botID)", notice: answer?.text,
      isAlert: answer?.isAlert ?? false)
  }

  private func sheet(_ request: Request, _ context: SandboxContext) async throws -> Response {
    let personID = try context.id("person")
    let botID = try context.id("bot")
    let invoice = try await book.invoice(context.word("slug"))
    let person = try await book.person(personID)
    let seller = try await book.bot(invoice.botID)
    let base = "/people/\(personID)/chats/\(botID)"
    return pages.page(
      "sheet",
      try await personFrame(
        invoice.title, personID: personID, botID: botID, request,
        [
          "invoiceTitle": invoice.title, "description": invoice.description,
          "label": invoice.label, "stars": PhoneViews.number(invoice.stars),
          "seller": seller.name, "balance": PhoneViews.number(person.stars),
          "after": PhoneViews.number(person.stars - invoice.stars),
          "isAffordable": person.stars >= invoice.stars,
          "missing": PhoneViews.number(max(invoice.stars - person.stars, 0)),
          "isSubscription": invoice.subscriptionPeriodSeconds != nil,
          "isPaid": invoice.paidChargeID != nil, "back": base,
          "action": "\(base)/invoices/\(invoice.slug)/payment", "person": "\(personID)",
        ]))
  }

  private func pay(_ context: SandboxContext) async throws -> Response {
    let personID = try context.id("person")
    let botID = try context.id("bot")
    let base = "/people/\(personID)/chats/\(botID)"
    let notice: String
    do {
      switch try await book.pay(invoice: context.word("slug"), personID: personID) {
      case .paid:
        await waitForReply(after: nil, personID: personID, botID: botID)
        return redirect("\(base)#end")
      case .refused(let message): notice = "The bot refused: \(message) Nothing was charged."
      case .noAnswer: notice = "The bot did not answer in time. Nothing was charged."
      case .balanceTooLow: notice = "There are not enough Stars. Nothing was charged."
      }
    } catch let refusal as Refusal where refusal.status == 409 {
      notice = refusal.message
    }
    return await redirect(base, notice: notice, isAlert: true)
  }

  /// Gives the bot a moment, so that a page without script shows its reply at once.
  private func waitForReply(after messageID: Int64?, personID: Int64, botID: Int64) async {
    let last = await book.lastMessageID(personID: personID, botID: botID)
    let start = messageID ?? last
    for _ in 0..<20 {
      if await book.lastMessageID(personID: personID, botID: botID) > start { return }
      try? await Task.sleep(for: .milliseconds(40))
    }
  }
}

extension PhoneRoutes {
  /// What every page shows.
  func frame(
    _ title: String, _ request: Request, _ values: [String: Any]
  ) async -> [String: Any] {
    var values = values
    values["title"] = title
    values["clock"] = PhoneViews.dateAndClock(Int64(await book.now))
    values["isClockMoved"] = await book.clockOffset > 0
    let key = request.uri.queryParameters["n"].map(String.init)
    if let notice = await notices.take(key) {
      values["notice"] = ["text": notice.text, "isAlert": notice.isAlert]
    }
    return values
  }

  /// A person's page, with the rail of their chats.
  func personFrame(
    _ title: String, personID: Int64, botID: Int64? = nil, _ request: Request,
    _ values: [String: Any]
  ) async throws -> [String: Any] {
    var values = values
    let card = try await book.person(personID).card
    values["me"] = PhoneViews.person(card)
    values["chats"] = try await book.chats(of: personID).map {
      PhoneViews.chat($0, personID: personID, isCurrent: $0.bot.id == botID)
    }
    return await frame(title, request, values)
  }

  func redirect(_ path: String) -> Response {
    Response(status: .seeOther, headers: [.location: path])
  }

  func redirect(_ path: String, notice: String?, isAlert: Bool = false) async -> Response {
    guard let notice, !notice.isEmpty else { return redirect("\(path)#end") }
    let key = await notices.keep(notice, isAlert: isAlert)
    return redirect("\(path)?n=\(key)#end")
  }
}

extension SandboxBook {
  func invoice(_ slug: String) throws -> StarInvoice {
    guard let invoice = state.invoices[slug] else { throw Refusal.missing("invoice") }
    return invoice
  }

  func lastMessageID(personID: Int64, botID: Int64) -> Int64 {
    let chat = state.chats[ChatKey(personID: personID, botID: botID)]
    return chat?.messages.last?.message.messageID ?? 0
  }
}
