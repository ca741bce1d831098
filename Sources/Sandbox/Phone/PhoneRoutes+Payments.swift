import HTTPTypes
import Hummingbird

extension PhoneRoutes {
  func addPayments(to group: RouterGroup<SandboxContext>) {
    group.get("/payments") { request, context in try await payments(request, context) }
    group.get("/payments/{charge}") { request, context in try await receipt(request, context) }
    group.post("/payments/{charge}/complaint") { request, context in
      try await complain(request, context)
    }
    group.get("/subscriptions") { request, context in
      try await subscriptions(request, context)
    }
    group.post("/subscriptions/{id}/cancellation") { _, context in
      try await book.cancelSubscription(context.word("id"))
      return await redirect(
        "/people/\(try context.id("person"))/subscriptions",
        notice: "Canceled. It stays paid to its end and is not renewed.")
    }
    group.post("/subscriptions/{id}/renewal") { _, context in
      let path = "/people/\(try context.id("person"))/subscriptions"
      do {
        try await book.resumeSubscription(context.word("id"))
        return await redirect(path, notice: "Switched on again.")
      } catch let refusal as Refusal where refusal.status == 409 {
        return await redirect(path, notice: refusal.message, isAlert: true)
      }
    }
    group.post("/top-up") { request, context in
      let personID = try context.id("person")
      let stars = try await request.form().integer("stars") ?? 0
      try await book.topUp(personID: personID, stars: stars)
      let path = request.uri.queryParameters["to"].map(String.init)
      let isInside = path?.hasPrefix("/people/\(personID)/") ?? false
      return await redirect(
        isInside ? path ?? "" : "/people/\(personID)",
        notice: "\(PhoneViews.number(stars)) ★ added.")
    }
  }

  private func payments(_ request: Request, _ context: SandboxContext) async throws -> Response {
    let personID = try context.id("person")
    let names = await botNames()
    let rows = try await book.charges(of: personID).prefix(200).map { card in
      var values = PhoneViews.charge(card, botName: names[card.botID] ?? "")
      values["href"] = "/people/\(personID)/payments/\(card.id)"
      return values
    }
    return pages.page(
      "payments",
      try await personFrame(
        "Payments", personID: personID, request, ["rows": rows, "isEmpty": rows.isEmpty]))
  }

  private func receipt(_ request: Request, _ context: SandboxContext) async throws -> Response {
    let personID = try context.id("person")
    let id = try context.word("charge")
    guard let card = try await book.charges(of: personID).first(where: { $0.id == id }) else {
      throw Refusal.missing("payment")
    }
    var values = PhoneViews.charge(card, botName: await botNames()[card.botID] ?? "")
    values["product"] = card.title
    values["action"] = "/people/\(personID)/payments/\(id)/complaint"
    values["refundAction"] = "/console/refunds"
    values["chat"] = "/people/\(personID)/chats/\(card.botID)"
    return pages.page(
      "receipt", try await personFrame("Receipt", personID: personID, request, values))
  }

  private func complain(_ request: Request, _ context: SandboxContext) async throws -> Response {
    let personID = try context.id("person")
    let id = try context.word("charge")
    guard let card = try await book.charges(of: personID).first(where: { $0.id == id }) else {
      throw Refusal.missing("payment")
    }
    let reason = try await request.form().text("reason") ?? ""
    try await book.complain(chargeID: id, reason: reason)
    return await redirect(
      "/people/\(personID)/chats/\(card.botID)", notice: "The bot was asked for a refund.")
  }

  private func subscriptions(
    _ request: Request, _ context: SandboxContext
  ) async throws -> Response {
    let personID = try context.id("person")
    let names = await botNames()
    let rows = try await book.subscriptions(of: personID).map { card in
      var values = PhoneViews.subscription(card, botName: names[card.botID] ?? "")
      values["base"] = "/people/\(personID)/subscriptions/\(card.id)"
      return values
    }
    return pages.page(
      "subscriptions",
      try await personFrame(
        "Subscriptions", personID: personID, request,
        ["rows": rows, "isEmpty": rows.isEmpty]))
  }

  func botNames() async -> [Int64: String] {
    Dictionary(uniqueKeysWithValues: await book.bots().map { ($0.id, $0.name) })
  }
}
