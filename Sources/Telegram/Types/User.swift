/// A person or a bot. Ids have up to 52 significant bits.
public struct User: Codable, Sendable, Hashable {
  public var id: Int64
  public var isBot: Bool
  public var firstName: String
  public var lastName: String?
  public var username: String?
  /// IETF tag of the person's interface language, such as `pt-br`.
  public var languageCode: String?
  public var isPremium: Bool?
  /// Set in the answer of `getMe` only.
  public var canJoinGroups: Bool?
  public var canReadAllGroupMessages: Bool?
  public var supportsInlineQueries: Bool?

  public init(
    id: Int64, isBot: Bool = false, firstName: String, lastName: String? = nil,
    username: String? = nil, languageCode: String? = nil, isPremium: Bool? = nil
  ) {
    self.id = id
    self.isBot = isBot
    self.firstName = firstName
    self.lastName = lastName
    self.username = username
    self.languageCode = languageCode
    self.isPremium = isPremium
  }

  enum CodingKeys: String, CodingKey {
    case id
    case isBot = "is_bot"
    case firstName = "first_name"
    case lastName = "last_name"
    case username
    case languageCode = "language_code"
    case isPremium = "is_premium"
    case canJoinGroups = "can_join_groups"
    case canReadAllGroupMessages = "can_read_all_group_messages"
    case supportsInlineQueries = "supports_inline_queries"
  }
}

/// Where a message stands. In a private chat `id` is the person's id.
public struct Chat: Codable, Sendable, Hashable {
  public var id: Int64
  /// `private`, `group`, `supergroup` or `channel`; others may come.
  public var type: String
  public var title: String?
  public var username: String?
  public var firstName: String?
  public var lastName: String?

  public var isPrivate: Bool { type == "private" }

  public init(
    id: Int64, type: String = "private", title: String? = nil, username: String? = nil,
    firstName: String? = nil, lastName: String? = nil
  ) {
    self.id = id
    self.type = type
    self.title = title
    self.username = username
    self.firstName = firstName
    self.lastName = lastName
  }

  enum CodingKeys: String, CodingKey {
    case id, type, title, username
    case firstName = "first_name"
    case lastName = "last_name"
  }
}

/// A line of the bot's command menu.
public struct BotCommand: Codable, Sendable, Hashable {
  /// 1–32 characters: lower-case letters, digits, underscores; no slash.
  public var command: String
  /// 1–256 characters.
  public var description: String

  public init(command: String, description: String) {
    self.command = command
    self.description = description
  }
}
