import Foundation

/// One bot: how its updates reach us, what Telegram says, and what an owner can do.
struct BotView: Sendable, Equatable {
  enum Draft: String, Sendable, CaseIterable { case token, disconnection }

  enum Problem: String, Sendable, CaseIterable {
    case token, unknown
    case otherBot = "other_bot"
    case noAnswer = "no_answer"
    case unconfirmed, waiting
  }

  var bot: BotRow
  var segment: BotSegment
  /// `https://host` of the handler that updates are handed on to.
  var relayHost: String?
  var previousHost: String?
  /// How many updates wait for the bot's own handler.
  var waiting = 0
  /// Telegram calls an address that somebody else set, and goes on doing so.
  var isElsewhere = false
  /// The bot was disconnected while Telegram refused its token.
  var isRestorationMissing = false
  var answersCommands: Bool
  /// Whether eStars confirms payments in the bot's name.
  var sendsReceipts = true
  /// nil: the bot is disconnected.
  var compliance: ComplianceCard?
  /// nil: Telegram was not asked, or gave no answer.
  var webhook: WebhookFacts?
  var trouble: TelegramTrouble?
  /// What the bot says, not how it is connected.
  var mayManage = true
  var mayChange: Bool
  /// The form that could not be carried out.
  var draft: Draft?
  var problem: Problem?
  var audit: [PaymentView.AuditLine] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let path = Links.bot(page.slug, bot.id)
    let values: [String: TemplateValue] = [
      "bot": .record(bot.model(page)),
      "segment": .text(t[.init("bot.segment_\(segment.rawValue)")]),
      "relay": .optional(relayHost),
      "previous": .optional(previousHost),
      "answers": bot.isConnected && bot.mode == .webhook
        ? .text(t[answersCommands ? "bot.answers_on" : "bot.answers_off"]) : .none,
      "receipts": .record([
        "state": .text(t[sendsReceipts ? "bot.receipts_on" : "bot.receipts_off"]),
        "form": mayManage && bot.isConnected
          ? .record([
            "action": .text(path + "/receipts"), "value": .text(sendsReceipts ? "0" : "1"),
            "verb": .text(t[sendsReceipts ? "bot.receipts_stop" : "bot.receipts_start"]),
          ]) : .none,
      ]),
      "compliance": .optional(compliance) {
        $0.model(page, addTo: mayChange ? path + "/commands" : nil)
      },
      "trouble": .optional(trouble.map { $0.words(t) }),
      "not_restored": isRestorationMissing ? .text(notRestored(t)) : .none,
      "warnings": warnings(page),
      "webhook": .optional(webhook) { $0.model(page, showsAddress: mayChange) },
      "links": bot.isConnected
        ? .record([
          "connection": mayChange ? .text(path + "/connection") : .none,
          "events": .text(path + "/event-address"), "replies": .text(path + "/replies"),
          "alerts": .text(Links.alertChats(page.slug)),
        ]) : .none,
      "again": !bot.isConnected && mayChange ? .text(Links.newBot(page.slug)) : .none,
      "forms": mayChange && bot.isConnected ? .list(Draft.allCases.map { form($0, page) }) : .none,
      "audit": PaymentView.audit(audit, page),
    ]
    return page.page(
      .bot, title: bot.name, place: .bots,
      trail: [(title: t["nav.bots"], href: Links.bots(page.slug))], values)
  }

  private func warnings(_ page: PageContext) -> TemplateValue {
    let words = webhook?.warnings(page) ?? []
    guard !words.isEmpty else { return .none }
    return .record([
      "rows": .list(words.map { ["words": .text($0)] }),
      "href": mayChange
        ? .text(Links.bot(page.slug, bot.id) + "/connection") : .none,
    ])
  }

  private func notRestored(_ t: Strings) -> String {
    previousHost.map { t("bot.not_restored_previous", ["host": $0]) } ?? t["bot.not_restored"]
  }

  private func form(_ kind: Draft, _ page: PageContext) -> TemplateValue {
    let t = page.strings
    let wrong = draft == kind ? problem : nil
    let words = wrong.map { t[.init("bot.problem_\($0.rawValue)")] }
    let isDisconnection = kind == .disconnection
    return [
      "verb": .text(t[.init("bot.do_\(kind.rawValue)")]),
      "hint": .text(isDisconnection ? disconnectionHint(t) : t["bot.hint_token"]),
      "open": .flag(draft == kind),
      "action": .text(Links.bot(page.slug, bot.id) + "/" + kind.rawValue),
      "problem_words": .optional(words),
      "token": .flag(!isDisconnection),
      "give_up": isDisconnection && waiting > 0 ? .text(page.giveUp(waiting)) : .none,
      "button_class": .text(isDisconnection ? "button-danger" : "button-quiet"),
    ]
  }

  private func disconnectionHint(_ t: Strings) -> String {
    if bot.mode == .forwarding && webhook?.isOurs != true {
      return t["bot.hint_disconnection_forwarding"]
    }
    if isElsewhere { return t["bot.hint_disconnection_elsewhere"] }
    return previousHost.map { t("bot.hint_disconnection_previous", ["host": $0]) }
      ?? t["bot.hint_disconnection"]
  }
}

/// How the bot's updates are to reach us: what Telegram does now, and the three ways.
struct BotConnectionView: Sendable, Equatable {
  enum Problem: String, Sendable, CaseIterable { case url, secret, waiting }

  struct Draft: Sendable, Equatable {
    var mode: BotMode
    var url = ""
    var problems: [Problem] = []
  }

