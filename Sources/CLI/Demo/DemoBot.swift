import EStars
import Foundation
import Logging
import ServiceLifecycle
import Telegram

/// A small bot as an operator would write it: it knows the Bot API and `/v1`, and nothing else of
/// the product. It polls for updates, hands each to `/v1/updates` and sells one action.
struct DemoBot: Service {
  let plan: DemoWorkspace.BotPlan
  let telegram: TelegramClient
  let api: DemoAPI
  let logger: Logger

  func run() async throws {
    try await cancelWhenGracefulShutdown {
      do { try await poll() } catch is CancellationError {}
    }
  }

  private func poll() async throws {
    await introduce()
    var offset: Int64?
    while !Task.isCancelled {
      do {
        let updates = try await telegram.getRawUpdates(
          offset: offset, timeoutSeconds: 25,
          allowedUpdates: [.message, .callbackQuery, .preCheckoutQuery, .subscription])
        // Each person's updates are handled in order, different people's at the same time.
        let byPerson = Dictionary(grouping: updates) { $0.update.user?.id ?? 0 }
        await withTaskGroup { group in
          for updates in byPerson.values {
            group.addTask { for update in updates { await handleUntilDone(update) } }
          }
        }
        if let last = updates.last { offset = last.update.updateID + 1 }
      } catch let error as TelegramError {
        try await pause(after: error)
      }
    }
  }

  /// Somebody else may have taken the bot over (a webhook, another poller): it then waits its turn.
  private func pause(after error: TelegramError) async throws {
    logger.debug("demo bot waits", metadata: ["bot": "\(plan.username)", "error": "\(error)"])
    if case .api(409, _, _) = error {
      try await Task.sleep(for: .seconds(5))
    } else {
      try await Task.sleep(for: .seconds(1))
    }
  }

  private func introduce() async {
    let english = [
      BotCommand(command: "start", description: "What this bot does"),
      BotCommand(command: "buy", description: "Buy credits"),
      BotCommand(command: "balance", description: "Your credits"),
    ]
    try? await telegram.setMyCommands(english)
  }

  /// An update that the product could not take is handed over again, or a payment could be lost.
  private func handleUntilDone(_ raw: RawUpdate) async {
    for attempt in 1...30 where !Task.isCancelled {
      do {
        try await handle(raw)
        return
      } catch let error as TelegramError where !error.isTransient {
        // Who has stopped the bot hears nothing; the product has the update.
        logger.notice(
          "demo bot was not heard", metadata: ["bot": "\(plan.username)", "error": "\(error)"])
        return
      } catch {
        logger.warning(
          "demo bot tries an update again",
          metadata: ["bot": "\(plan.username)", "attempt": "\(attempt)", "error": "\(error)"])
        try? await Task.sleep(for: .seconds(min(5, Double(attempt) * 0.5)))
      }
    }
  }

  private func handle(_ raw: RawUpdate) async throws {
    let update = raw.update
    let forwarded = try await api.forward(raw.json)
    if let payment = forwarded.payment, let message = update.message {
      guard !forwarded.duplicate else { return }
      let words = Words(message.from ?? update.user)
      switch forwarded.handled {
      case "payment.credited":
        try await telegram.sendMessage(
          to: message.chat.id,
          words.paid(payment.stars, payment.credits + payment.bonusCredits, payment.balance),
          replyMarkup: menu(words))
      case "refund.recorded":
        try await telegram.sendMessage(
          to: message.chat.id, words.refunded(payment.stars, payment.balance))
      default: break
      }
      return
    }
    switch forwarded.handled {
    case "support.opened":
      if !forwarded.duplicate, let message = update.message {
        try await telegram.sendMessage(to: message.chat.id, Words(message.from).supportHeard)
      }
      return
    // A person answers these.
    case "support.joined": return
    default: break
    }
    if let message = update.message { try await answer(message) }
    if let query = update.callbackQuery { try await press(query) }
  }

  private func answer(_ message: Message) async throws {
    let words = Words(message.from)
    switch message.command {
    case "buy": try await offerPacks(message.chat.id, user: message.chat.id, words)
    case "balance":
      let credits = try await api.balance(of: message.chat.id)
      try await telegram.sendMessage(
        to: message.chat.id, words.balance(credits), replyMarkup: menu(words))
    case "paysupport": try await telegram.sendMessage(to: message.chat.id, words.paySupport)
    case "terms": try await telegram.sendMessage(to: message.chat.id, words.terms)
    case "privacy": try await telegram.sendMessage(to: message.chat.id, words.privacy)
    default:
      guard message.text != nil else { return }
      try await telegram.sendMessage(
        to: message.chat.id, words.welcome(plan), replyMarkup: menu(words))
    }
  }

  private func press(_ query: CallbackQuery) async throws {
    let words = Words(query.from)
    let chat = query.message?.chat.id ?? query.from.id
    let parts = (query.data ?? "").split(separator: ":").map(String.init)
    switch parts.first {
    case "run": try await runAction(query, chat, words)
    case "buy": try await offerPacks(chat, user: query.from.id, words)
    case "pack" where parts.count == 2: try await sendInvoice(parts[1], query, chat, words)
    default: break
    }
    // A button that was answered too late is nobody's problem.
    try? await telegram.answerCallbackQuery(query.id)
  }

  /// The paid action: the debit comes first, and its key is the press itself.
  private func runAction(_ query: CallbackQuery, _ chat: Int64, _ words: Words) async throws {
    let answer = try await api.debit(
      user: query.from.id, action: plan.action, key: "press-\(query.id)", in: words.language)
    switch answer {
    case .paid(let cost, let balance):
      try await telegram.sendMessage(
        to: chat, words.done(plan, cost, balance), replyMarkup: menu(words))
    case .paywall(let packs):
      try await telegram.sendMessage(
        to: chat, words.needsCredits, replyMarkup: keyboard(of: packs, words))
    }
  }

  private func offerPacks(_ chat: Int64, user: Int64, _ words: Words) async throws {
    let packs = try await api.catalog(for: user, in: words.language)
    try await telegram.sendMessage(
      to: chat, words.choosePack, replyMarkup: keyboard(of: packs, words))
  }

  private func sendInvoice(
    _ sku: String, _ query: CallbackQuery, _ chat: Int64, _ words: Words
  ) async throws {
    let opened = try await api.checkout(
      user: query.from.id, sku: sku, key: "press-\(query.id)", in: words.language)
    guard let sale = opened else {
      try await telegram.sendMessage(to: chat, words.packGone)
      return
    }
    try await telegram.sendInvoice(
      to: chat,
      InvoiceRequest(
        title: sale.title, description: sale.description, payload: sale.payload,
        price: LabeledPrice(label: sale.title, amount: sale.stars)))
  }

  private func menu(_ words: Words) -> InlineKeyboard {
    InlineKeyboard(
      .callback(words.run(plan), "run"), .callback(words.buy, "buy"))
  }

  private func keyboard(of packs: [DemoAPI.Pack], _ words: Words) -> InlineKeyboard {
    InlineKeyboard(
      rows: packs.map { pack in
        let credits = pack.credits + pack.bonusCredits
        return [
          .callback(
            "\(pack.emoji) \(pack.title) · \(words.credits(credits)) · \(pack.stars) ★",
            "pack:\(pack.sku)")
        ]
      })
  }
}
