import EStars
import Foundation

/// A payment's receipt, sent once more.
enum ReceiptsController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    guard let chargeID = visit.inbound.parameters["charge"],
      let payment = try await Payment.find(
        botID: visit.inbound.id("bot"), chargeID: chargeID, in: scope, pool)
    else { throw Refusal.notFound }
    _ = try Visit.living(try await Customer.find(id: payment.customerID, in: scope, pool))
    let key = try visit.inbound.form()["form_key"] ?? ""
    guard key.wholeMatch(of: /[A-Za-z0-9-]{1,64}/) != nil else {
      throw Refusal(
        .unprocessableContent, "form_key", "Open the page again and send it from there.")
    }
    guard try await payment.sayReceiptAgain(key: key, by: visit.actor, in: scope, pool) else {
      throw Refusal(
        .conflict, "no_receipt", "This payment matches no checkout, so it has no receipt.")
    }
    await visit.platform.messages.sendNow(
      .receiptAgain, about: "\(payment.id):\(key)", in: scope)
    return .seeOther(
      Links.payment(
        visit.workspace.slug, PaymentKey(botID: payment.botID, chargeID: payment.chargeID))
        + "#receipts")
  }
}

/// Whether eStars confirms the payments of a bot.
enum BotReceiptsController {
  @Sendable static func update(_ visit: Visit) async throws -> Reply {
    let bot = try await visit.connectedBot()
    try await bot.sendReceipts(
      try visit.inbound.form()["enabled"] == "1", by: visit.actor, in: visit.scope, visit.platform)
    return .seeOther(Links.bot(visit.workspace.slug, bot.id))
  }
}

/// The commands that Telegram wants, put into a bot's menu.
enum BotCommandsController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let bot = try await visit.connectedBot()
    do {
      try await visit.connections.addCommands(to: bot, by: visit.actor, in: visit.scope)
    } catch let problem as BotConnection.Problem {
      return try await visit.botPage(bot, trouble: TelegramTrouble(problem), status: .conflict)
    }
    return .seeOther(Links.bot(visit.workspace.slug, bot.id))
  }
}
