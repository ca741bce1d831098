import Telegram

extension BotAPI {
  func getMe(_ bot: Bot, _ parameters: Parameters) async throws -> Outcome {
    var user = bot.user
    user.canJoinGroups = true
    user.canReadAllGroupMessages = false
    user.supportsInlineQueries = false
    return try Outcome(user)
  }

  func setMyCommands(_ bot: Bot, _ parameters: Parameters) async throws -> Outcome {
    guard
      let commands = try parameters.json(
        "commands", as: [BotCommand].self, failure: "can't parse commands JSON object")
    else { throw BotAPIError.bad("parameter \"commands\" is required") }
    guard commands.count <= SandboxLimits.commands else {
      throw BotAPIError.bad("BOT_COMMANDS_TOO_MUCH")
    }
    let cleaned = try commands.map { command in
      let name = command.command.drop { $0 == "/" }
      guard (1...32).contains(name.count), name.utf8.allSatisfy(BotAPI.isCommandByte) else {
        throw BotAPIError.bad("BOT_COMMAND_INVALID")
      }
      guard (1...256).contains(command.description.count) else {
        throw BotAPIError.bad("BOT_COMMAND_DESCRIPTION_INVALID")
      }
      return BotCommand(command: String(name), description: command.description)
    }
    try await book.setCommands(cleaned, key: commandKey(parameters), botID: bot.id)
    return try Outcome(true)
  }

  func getMyCommands(_ bot: Bot, _ parameters: Parameters) async throws -> Outcome {
    try Outcome(bot.commands[commandKey(parameters)] ?? [])
  }

  func deleteMyCommands(_ bot: Bot, _ parameters: Parameters) async throws -> Outcome {
    try await book.setCommands([], key: commandKey(parameters), botID: bot.id)
    return try Outcome(true)
  }

  /// Commands are kept per scope and language; the phone shows those of the default scope.
  private func commandKey(_ parameters: Parameters) throws -> String {
    struct Scope: Decodable { let type: String }
    let scope = try parameters.json(
      "scope", as: Scope.self, failure: "can't parse BotCommandScope")
    return Bot.commandKey(
      scope: scope?.type ?? "default", language: parameters.text("language_code") ?? "")
  }

  private static func isCommandByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 97...122, UInt8(ascii: "_"): true
    default: false
    }
  }
}

extension Bot {
  static func commandKey(scope: String, language: String) -> String { "\(scope)/\(language)" }

  /// What the menu of a person shows.
  func commands(for language: String?) -> [BotCommand] {
    let short = language.map { String($0.prefix { $0 != "-" }) } ?? ""
    for scope in ["all_private_chats", "default"] {
      for language in [short, ""] {
        let found = commands[Bot.commandKey(scope: scope, language: language)] ?? []
        if !found.isEmpty { return found }
      }
    }
    return []
  }
}

extension SandboxBook {
  func setCommands(_ commands: [BotCommand], key: String, botID: Int64) throws {
    var bot = try bot(botID)
    bot.commands[key] = commands.isEmpty ? nil : commands
    try write { put(.bot(bot)) }
  }
}
