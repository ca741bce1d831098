import Foundation

/// A person's way with plans, thought out beside her other days. Periods are counted back from the
/// end of the history, so that no renewal falls into its last day or the first one after it.
struct DemoSubscriber {
  enum Story: CaseIterable {
    /// Pays month after month.
    case steady
    /// Has switched the renewal off, and the month still runs.
    case cancelled
    /// Switched it off, and it is over.
    case left
    /// Had too few Stars, days ago.
    case failing
    /// Had too few Stars, and paid some days later.
    case returned
    /// Tries a plan.
    case trying
    /// Tried it, then paid.
    case stayed
    /// Went from Pro to Premium.
    case upgraded
    /// Goes down from Premium at the end of the month.
    case movingDown
  }

  private static let weights = [27, 10, 10, 12, 9, 8, 8, 8, 8]
  private static let day: Int64 = 86_400
  private static let month: Int64 = 30 * day

  let index: Int
  let person: DemoWorkspace.Person
  let story: Story
  private let end: Int64
  private var random: DemoRandom
  private var events: [DemoHistory.Event] = []
  private var invoices = 0
  private var words: Int64 = 0

  /// One in eight subscribes at some time.
  static func story(seed: UInt64, index: Int) -> Story? {
    var random = DemoRandom(seed: seed, stream: 1_000_000 + index)
    guard random.chance(13) else { return nil }
    return Story.allCases[random.index(ofWeights: weights)]
  }

  /// What she has at Telegram: enough for months to come, or not for the next one.
  static func stars(of story: Story) -> Int64 { story == .failing ? 120 : 40_000 }

  init(index: Int, person: DemoWorkspace.Person, story: Story, _ history: DemoHistory) {
    self.index = index
    self.person = person
    self.story = story
    end = Int64(history.until.timeIntervalSince1970)
    random = DemoRandom(seed: history.seed, stream: 2_000_000 + index)
  }

  /// - Parameter arrival: Unix seconds; nothing of it was before.
  mutating func lived(since arrival: Int64) -> [DemoHistory.Event] {
    let tail = Int64(random.within(4...28)) * Self.day + Int64(random.below(80_000))
    // The first day of the month that runs.
    let current = end + tail - Self.month
    let plan = random.chance(78) ? "pro" : "premium"
    switch story {
    case .steady: _ = months(of: plan, until: current, since: arrival)
    case .cancelled:
      if let sale = months(of: plan, until: current, since: arrival) {
        say(.canceled, sale, at: end - Int64(random.within(3600...40_000)))
      }
    case .left: left(plan, since: arrival)
    case .failing: failing(plan, since: arrival)
    case .returned: returned(plan, current, since: arrival)
    case .trying: `try`(at: end - Int64(random.within(4000...120_000)), since: arrival)
    case .stayed:
      let first = current - (random.chance(50) ? Self.month : 0)
      `try`(at: first - Int64(random.within(1...6)) * Self.day, since: arrival)
      _ = months(of: "pro", until: current, since: first - 1)
    case .upgraded:
      let before = current - Int64(random.within(4...25)) * Self.day
      if let sale = months(of: "pro", until: before, since: arrival) {
        _ = months(of: "premium", until: current, since: current - 1)
        say(.canceled, sale, at: current + 4)
      }
    case .movingDown:
      if let sale = months(of: "premium", until: current, since: arrival) {
        let at = end - Int64(random.within(5000...30_000))
        add(.downgrade("pro"), at: at)
        say(.canceled, sale, at: at + 3)
      }
    }
    return events
  }

  /// A payment every month, the last one at `last`.
  ///
  /// - Returns: The sale, whose invoice stands for all of them; nil where there was no time.
  private mutating func months(
    of plan: String, until last: Int64, since: Int64
  ) -> DemoHistory.PlanInvoice? {
    guard last > since, last < end else { return nil }
    let count = min(3, (last - since) / Self.month + 1)
    let first = last - (count - 1) * Self.month
    let sale = nextSale(plan, at: first)
    for number in 0..<count {
      pay(sale, isFirst: number == 0, at: first + number * Self.month)
    }
    return sale
  }

  private mutating func left(_ plan: String, since arrival: Int64) {
    let over = end - Int64(random.within(1...20)) * Self.day
    let last = over - 7 * Self.day - Self.month
    guard let sale = months(of: plan, until: last, since: arrival) else { return }
    say(.canceled, sale, at: last + Int64(random.within(1...20)) * Self.day)
    add(.aging, at: last + Self.month + 20)
    add(.aging, at: over + 20)
    expire(at: over + 25)
  }

  private mutating func failing(_ plan: String, since arrival: Int64) {
    let last = end - Self.month - Int64(random.within(1...3)) * Self.day
    guard let sale = months(of: plan, until: last, since: arrival) else { return }
    say(.failed, sale, at: last + Self.month)
    add(.aging, at: last + Self.month + 20)
  }

  private mutating func returned(_ plan: String, _ current: Int64, since arrival: Int64) {
    let last = current - Self.month - Int64(random.within(1...5)) * Self.day
    guard let sale = months(of: plan, until: last, since: arrival) else { return }
    say(.failed, sale, at: last + Self.month)
    add(.aging, at: last + Self.month + 20)
    pay(sale, isFirst: false, at: current)
  }

  private mutating func `try`(at: Int64, since arrival: Int64) {
    guard at > arrival else { return }
    add(.trial("pro", key: "demo-\(person.telegramID)-plan-trial"), at: at)
    // A week to try, and another one in which what is left may be used.
    expire(at: at + 14 * Self.day + 25)
  }

  private mutating func nextSale(_ plan: String, at: Int64) -> DemoHistory.PlanInvoice {
    invoices += 1
    return DemoHistory.PlanInvoice(
      bot: 0, plan: plan, key: "demo-\(person.telegramID)-plan-\(invoices)",
      openedAt: Date(timeIntervalSince1970: Double(at - 40)))
  }

  private mutating func pay(_ sale: DemoHistory.PlanInvoice, isFirst: Bool, at: Int64) {
    let chargeID = "stx" + random.word(length: random.chance(20) ? 137 : 61)
    add(
      .payment(
        sale, chargeID: chargeID, isFirst: isFirst,
        periodEndsAt: Date(timeIntervalSince1970: Double(at + Self.month))), at: at)
  }

  private mutating func say(_ word: DemoHistory.Word, _ sale: DemoHistory.PlanInvoice, at: Int64) {
    words += 1
    add(.renewal(sale, word, number: words), at: at)
  }

  private mutating func add(_ deed: DemoHistory.PlanDeed, at: Int64) { append(.plan(deed), at) }

  private mutating func expire(at: Int64) { append(.expiry, at) }

  private mutating func append(_ deed: DemoHistory.Deed, _ at: Int64) {
    // After all that the person's other life has numbered.
    events.append(
      DemoHistory.Event(
        at: Date(timeIntervalSince1970: Double(at)), person: index,
        number: 1_000_000 + events.count, deed: deed))
  }
}
