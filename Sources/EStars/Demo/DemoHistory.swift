import Foundation

/// The past a demo begins with: customers and ninety days of their payments, use and refunds. The
/// same three values make the same history.
public struct DemoHistory: Sendable, Equatable {
  public let seed: UInt64
  /// When it ends, a whole second.
  public let until: Date
  /// How many people a bot has met, the five of ``DemoWorkspace/people`` with purchases included.
  public let customers: Int

  public static let usualSeed: UInt64 = 1
  public static let usualCustomers = 300
  public static let customerCounts = 5...3000

  public init(seed: UInt64, until: Date, customers: Int) {
    self.seed = seed
    self.until = Date(timeIntervalSince1970: until.timeIntervalSince1970.rounded(.down))
    self.customers = customers
  }

  /// One thing that happened to a person.
  struct Event: Sendable {
    let at: Date
    /// An index into ``DemoHistory/people``.
    let person: Int
    /// Counts the person's events, so that the order is settled within a moment too.
    let number: Int
    let deed: Deed

    static func isBefore(_ one: Event, _ other: Event) -> Bool {
      (one.at, one.person, one.number) < (other.at, other.person, other.number)
    }
  }

  enum Deed: Sendable {
    /// The first message to a bot.
    case arrival
    /// An invoice that nobody paid.
    case invoice(Sale)
    case payment(Sale)
    /// The invoice of a payment once more.
    case secondPayment(Sale, chargeID: String)
    /// An invoice that the bot made without eStars.
    case foreignPayment(bot: Int, stars: Int64, payload: String, chargeID: String)
    /// Telegram gave the Stars back.
    case refund(bot: Int, chargeID: String)
    /// The studio's support opens a case that waits for its decision.
    case refundCase(bot: Int, chargeID: String, Refund.Reason, note: String)
    case use(Use)
    case hold(Use, seconds: Double)
    /// The end of a hold: what was used of it, or nil when it ran out.
    case close(Use, used: Int64?)
    case gift(Gift)
    case trial(Trial)
    case expiry
    case plan(PlanDeed)
    case support(SupportDeed)
  }

  struct Sale: Sendable {
    let bot: Int
    let sku: String
    let discountPercent: Int
    /// Its permanent key.
    let key: String
    let chargeID: String
    let openedAt: Date
  }

  /// The key is without its door's prefix.
  struct Use: Sendable {
    let action: String
    let units: Int64
    let key: String
    let ref: String
  }

  /// Credits that nobody paid for.
  struct Gift: Sendable {
    enum Kind: String, Sendable { case promo, goodwill }
    let kind: Kind
    let credits: Int64
    let key: String
    let reason: String
    let expiresAt: Date?
  }

  /// A bot asks whether the person may try for nothing.
  struct Trial: Sendable {
    let engagement: Int
    let intent: Int
    let source: String
    let key: String
  }

  /// All of it in order of time, made in memory.
  func events(_ people: [DemoWorkspace.Person], _ bots: [DemoWorkspace.BotPlan], _ catalog: Catalog)
    -> [Event]
  {
    let rhythm = DemoRhythm(until: until)
    var events: [Event] = []
    for (index, person) in people.enumerated() {
      if index < DemoWorkspace.people.count {
        events += laidDown(person, index, bots)
      } else {
        var life = DemoLife(
          index: index, person: person, rhythm: rhythm, bots: bots, catalog: catalog,
          subscribes: DemoSubscriber.story(seed: seed, index: index) != nil,
          random: DemoRandom(seed: seed, stream: 1 + index))
        let lived = life.lived()
        events += lived
        events += plans(of: index, person, since: lived.first?.at ?? until)
      }
    }
    events = events.filter { $0.at <= until }.sorted(by: Event.isBefore)
    let payments = events.filter { if case .payment = $0.deed { true } else { false } }
    return (events + support(people, payments)).sorted(by: Event.isBefore)
  }

  /// Purchases that are laid down, each followed by its uses at even distances.
  private func laidDown(
    _ person: DemoWorkspace.Person, _ index: Int, _ bots: [DemoWorkspace.BotPlan]
  ) -> [Event] {
    var events: [Event] = []
    func add(_ at: Date, _ deed: Deed) {
      events.append(Event(at: at, person: index, number: events.count, deed: deed))
    }
    for (number, purchase) in person.purchases.enumerated() where purchase.bot < bots.count {
      let paidAt = until.addingTimeInterval(-purchase.daysAgo * 86_400)
      let key = "demo-\(person.telegramID)-\(number)"
      let sale = Sale(
        bot: purchase.bot, sku: purchase.sku, discountPercent: 0, key: key,
        chargeID: "stxDemo\(person.telegramID)n\(number)", openedAt: paidAt)
      add(paidAt, .payment(sale))
      let step = purchase.daysAgo * 86_400 / Double(purchase.uses + 2)
      for use in 0..<purchase.uses {
        add(
          paidAt.addingTimeInterval(Double(use + 1) * step),
          .use(
            Use(
              action: bots[purchase.bot].action, units: 1, key: "\(key)-\(use)",
              ref: "demo-job-\(number)-\(use + 1)")))
      }
      for stem in 0..<purchase.stems {
        add(
          paidAt.addingTimeInterval(Double(stem + 1) * 3600),
          .use(
            Use(
              action: "stem_separation", units: 1, key: "\(key)-stem-\(stem)",
              ref: "demo-song-\(number)-\(stem + 1)")))
      }
    }
    return events
  }
}
