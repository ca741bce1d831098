import Foundation
import Ledger
import Postgres

/// What a bot whose webhook is ours answers to a command.
public struct BotReply: Sendable, Equatable {
  /// The chat that it goes to: the person's own.
  public let chatID: Int64
  public let text: String

  /// The answer to an update; nil where there is nothing of ours to answer.
  public static func to(
    _ body: String, for bot: Bot, in workspace: Workspace, scope: WorkspaceScope, _ pool: Pool
  ) async throws -> BotReply? {
    guard bot.mode == .webhook, bot.answersCommands, let sent = ReplyCommand.sent(in: body, to: bot)
    else { return nil }
    let language = ReplyLanguage(of: sent.languageCode, in: workspace)
    let text: String
    if sent.command == .balance {
      text = try await balance(
        of: sent.telegramID, language, in: workspace, scope: scope, pool)
    } else if sent.command == .paysupport, sent.hasWords,
      let number = try await SupportCase.going(
        of: sent.telegramID, with: bot, in: scope, pool)
    {
      let buyer = BuyerLanguage(of: sent.languageCode, else: workspace.locale)
      text = SupportCase.acknowledgement(of: number, buyer)
    } else {
      let texts = try await texts(of: bot, in: scope, pool)
      text =
        texts[Key(command: sent.command, language: language)]
        ?? standard(sent.command, language, bot: bot)
    }
    return BotReply(chatID: sent.telegramID, text: text)
  }

  public struct Key: Sendable, Hashable {
    public let command: ReplyCommand
    public let language: ReplyLanguage

    public init(command: ReplyCommand, language: ReplyLanguage) {
      self.command = command
      self.language = language
    }
  }

  /// The texts that the operator wrote.
  public static func texts(
    of bot: Bot, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Key: String] {
    let rows = try await pool.query(
      """
      select command, language, body from bot_replies
      where workspace_id = \(scope.workspaceID) and bot_id = \(bot.id)
      """, in: scope)
    var texts: [Key: String] = [:]
    for row in rows {
      guard let command = ReplyCommand(rawValue: try row.get("command")),
        let language = ReplyLanguage(rawValue: try row.get("language"))
      else { continue }
      texts[Key(command: command, language: language)] = try row.get("body")
    }
    return texts
  }

  /// Keeps one language's texts and whether the bot answers at all. An empty text stands for ours.
  ///
  /// - Parameter texts: At most ``Limits/botReplyCharacters`` each, checked by the caller.
  public static func write(
    _ texts: [ReplyCommand: String], language: ReplyLanguage, answersCommands: Bool, of bot: Bot,
    by actor: Actor, in scope: WorkspaceScope, _ platform: Platform
  ) async throws {
    let stored = try await platform.pool.transaction(in: scope) { tx in
      for (command, text) in texts {
        if text.isEmpty {
          try await tx.execute(
            """
            delete from bot_replies where workspace_id = \(scope.workspaceID)
              and bot_id = \(bot.id) and command = \(command.rawValue)
              and language = \(language.rawValue)
            """)
        } else {
          try await tx.execute(
            """
            insert into bot_replies (workspace_id, bot_id, command, language, body)
            values (\(scope.workspaceID), \(bot.id), \(command.rawValue), \(language.rawValue),
              \(text))
            on conflict (workspace_id, bot_id, command, language)
              do update set body = excluded.body
            """)
        }
      }
      try await tx.execute(
        """
        update bots set answers_commands = \(answersCommands)
        where workspace_id = \(scope.workspaceID) and bot_id = \(bot.id)
        """)
      try await tx.audit(
        actor, "bot.replies_changed", "bot", String(bot.id),
        before: ["answers_commands": String(bot.answersCommands)],
        after: [
          "answers_commands": String(answersCommands), "language": language.rawValue,
          "own_texts": texts.filter { !$0.value.isEmpty }.keys.map(\.rawValue).sorted()
            .joined(separator: " "),
        ], in: scope, at: scope.now)
      return try await tx.query(
        "select \(Bot.columns) from bots b where b.bot_id = \(bot.id)"
      ).first.map(Bot.init)
    }
    if let stored { platform.directory.remember(stored) }
  }

  private static func balance(
    of telegramID: Int64, _ language: ReplyLanguage, in workspace: Workspace,
    scope: WorkspaceScope, _ pool: Pool
  ) async throws -> String {
    let words = BalanceWords(language: language, timeZone: workspace.timeZone)
    guard let customer = try await Customer.find(telegramID: telegramID, in: scope, pool) else {
      return words.text(available: 0, held: 0, expiring: [], access: [])
    }
    let balance = try await Balance.of(customer: customer.id, in: scope, pool)
    let access = try await ActiveAccess.of(customer: customer.id, in: scope, pool)
    return words.text(
      available: balance.available, held: balance.held,
      expiring: balance.lots.filter { $0.expiresAt != .distantFuture }
        .map { ($0.left, $0.expiresAt) },
      access: access.sorted { $0.title < $1.title }.map { ($0.title, $0.endsAt) })
  }
}

/// How `/balance` is worded.
struct BalanceWords: Sendable {
  let language: ReplyLanguage
  let timeZone: TimeZone

  /// - Parameters:
  ///   - expiring: Credits that end, with when.
  ///   - access: Features that run, with when they end; `Date.distantFuture` = never.
  func text(
    available: Int64, held: Int64, expiring: [(credits: Int64, at: Date)],
    access: [(title: String, endsAt: Date)]
  ) -> String {
    let english = language == .en
    var lines: [String] = []
    switch available {
    case ..<0:
      lines.append(
        english
          ? "You owe \(credits(-available)). The next ones you get pay this first."
          : "Você deve \(credits(-available)). Os próximos que você receber pagam isso primeiro.")
    case 0: lines.append(english ? "You have no credits." : "Você não tem créditos.")
    default:
      lines.append(english ? "You have \(credits(available))." : "Você tem \(credits(available)).")
    }
    if held > 0 {
      lines.append(
        english
          ? "\(credits(held)) set aside for work in progress."
          : "\(credits(held)) em uso por um trabalho em andamento.")
    }
    var days: [(day: String, credits: Int64)] = []
    for lot in expiring.sorted(by: { $0.at < $1.at }) {
      let day = day(lot.at)
      if days.last?.day == day {
        days[days.count - 1].credits += lot.credits
      } else {
        days.append((day, lot.credits))
      }
    }
    lines += days.prefix(Self.most).map { entry in
      english
        ? "• \(credits(entry.credits)) until \(entry.day)"
        : "• \(credits(entry.credits)) até \(entry.day)"
    }
    lines += access.prefix(Self.most).map { entry in
      guard entry.endsAt != .distantFuture else {
        return "• \(entry.title): \(english ? "no end" : "sem prazo")"
      }
      return "• \(entry.title): \(english ? "until" : "até") \(day(entry.endsAt))"
    }
    return lines.joined(separator: "\n")
  }

  private static let most = 10

  private func credits(_ count: Int64) -> String {
    let number = count.formatted(.number.locale(language.locale))
    let isOne = count == 1
    switch language {
    case .en: return "\(number) \(isOne ? "credit" : "credits")"
    case .ptBR: return "\(number) \(isOne ? "crédito" : "créditos")"
    }
  }

  private func day(_ date: Date) -> String {
    let style = Date.FormatStyle(locale: language.locale, timeZone: timeZone)
    return date.formatted(style.day().month(.abbreviated).year())
  }
}
