import Foundation

extension DemoHistory {
  /// What happens in a support case.
  enum SupportDeed: Sendable {
    /// The buyer calls for support about this charge.
    case call(bot: Int, SupportCase.Topic, text: String, chargeID: String, key: String)
    /// The buyer says more.
    case words(bot: Int, String, key: String)
    /// The studio answers the case that was begun with this key.
    case reply(String, of: String, number: Int)
    case note(String, of: String)
    case closure(of: String)
  }

  /// How long ago a case began, in hours, and how it stands at the end.
  private static let supportCases: [(hours: Double, state: SupportCase.State)] = [
    (0.7, .open), (3, .open), (9, .open), (26, .open), (51, .open), (103, .open),
    (5, .waiting), (29, .waiting), (49, .waiting), (78, .waiting), (131, .waiting),
    (61, .closed), (122, .closed), (205, .closed), (310, .closed), (426, .closed), (615, .closed),
    (840, .closed), (1100, .closed), (1490, .closed),
  ]

  /// Cases about payments of the history, each of another buyer.
  func support(_ people: [DemoWorkspace.Person], _ payments: [Event]) -> [Event] {
    var random = DemoRandom(seed: seed, stream: -1_000_000)
    var used: Set<Int> = []
    var events: [Event] = []
    for (number, plan) in Self.supportCases.enumerated() {
      let begins = until.addingTimeInterval(-plan.hours * 3600)
      let paid = payments.last { event in
        event.at < begins.addingTimeInterval(-900) && !used.contains(event.person)
          && event.person >= DemoWorkspace.people.count
      }
      guard let paid, case .payment(let sale) = paid.deed else { continue }
      used.insert(paid.person)
      let talk = DemoTalk(
        languageCode: people[paid.person].languageCode, key: "demo-support-\(number + 1)", sale,
        begins: begins, until: until)
      events += talk.deeds(plan.state, &random).enumerated().map { step, deed in
        Event(
          at: deed.at, person: paid.person, number: 3_000_000 + step, deed: .support(deed.deed))
      }
    }
    return events
  }
}

/// One case as it goes: what the buyer says, what the studio answers.
private struct DemoTalk {
  let words: DemoSupport.Words
  let isPortuguese: Bool
  let key: String
  let sale: DemoHistory.Sale
  let begins: Date
  let until: Date

  init(
    languageCode: String, key: String, _ sale: DemoHistory.Sale, begins: Date, until: Date
  ) {
    isPortuguese = languageCode.hasPrefix("pt")
    words = DemoSupport.words[isPortuguese ? "pt" : languageCode] ?? DemoSupport.english
    (self.key, self.sale, self.begins, self.until) = (key, sale, begins, until)
  }

  func deeds(
    _ state: SupportCase.State, _ random: inout DemoRandom
  ) -> [(at: Date, deed: DemoHistory.SupportDeed)] {
    let topic = random.pick(DemoSupport.topics)
    let line = random.pick(words.calls[topic] ?? DemoSupport.english.calls[topic] ?? [""])
    var at = begins
    var deeds: [(at: Date, deed: DemoHistory.SupportDeed)] = [
      (at, .call(bot: sale.bot, topic, text: line, chargeID: sale.chargeID, key: key))
    ]
    func add(_ deed: DemoHistory.SupportDeed, minutes: ClosedRange<Int>) {
      at = at.addingTimeInterval(Double(random.within(minutes)) * 60)
      if at < until { deeds.append((at, deed)) }
    }
    let answer = words.answers[topic] ?? DemoSupport.english.answers[topic] ?? words.thanks
    switch state {
    case .open:
      if random.chance(50) {
        add(.words(bot: sale.bot, words.reminder, key: key + "-more"), minutes: 4...25)
      }
    case .waiting:
      if random.chance(60) { add(.note(DemoSupport.note(topic), of: key), minutes: 10...50) }
      add(.reply(answer, of: key, number: 1), minutes: 12...110)
    case .closed:
      add(.reply(answer, of: key, number: 1), minutes: 15...300)
      if random.chance(60) {
        add(.words(bot: sale.bot, words.thanks, key: key + "-thanks"), minutes: 3...90)
      }
      add(.closure(of: key), minutes: 5...120)
    }
    return deeds
  }
}
