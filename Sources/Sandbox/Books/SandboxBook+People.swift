import Telegram

/// A bot as the outside sees it.
public struct BotCard: Codable, Sendable, Hashable {
  public let id: Int64
  public let token: String
  public let name: String
  public let username: String
  public let stars: Int64
}

/// A person, to be registered or as registered.
public struct PersonCard: Codable, Sendable, Hashable {
  public var id: Int64
  public var firstName: String
  public var lastName: String?
  public var username: String?
  public var languageCode: String?
  /// Their Star balance.
  public var stars: Int64

  public init(
    id: Int64, firstName: String, lastName: String? = nil, username: String? = nil,
    languageCode: String? = nil, stars: Int64 = 1000
  ) {
    self.id = id
    self.firstName = firstName
    self.lastName = lastName
    self.username = username
    self.languageCode = languageCode
    self.stars = stars
  }

  enum CodingKeys: String, CodingKey {
    case id, username, stars
    case firstName = "first_name"
    case lastName = "last_name"
    case languageCode = "language_code"
  }
}

extension SandboxBook {
  /// Makes a bot, or renames the one with this id. A bot that exists keeps its Stars, chats and
  /// webhook; a new secret replaces the old one.
  ///
  /// - Throws: `Refusal` when token or names have not Telegram's form, or the username is taken.
  @discardableResult
  public func registerBot(token: String, name: String, username: String) throws -> BotCard {
    guard let parsed = BotToken(token) else {
      throw Refusal.invalid("A token looks like 123456:secret.")
    }
    guard (1...64).contains(name.count) else {
      throw Refusal.invalid("A bot's name has 1 to 64 characters.")
    }
    guard SandboxBook.isUsername(username) else {
      throw Refusal.invalid("A username has 3 to 32 letters, digits and underscores.")
    }
    let isTaken = state.bots.values.contains {
      $0.id != parsed.botID && $0.username.lowercased() == username.lowercased()
    }
    guard !isTaken else { throw Refusal(409, "username_taken", "Another bot has this username.") }
    guard state.bots[parsed.botID] != nil || state.bots.count < SandboxLimits.bots else {
      throw Refusal(409, "too_many", "The sandbox holds \(SandboxLimits.bots) bots.")
    }
    return try write {
      var bot =
        state.bots[parsed.botID]
        ?? Bot(id: parsed.botID, token: token, name: name, username: username)
      bot.token = token
      bot.name = name
      bot.username = username
      put(.bot(bot))
      return bot.card
    }
  }

  /// Makes a person, or replaces names of the one with this id. Stars are set only for a new one.
  ///
  /// - Throws: `Refusal`.
  @discardableResult
  public func registerPerson(_ card: PersonCard) throws -> PersonCard {
    try check(card)
    guard state.people[card.id] != nil || state.people.count < SandboxLimits.people else {
      throw Refusal(409, "too_many", "The sandbox holds \(SandboxLimits.people) people.")
    }
    return try write {
      let person = Person(
        id: card.id, firstName: card.firstName, lastName: card.lastName,
        username: card.username, languageCode: card.languageCode,
        stars: state.people[card.id]?.stars ?? card.stars)
      put(.person(person))
      return person.card
    }
  }

  /// - Throws: `Refusal` when nobody at Telegram could look like this.
  func check(_ card: PersonCard) throws {
    guard card.id > 0, card.id < 1 << 52 else {
      throw Refusal.invalid("A Telegram id is positive and has at most 52 bits.")
    }
    guard (1...64).contains(card.firstName.count), (card.lastName ?? "").count <= 64 else {
      throw Refusal.invalid("A name has 1 to 64 characters.")
    }
    guard card.username.map(SandboxBook.isUsername) ?? true else {
      throw Refusal.invalid("A username has 3 to 32 letters, digits and underscores.")
    }
    guard (0...SandboxLimits.personStars).contains(card.stars) else {
      throw Refusal.invalid("A balance is between 0 and \(SandboxLimits.personStars) Stars.")
    }
    guard state.bots[card.id] == nil else {
      throw Refusal(409, "id_taken", "A bot has this id.")
    }
  }

  public func bots() -> [BotCard] {
    state.bots.values.sorted { $0.id < $1.id }.map(\.card)
  }

  public func people() -> [PersonCard] {
    state.people.values.sorted { $0.id < $1.id }.map(\.card)
  }

  /// Adds Stars to a person's balance.
  /// - Returns: the new balance.
  /// - Throws: `Refusal`.
  @discardableResult
  public func topUp(personID: Int64, stars: Int64) throws -> Int64 {
    var person = try person(personID)
    guard stars > 0, stars <= SandboxLimits.personStars,
      person.stars + stars <= SandboxLimits.personStars
    else { throw Refusal.invalid("Top up by a positive number of Stars.") }
    person.stars += stars
    try write { put(.person(person)) }
    return person.stars
  }

  static func isUsername(_ text: String) -> Bool {
    (3...32).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        switch $0 {
        case 48...57, 65...90, 97...122, UInt8(ascii: "_"): true
        default: false
        }
      }
  }
}

extension Bot {
  var card: BotCard {
    BotCard(id: id, token: token, name: name, username: username, stars: stars)
  }
}

extension Person {
  var card: PersonCard {
    PersonCard(
      id: id, firstName: firstName, lastName: lastName, username: username,
      languageCode: languageCode, stars: stars)
  }
}
