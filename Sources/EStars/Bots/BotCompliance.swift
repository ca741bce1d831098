import Foundation
import Ledger
import Postgres
import Telegram

/// What Telegram asks of a bot that sells, looked at there and not remembered here.
public struct BotCompliance: Sendable, Equatable {
  /// The commands that a person finds in the menu, with and without a language's own list.
  public struct Menu: Sendable, Equatable {
    public let scope: CommandScope
    /// Empty: for everybody without a list of their own language.
    public let languageCode: String
    public let commands: [BotCommand]

    public init(scope: CommandScope, languageCode: String, commands: [BotCommand]) {
      self.scope = scope
      self.languageCode = languageCode
      self.commands = commands
    }
  }

  public static let commands: [ReplyCommand] = ReplyCommand.worded

  /// Commands that are missing for somebody; empty = all are set everywhere.
  public let missing: [ReplyCommand]
  let menus: [Menu]

  /// - Parameter menus: That for everybody among them, be it empty.
  public init(menus: [Menu]) {
    self.menus = menus
    missing = Self.commands.filter { command in
      menus.contains { Self.counts($0) && Self.lacks($0, command) }
    }
  }

  /// A list of a language's own hides the one for everybody; where there is none, that one shows.
  private static func counts(_ menu: Menu) -> Bool {
    menu.scope == .everybody && menu.languageCode.isEmpty || !menu.commands.isEmpty
  }

  private static func lacks(_ menu: Menu, _ command: ReplyCommand) -> Bool {
    !menu.commands.contains { $0.command == command.rawValue }
  }

  /// The lists as they are to be: what is there stays, in its order.
  func completed() -> [Menu] {
    let isFresh = menus.allSatisfy(\.commands.isEmpty)
    return menus.compactMap { menu in
      // A first list gets one in Portuguese beside it.
      guard Self.counts(menu) || isFresh && menu.isFirstPortuguese else { return nil }
      let lacking = Self.commands.filter { Self.lacks(menu, $0) }
      guard !lacking.isEmpty else { return nil }
      return Menu(
        scope: menu.scope, languageCode: menu.languageCode,
        commands: menu.commands + lacking.map { $0.line(menu.languageCode) })
    }
  }
}

extension BotCompliance.Menu {
  fileprivate var isFirstPortuguese: Bool { scope == .everybody && languageCode == "pt" }
}

extension ReplyCommand {
  /// As the menu shows it.
  fileprivate func line(_ languageCode: String) -> BotCommand {
    let words: String
    switch (self, languageCode) {
    case (.paysupport, "pt"): words = "Ajuda com um pagamento"
    case (.terms, "pt"): words = "Termos de uso"
    case (.privacy, "pt"): words = "Privacidade"
    case (.balance, "pt"): words = "Seus créditos"
    case (.paysupport, _): words = "Help with a payment"
    case (.terms, _): words = "Terms of use"
    case (.privacy, _): words = "Privacy"
    case (.balance, _): words = "Your credits"
    }
    return BotCommand(command: rawValue, description: words)
  }
}

extension BotConnection {
  /// The lists that are looked at: those that a person in a private chat may be shown.
  private static let lists: [(scope: CommandScope, language: String)] = [
    (.everybody, ""), (.everybody, "pt"), (.everybody, "en"), (.privateChats, ""),
    (.privateChats, "pt"), (.privateChats, "en"),
  ]

  /// - Throws: ``Problem``
  public func compliance(of bot: Bot) async throws -> BotCompliance {
    let client = try client(for: bot)
    return try await Self.ask {
      let found = try await withThrowingTaskGroup(of: (Int, [BotCommand]).self) { group in
        for (index, list) in Self.lists.enumerated() {
          group.addTask {
            (
              index,
              try await client.getMyCommands(
                languageCode: list.language.isEmpty ? nil : list.language, scope: list.scope)
            )
          }
        }
        var found: [Int: [BotCommand]] = [:]
        for try await (index, commands) in group { found[index] = commands }
        return found
      }
      return BotCompliance(
        menus: Self.lists.enumerated().map { index, list in
          .init(scope: list.scope, languageCode: list.language, commands: found[index] ?? [])
        })
    }
  }

  /// Puts the missing commands into the bot's menu, at the end of what is there.
  ///
  /// - Throws: ``Problem``
  public func addCommands(
    to bot: Bot, by actor: Actor, in scope: WorkspaceScope
  ) async throws {
    let compliance = try await compliance(of: bot)
    guard !compliance.missing.isEmpty else { return }
    let client = try client(for: bot)
    for menu in compliance.completed() {
      try await Self.ask {
        try await client.setMyCommands(
          menu.commands, languageCode: menu.languageCode.isEmpty ? nil : menu.languageCode,
          scope: menu.scope)
      }
    }
    let added = compliance.missing.map { "/" + $0.rawValue }.joined(separator: " ")
    try await platform.pool.transaction(in: scope) { tx in
      try await tx.audit(
        actor, "bot.commands_added", "bot", String(bot.id), after: ["commands": added], in: scope,
        at: scope.now)
    }
  }
}
