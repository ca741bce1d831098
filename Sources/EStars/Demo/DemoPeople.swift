import Foundation

extension DemoWorkspace {
  /// Somebody who writes to the demo's bots.
  public struct Person: Sendable {
    public let telegramID: Int64
    public let firstName: String
    /// Empty where there is none, and so is `username`.
    public let lastName: String
    public let username: String
    public let languageCode: String
    /// Her Stars at Telegram.
    public let stars: Int64
    /// What she bought, where that is laid down; others live by their habits.
    public let purchases: [Purchase]

    init(
      telegramID: Int64, firstName: String, lastName: String, username: String,
      languageCode: String, stars: Int64 = 2500, purchases: [Purchase] = []
    ) {
      self.telegramID = telegramID
      self.firstName = firstName
      self.lastName = lastName
      self.username = username
      self.languageCode = languageCode
      self.stars = stars
      self.purchases = purchases
    }

    var name: CustomerName {
      CustomerName(
        firstName: firstName, lastName: lastName, username: username, languageCode: languageCode)
    }
  }

  public struct Purchase: Sendable {
    public let bot: Int
    public let sku: String
    /// Before the end of the history.
    public let daysAgo: Double
    /// How many times the bot's action was run after it.
    public let uses: Int
    /// Songs that were taken apart after it.
    var stems = 0
  }

  /// Six people whose purchases are laid down, for stories and tests. Five are customers; Rafael has
  /// only a phone yet.
  public static let people = [
    Person(
      telegramID: 5_001_001, firstName: "Ana", lastName: "Ribeiro", username: "anaribeiro",
      languageCode: "pt-br",
      purchases: [
        Purchase(bot: 0, sku: "try", daysAgo: 12.4, uses: 7),
        Purchase(bot: 0, sku: "start", daysAgo: 3.2, uses: 4),
      ]),
    Person(
      telegramID: 5_001_002, firstName: "João", lastName: "Carvalho", username: "joaocarvalho",
      languageCode: "pt-br", purchases: [Purchase(bot: 1, sku: "pop", daysAgo: 8.1, uses: 9)]),
    Person(
      telegramID: 5_001_003, firstName: "Marina", lastName: "Souza", username: "msouza",
      languageCode: "pt-br",
      purchases: [Purchase(bot: 0, sku: "pro", daysAgo: 6.6, uses: 18, stems: 4)]),
    Person(
      telegramID: 5_001_004, firstName: "Lucas", lastName: "Ferreira", username: "",
      languageCode: "pt-br", purchases: [Purchase(bot: 0, sku: "start", daysAgo: 1.3, uses: 2)]),
    Person(
      telegramID: 5_001_005, firstName: "Emily", lastName: "Clark", username: "emilyc",
      languageCode: "en", purchases: [Purchase(bot: 1, sku: "start", daysAgo: 4.9, uses: 5)]),
    Person(
      telegramID: 5_001_006, firstName: "Rafael", lastName: "Nunes", username: "rafanunes",
      languageCode: "pt-br"),
  ]
}

extension DemoHistory {
  /// Everybody of this history: the six, then as many others as it takes.
  public var people: [DemoWorkspace.Person] {
    let laidDown = DemoWorkspace.people
    let others = customers - laidDown.count { !$0.purchases.isEmpty }
    var usernames: Set<String> = []
    return laidDown
      + (0..<max(0, others)).map { index in
        var random = DemoRandom(seed: seed, stream: -1 - index)
        let story = DemoSubscriber.story(seed: seed, index: laidDown.count + index)
        return Self.person(index, story, &usernames, &random)
      }
  }

  private static func person(
    _ index: Int, _ subscription: DemoSubscriber.Story?, _ usernames: inout Set<String>,
    _ random: inout DemoRandom
  ) -> DemoWorkspace.Person {
    // Ten digits, as new accounts have; the index keeps them apart.
    let telegramID = 5_200_000_000 + Int64(index) * 130_003 + Int64(random.below(130_000))
    let purse = Int64(random.pick([50, 120, 250, 400, 500, 750, 1000, 1500, 2500, 5000]))
    let stars = subscription.map(DemoSubscriber.stars) ?? purse
    if index % 11 == 4 {
      let name = DemoNames.foreign[index / 11 % DemoNames.foreign.count]
      let isTaken = !usernames.insert(name.username).inserted
      return DemoWorkspace.Person(
        telegramID: telegramID, firstName: name.firstName, lastName: name.lastName,
        username: isTaken ? "" : name.username, languageCode: name.languageCode, stars: stars)
    }
    let first = random.pick(DemoNames.first)
    let last = random.chance(88) ? random.pick(DemoNames.last) : ""
    return DemoWorkspace.Person(
      telegramID: telegramID, firstName: first, lastName: last,
      username: username(first, last, &usernames, &random),
      languageCode: random.chance(94) ? "pt-br" : "en", stars: stars)
  }

  private static func username(
    _ first: String, _ last: String, _ taken: inout Set<String>, _ random: inout DemoRandom
  ) -> String {
    let hasOne = random.chance(86)
    let separator = random.pick(["", "_", ""])
    let number = random.below(90) + 10
    guard hasOne else { return "" }
    func plain(_ text: String) -> String {
      String(Customer.fold(text).filter { $0.isASCII && $0.isLetter })
    }
    var name = plain(first) + (last.isEmpty ? "" : separator) + plain(last)
    if name.utf8.count < 5 || taken.contains(name) { name += String(number) }
    return taken.insert(name).inserted ? name : ""
  }
}
