import EStars
import Foundation
import HTTPTypes

/// The answer to "where did my credits go": proposed, put right by hand, sent by a bot.
enum CreditAnswersController {
  @Sendable static func new(_ visit: Visit) async throws -> Reply {
    let customer = try await visit.livingCustomer()
    let asked = visit.inbound.query["language"].flatMap(BuyerLanguage.init(rawValue:))
    let language = asked ?? BuyerLanguage(of: customer.languageCode, else: visit.workspace.locale)
    let text = try await CreditAnswer.text(
      of: customer, language, in: visit.scope, visit.platform.pool)
    return try await visit.creditAnswerPage(
      customer,
      CreditAnswerForm(
        key: CreditGrantOrder.newFormKey(), language: language.rawValue, text: text))
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let customer = try await visit.livingCustomer()
    let sent = try visit.inbound.form()
    var form = CreditAnswerForm(
      key: sent["form_key"] ?? "", language: sent["language"] ?? "",
      // Browsers send line ends as CRLF.
      text: (sent["text"] ?? "").replacing("\r\n", with: "\n"), botID: Int64(sent["bot"] ?? ""))
    guard form.key.wholeMatch(of: /[A-Za-z0-9_-]{8,64}/) != nil else {
      throw Refusal(
        .unprocessableContent, "form_key", "Open the page again and send it from there.")
    }
    let text = form.text.trimmingCharacters(in: .whitespacesAndNewlines)
    if text.isEmpty { form.problem = .missing }
    if text.utf16.count > EStars.Limits.messageUnits { form.problem = .tooLong }
    let bots = try await visit.speakingBots(to: customer)
    let bot = bots.first { $0.id == form.botID } ?? (form.botID == nil ? bots.first : nil)
    if bot == nil, form.problem == nil { form.problem = .bot }
    guard form.problem == nil, let bot else {
      return try await visit.creditAnswerPage(customer, form, status: .unprocessableContent)
    }
    do {
      let subject = try await CreditAnswer.send(
        text, to: customer.id, with: bot, key: form.key, by: visit.actor, in: visit.scope,
        visit.platform.pool)
      await visit.platform.messages.sendNow(.creditsAnswer, about: subject, in: visit.scope)
    } catch CreditAnswer.SendRefusal.erased {
      throw Refusal(.conflict, "erased", "This customer was erased, so nobody can be told.")
    }
    return .seeOther(
      Links.with(Links.customer(visit.workspace.slug, customer.id), [("answered", form.key)]))
  }
}

extension Visit {
  /// Connected bots that can speak to a customer, the one they were seen with last first; where
  /// none has met them, all.
  fileprivate func speakingBots(to customer: Customer) async throws -> [Bot] {
    let all = try await Bot.all(in: scope, platform.pool).filter(\.isConnected)
    let met = try await Customer.bots(of: customer.id, in: scope, platform.pool)
    let known = met.compactMap { id in all.first { $0.id == id } }
    return known.isEmpty ? all : known
  }

  fileprivate func creditAnswerPage(
    _ customer: Customer, _ form: CreditAnswerForm, status: HTTPResponse.Status = .ok
  ) async throws -> Reply {
    let view = CreditAnswerView(
      customer: CustomerLabel(customer), languageCode: customer.languageCode,
      bots: try await speakingBots(to: customer).map { .init(id: $0.id, username: $0.username) },
      form: form)
    var reply = try await page(view.render)
    reply.status = status
    return reply
  }
}
