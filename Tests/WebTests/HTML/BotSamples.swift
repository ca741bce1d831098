import Foundation

@testable import Web

/// Pages of bots and keys.
enum BotSamples {
  static let rows: [BotRow] = [
    BotRow(
      id: 7_000_000_001, name: "Figurinhas", username: "figurinhas_bot", environment: .sandbox,
      mode: .relay, isConnected: true, createdAt: Samples.ago(40 * Samples.day)),
    BotRow(
      id: 7_000_000_002, name: Samples.hostile, username: "h\"o's<t>", environment: .test,
      mode: .forwarding, isConnected: true, createdAt: Samples.ago(2 * Samples.day)),
    BotRow(
      id: 7_000_000_003, name: Samples.longName, username: String(repeating: "b", count: 32),
      environment: .live, mode: .webhook, isConnected: false,
      createdAt: Samples.ago(200 * Samples.day)),
  ]

  static let ours = WebhookFacts(
    url: "https://estars.example/telegram/7000000001", host: "https://estars.example",
    isOurs: true, pending: 0, allowedUpdates: ["message", "pre_checkout_query"],
    hasCertificate: false)

  static let foreign = WebhookFacts(
    url: "https://bots.example:8443/hook/7000000002:AAsecret?x=<1>&y",
    host: "https://bots.example:8443", isOurs: false, pending: 1_204,
    lastErrorAt: Samples.ago(3 * Samples.minute),
    lastError: "Wrong response from the webhook: 502 <Bad Gateway>", hasCertificate: true)

  static let nobody = WebhookFacts(
    url: "", host: "", isOurs: false, pending: 3, hasCertificate: false)

  static let audit: [PaymentView.AuditLine] = [
    .init(
      at: Samples.ago(Samples.hour), actor: "owner@estudio.example", action: "bot.connected",
      detail: nil)
  ]

  static func bot(_ index: Int, _ webhook: WebhookFacts?) -> BotView {
    BotView(
      bot: rows[index], segment: .aiBot,
      relayHost: rows[index].mode == .relay ? "https://bots.example:8443" : nil,
      answersCommands: true,
      compliance: rows[index].isConnected ? card(webhook, rows[index].mode) : nil,
      webhook: webhook, mayChange: true, audit: audit)
  }

  static func card(_ webhook: WebhookFacts?, _ mode: BotMode) -> ComplianceCard {
    ComplianceCard(
      missingCommands: webhook == nil ? nil : mode == .forwarding ? [] : ["/terms", "/privacy"],
      webhook: webhook, mode: mode, answersCommands: true, pendingLimit: 100, errorSeconds: 3_600)
  }

  static func connection(_ webhook: WebhookFacts?, _ mode: BotMode?) -> BotConnectionView {
    BotConnectionView(
      botID: 7_000_000_002, name: Samples.hostile, mode: mode,
      ourURL: "https://estars.example/telegram/7000000002", webhook: webhook)
  }

  static let replies = BotRepliesView(
    botID: 7_000_000_001, name: "Figurinhas", language: "en", answersCommands: true,
    isWebhookOurs: true, mayChange: true,
    texts: [
      .init(command: "paysupport", text: Samples.hostile, standard: "One.\n\nTwo."),
      .init(command: "terms", text: "", standard: "Our own."),
    ])