  var botID: Int64
  var name: String
  /// nil: nothing was chosen yet.
  var mode: BotMode?
  var ourURL: String
  var previousHost: String?
  var relayURL: String?
  /// How many updates wait for the bot's own handler.
  var waiting = 0
  /// It was us who set the webhook, be it under an address that is ours no more.
  var isSetByUs = false
  var webhook: WebhookFacts?
  var trouble: TelegramTrouble?
  var draft: Draft?

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let path = Links.bot(page.slug, botID)
    return page.page(
      .botConnection, title: t["bot.connection"], place: .bots,
      trail: [(title: t["nav.bots"], href: Links.bots(page.slug)), (title: name, href: path)],
      [
        "look": .text(path + "/connection"),
        "trouble": .optional(trouble.map { $0.words(t) }),
        "webhook": .optional(webhook) { $0.model(page, showsAddress: true) },
        "warnings": .optional(webhook.map { $0.warnings(page) }.flatMap { $0.isEmpty ? nil : $0 }) {
          ["rows": .list($0.map { ["words": .text($0)] })]
        },
        "polling": webhook.map { $0.url.isEmpty } == true ? .text(t["bot.polling"]) : .none,
        "lost_secret": webhook.map { !$0.url.isEmpty && !$0.isOurs } == true
          ? .text(t["bot.lost_secret"]) : .none,
        "ways": webhook.map { facts in .list(BotMode.allCases.map { way($0, facts, page) }) }
          ?? .none,
      ])
  }

  private func way(_ way: BotMode, _ facts: WebhookFacts, _ page: PageContext) -> TemplateValue {
    let t = page.strings
    let draft = self.draft?.mode == way ? self.draft : nil
    let problems = FormProblems(
      rows: (draft?.problems ?? []).map {
        .init(
          field: $0 == .waiting ? "give-up-\(way.rawValue)" : "relay-\($0.rawValue)",
          words: t[.init("bot.problem_\($0.rawValue)")])
      })
    let foreign = facts.isOurs || facts.url.isEmpty ? nil : facts.url
    return [
      "way_title": .text(t[.init("bot.way_\(way.rawValue)")]),
      "hint": .text(t[.init("bot.way_hint_\(way.rawValue)")]),
      "open": .flag(draft != nil),
      "now": .flag(mode == way),
      "action": .text(Links.bot(page.slug, botID) + "/connection"),
      "mode": .text(way.rawValue), "seen": .text(facts.url),
      "summary": problems.model,
      "relay": way == .relay
        ? .record([
          "url": .text(draft?.url ?? relayURL ?? foreign ?? ""),
          "url_problem": problems.words("relay-url"),
          "secret_problem": problems.words("relay-secret"),
        ]) : .none,
      "give_up": way != .relay && waiting > 0
        ? .record([
          "id": .text("give-up-\(way.rawValue)"), "words": .text(page.giveUp(waiting)),
          "problem": problems.words("give-up-\(way.rawValue)"),
        ]) : .none,
      "effect": effect(way, facts, page),
      "button": .text(t[.init("bot.button_\(way.rawValue)")]),
    ]
  }

  /// What happens at Telegram when this way is taken.
  private func effect(_ way: BotMode, _ facts: WebhookFacts, _ page: PageContext) -> TemplateValue {
    let t = page.strings
    guard way == .forwarding else { return .text(t("bot.effect_take", ["url": ourURL])) }
    guard facts.isOurs || isSetByUs else { return .text(t["bot.effect_none"]) }
    return .text(
      previousHost.map { t("bot.effect_restore", ["host": $0]) } ?? t["bot.effect_delete"])
  }
}

extension PageContext {
  fileprivate func giveUp(_ waiting: Int) -> String {
    strings("bot.give_up", count: Int64(waiting), ["n": format.number(Int64(waiting))])
  }
}

/// What the bot answers to Telegram's commands, in one language.
struct BotRepliesView: Sendable, Equatable {
  struct Text: Sendable, Equatable {
    /// Without the slash.
    var command: String
    /// Empty: our own words.
    var text: String
    var standard: String
    var isTooLong = false
  }

  static let languages = ["en", "pt-br"]

  var botID: Int64
  var name: String
  var language: String
  var answersCommands: Bool
  /// Only then are they sent.
  var isWebhookOurs: Bool
  var mayChange: Bool
  var texts: [Text]
  /// They were just kept.
  var isSaved = false

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let bot = Links.bot(page.slug, botID)
    let problems = FormProblems(
      rows: texts.filter(\.isTooLong).map {
        .init(field: $0.command, words: t("replies.too_long", ["command": "/" + $0.command]))
      })
    return page.page(
      .botReplies, title: t["replies.title"], place: .bots,
      trail: [(title: t["nav.bots"], href: Links.bots(page.slug)), (title: name, href: bot)],
      [
        "saved": .flag(isSaved),
        "unsent": .flag(!isWebhookOurs),
        "tabs": .records(Self.languages) {
          [
            "label": .text(t[.init("replies.language_\($0.replacing("-", with: "_"))")]),
            "href": .text(Links.with(bot + "/replies", [("language", $0)])),
            "current": .flag($0 == language),
          ]
        },
        "action": .text(bot + "/replies"), "language": .text(language),
        "summary": problems.model,
        "enabled": .flag(answersCommands),
        "locked": .flag(!mayChange),
        "texts": .records(texts) {
          [
            "id": .text($0.command), "command": .text("/" + $0.command), "text": .text($0.text),
            "standard": .text($0.standard), "problem": problems.words($0.command),
          ]
        },
      ])
  }
}
