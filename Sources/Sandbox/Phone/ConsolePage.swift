import HTTPTypes
import Hummingbird

/// The small console beside the phone: clock, Stars, duplicates, deliveries.
struct ConsolePage: Sendable {
  let phone: PhoneRoutes
  private var book: SandboxBook { phone.book }

  func add(to router: Router<SandboxContext>) {
    let group = router.group("/console")
    group.get("/") { request, _ in try await show(request) }
    group.post("/clock") { request, _ in
      let form = try await request.form()
      let days = form.integer("days") ?? 0
      guard days > 0 else { throw Refusal.invalid("Move the clock by at least a day.") }
      try await book.advanceClock(seconds: Double(days) * 86_400)
      return await phone.redirect(
        "/console", notice: "The clock moved \(days == 1 ? "a day" : "\(days) days") on.")
    }
    group.post("/top-ups") { request, _ in
      let form = try await request.form()
      let stars = form.integer("stars") ?? 0
      try await book.topUp(personID: form.integer("person") ?? 0, stars: stars)
      return await phone.redirect(
        "/console", notice: "\(PhoneViews.number(stars)) ★ added.")
    }
    group.post("/duplicates") { request, _ in
      let form = try await request.form()
      guard let botID = form.integer("bot"), let copies = form.integer("copies"),
        (2...50).contains(copies)
      else { throw Refusal.invalid("Between 2 and 50 copies.") }
      _ = try await book.bot(botID)
      await book.duplicateNext(botID: botID, copies: Int(copies))
      return await phone.redirect(
        "/console", notice: "The next update is delivered \(copies) times.")
    }
    group.post("/refunds") { request, _ in
      let form = try await request.form()
      try await book.refund(
        chargeID: form.text("charge") ?? "",
        origin: form.text("origin").flatMap(RefundForm.Origin.init(rawValue:))?.book ?? .telegram)
      return await phone.redirect("/console", notice: "The Stars went back.")
    }
    group.post("/losses") { request, _ in
      let form = try await request.form()
      let botID = form.integer("bot") ?? 0
      _ = try await book.bot(botID)
      await book.loseUpdates(botID: botID, what: "successful_payment")
      return await phone.redirect(
        "/console", notice: "The bot will not hear of the next payment.")
    }
    group.post("/withdrawals") { request, _ in
      let form = try await request.form()
      try await book.withdraw(
        botID: form.integer("bot") ?? 0, stars: form.integer("stars") ?? 0)
      return await phone.redirect("/console", notice: "The withdrawal is pending.")
    }
    group.post("/movements") { request, _ in
      let form = try await request.form()
      try await book.moveStars(
        botID: form.integer("bot") ?? 0,
        form.text("direction") == "incoming" ? .incoming : .outgoing, partner: "other",
        stars: form.integer("stars") ?? 0)
      return await phone.redirect("/console", notice: "The Stars moved.")
    }
  }

  private func show(_ request: Request) async throws -> Response {
    let names = await phone.botNames()
    let deliveries = await book.deliveries().prefix(30).map {
      PhoneViews.delivery($0, botName: names[$0.botID] ?? "\($0.botID)")
    }
    var bots: [[String: Any]] = []
    for bot in await book.bots() {
      let info = try await book.webhookInfo(of: bot.id)
      bots.append([
        "id": "\(bot.id)", "name": bot.name, "stars": PhoneViews.number(bot.stars),
        "webhook": info.url.isEmpty ? "none (polling)" : info.url,
        "pending": "\(info.pendingUpdateCount)",
      ])
    }
    let people = await book.people().prefix(200).map(PhoneViews.person)
    return phone.pages.page(
      "console",
      await phone.frame(
        "Console", request,
        [
          "bots": bots, "people": Array(people), "hasBots": !bots.isEmpty,
          "hasPeople": !people.isEmpty, "deliveries": Array(deliveries),
          "hasDeliveries": !deliveries.isEmpty,
        ]))
  }
}