  static let pages: [GoldenTests.Page] = [
    .init(name: "bots") {
      BotsView(rows: rows, mayChange: true).render(with: $0, in: Samples.frame())
    },
    .init(name: "bots-none-pt") {
      BotsView(rows: [], mayChange: false).render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "bot-new") {
      BotFormView(environments: [.test, .sandbox]).render(with: $0, in: Samples.frame())
    },
    .init(name: "bot-new-wrong-pt") {
      BotFormView(
        environments: [.live], environment: .live, segment: .miniApp, problem: .elsewhere
      ).render(with: $0, in: Samples.frame(.ptBR, side: .live))
    },
    .init(name: "bot") { bot(0, ours).render(with: $0, in: Samples.frame()) },
    .init(name: "bot-elsewhere") {
      var view = bot(0, foreign)
      view.webhook?.differences = [.elsewhere, .unfinished, .kinds]
      view.webhook?.missing = ["subscription", "chat_member"]
      view.previousHost = "https://bots.example:8443"
      (view.isElsewhere, view.waiting) = (true, 1_204)
      (view.draft, view.problem) = (.disconnection, .waiting)
      return view.render(with: $0, in: Samples.frame())
    },
    .init(name: "bot-viewer-pt") {
      var view = bot(1, foreign)
      view.mayChange = false
      view.webhook?.differences = [.elsewhere]
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "bot-token-refused") {
      var view = bot(1, nil)
      view.trouble = .code(.token)
      (view.draft, view.problem) = (.token, .otherBot)
      return view.render(with: $0, in: Samples.frame())
    },
    .init(name: "bot-disconnected") {
      var view = bot(2, nil)
      (view.isRestorationMissing, view.previousHost) = (true, "https://bots.example:8443")
      return view.render(with: $0, in: Samples.frame(side: .live))
    },
    .init(name: "bot-connection") {
      connection(foreign, .forwarding).render(with: $0, in: Samples.frame())
    },
    .init(name: "bot-connection-polling-pt") {
      connection(nobody, nil).render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "bot-connection-refused") {
      var view = connection(ours, .relay)
      view.webhook?.differences = [.unfinished]
      view.previousHost = "https://bots.example:8443"
      view.trouble = .refused("Bad Request: bad webhook: <no>")
      view.draft = .init(mode: .relay, url: "http://\"10.0.0.1", problems: [.url, .secret])
      return view.render(with: $0, in: Samples.frame())
    },
    .init(name: "bot-connection-waiting-pt") {
      var view = connection(ours, .relay)
      view.waiting = 1
      view.draft = .init(mode: .forwarding, problems: [.waiting])
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "bot-replies") { replies.render(with: $0, in: Samples.frame()) },
    .init(name: "bot-replies-too-long") {
      var view = replies
      view.texts[0].isTooLong = true
      return view.render(with: $0, in: Samples.frame())
    },
    .init(name: "bot-replies-saved-pt") {
      var view = replies
      (view.isSaved, view.isWebhookOurs, view.mayChange) = (true, false, false)
      view.language = "pt-br"
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
  ]
}

enum KeySamples {
  static let rows: [KeyRow] = KeyState.allCases.enumerated().map { index, state in
    KeyRow(
      id: Int64(40 - index), name: ["Production", "", Samples.hostile, Samples.longName][index],
      botUsername: "figurinhas_bot", prefix: "esk_test_Ab9_x",
      scopes: index == 0 ? KeyScope.allCases : [.read], createdAt: Samples.ago(9 * Samples.day),
      lastUsedAt: index == 0 ? Samples.ago(2 * Samples.minute) : nil,
      expiresAt: state == .ending ? Samples.ago(-Samples.hour) : nil, state: state)
  }

  static func key(_ index: Int) -> KeyView {
    KeyView(
      key: rows[index], createdBy: "owner@estudio.example",
      revokedAt: rows[index].state == .revoked ? Samples.ago(Samples.day) : nil, mayChange: true,
      audit: [
        .init(
          at: Samples.ago(9 * Samples.day), actor: "owner@estudio.example",
          action: "key.created", detail: nil)
      ])
  }

  static let pages: [GoldenTests.Page] = [
    .init(name: "keys") {
      KeysView(rows: rows, mayChange: true, paging: Paging(nextCursor: "37", isFirst: true))
        .render(with: $0, in: Samples.frame())
    },
    .init(name: "keys-none-pt") {
      KeysView(rows: [], mayChange: false).render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "key-new-no-bots") {
      KeyFormView(bots: []).render(with: $0, in: Samples.frame())
    },
    .init(name: "key-new") {
      KeyFormView(bots: [.init(id: 7, username: "figurinhas_bot")])
        .render(with: $0, in: Samples.frame())
    },
    .init(name: "key-new-wrong-pt") {
      KeyFormView(
        bots: [.init(id: 7, username: "a"), .init(id: 8, username: "b")], name: Samples.hostile,
        botID: 8, scopes: [], problems: [.name, .bot, .scopes]
      ).render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "key") { key(0).render(with: $0, in: Samples.frame()) },
    .init(name: "key-ending-pt") {
      var view = key(1)
      view.warning = .unconfirmed
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "key-revoked") { key(3).render(with: $0, in: Samples.frame()) },
    .init(name: "secret-key") {
      SecretView(
        kind: .key(name: Samples.hostile), text: "esk_test_" + String(repeating: "Ab9_-", count: 8)
      )
      .render(with: $0, in: Samples.frame())
    },
    .init(name: "secret-rotated-pt") {
      SecretView(
        kind: .rotatedKey(name: "Production", oldUntil: Samples.ago(-Samples.hour)),
        text: "esk_test_x"
      ).render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "secret-relay") {
      SecretView(kind: .relaySecret(botID: 7, name: "Figurinhas"), text: "s3cr3t")
        .render(with: $0, in: Samples.frame())
    },
  ]
}
