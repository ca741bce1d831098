import Foundation

/// A person's days with the bots, thought out: when she comes, what she runs, when she buys. It
/// keeps a rough account of her credits, so that she buys when they run out; what she really has
/// is the ledger's to say.
struct DemoLife {
  /// Into the history's people.
  let index: Int
  let person: DemoWorkspace.Person
  let rhythm: DemoRhythm
  let bots: [DemoWorkspace.BotPlan]
  let catalog: Catalog
  var random: DemoRandom

  private var events: [DemoHistory.Event] = []
  /// Unix seconds of the latest thing she did.
  private var clock: Int64 = 0
  private var credits: Int64 = 0
  private var purchases = 0
  private var invoices = 0
  private var uses = 0
  private var gifts = 0
  private var lastSessionDay = -100
  /// While a refund is under way she runs nothing.
  private var quietUntil: Int64 = 0
  /// Who pays a plan has bought before her first pack.
  private let subscribes: Bool
  private var refundsToCome: [(at: Int64, credits: Int64)] = []

  init(
    index: Int, person: DemoWorkspace.Person, rhythm: DemoRhythm, bots: [DemoWorkspace.BotPlan],
    catalog: Catalog, subscribes: Bool, random: DemoRandom
  ) {
    self.index = index
    self.person = person
    self.rhythm = rhythm
    self.bots = bots
    self.catalog = catalog
    self.subscribes = subscribes
    self.random = random
  }

  mutating func lived() -> [DemoHistory.Event] {
    let habit = DemoHabit.some(&random)
    let mainBot = habit.isOffice || random.chance(16) ? bots.count - 1 : 0
    let usesBoth = bots.count > 1 && random.chance(15)
    var arrival = rhythm.arrivalDay(&random)
    if habit.isEarly { arrival = min(arrival, rhythm.arrivalDay(&random)) }
    let second = rhythm.second(isOffice: habit.isOffice, &random)
    // Whoever comes on the last day comes before its end.
    clock = min(
      rhythm.moment(day: arrival, second: second), rhythm.end - 60 - Int64(random.below(7200)))
    add(.arrival)
    if mainBot == 0, random.chance(62) { askToTry() }
    for day in arrival..<DemoRhythm.days {
      receiveCampaign(day)
      let chance = habit.day * rhythm.liveliness(day: day, isOffice: habit.isOffice) / 100
      guard day == arrival || random.chance(chance) else { continue }
      let times = (0..<random.within(habit.sessions)).map { _ in
        rhythm.moment(day: day, second: rhythm.second(isOffice: habit.isOffice, &random))
      }
      for time in times.sorted() where time > quietUntil {
        let bot = usesBoth && random.chance(30) ? bots.count - 1 - mainBot : mainBot
        clock = max(clock + 30, time)
        settleRefunds()
        session(habit, bot)
        lastSessionDay = day
        if random.chance(habit.leaving) { return events }
      }
    }
    return events
  }

  private mutating func session(_ habit: DemoHabit, _ bot: Int) {
    for _ in 0..<random.within(habit.usesPerSession) where clock > quietUntil {
      if bots[bot].segment == .aiBot, random.chance(14), credits >= 8 {
        set(of: random.within(3...8), bot)
        continue
      }
      let units = bot > 0 && random.chance(12) ? random.within(2...5) : 1
      let cost = Int64(units) * (catalog.action(bots[bot].action)?.priceCredits ?? 1)
      if credits < cost {
        if random.chance(60) { use(units, bot) }
        guard random.chance(purchases == 0 ? habit.firstPurchase : habit.laterPurchase),
          buy(habit, bot), credits >= cost
        else { return }
      }
      use(units, bot)
      credits -= cost
      complain()
      clock += Int64(random.within(18...260))
    }
  }

  private mutating func use(_ units: Int, _ bot: Int) { add(.use(nextUse(units, bot))) }

  private mutating func nextUse(_ units: Int, _ bot: Int) -> DemoHistory.Use {
    uses += 1
    return DemoHistory.Use(
      action: bots[bot].action, units: Int64(units), key: "demo-\(person.telegramID)-use-\(uses)",
      ref: "job-\(random.word(length: 10))")
  }

  /// A set of stickers: credits for all of it are reserved, those that came out are paid.
  private mutating func set(of units: Int, _ bot: Int) {
    let use = nextUse(units, bot)
    let fate = random.below(100)
    let seconds = Int64(random.within(25...150))
    let untilSeconds: Int64 = 900
    // It ends within the history, one way or the other.
    guard clock + untilSeconds + 10 < rhythm.end else { return }
    add(.hold(use, seconds: Double(untilSeconds)))
    let used = fate < 58 ? units : fate < 88 ? random.within(1...units) : 0
    if fate < 98 {
      add(.close(use, used: Int64(used)), after: seconds)
      clock += seconds + Int64(random.within(20...200))
    } else {
      add(.close(use, used: nil), after: untilSeconds + 4)
      clock += untilSeconds + 30
    }
    credits -= Int64(used)
  }

  /// Whether she has bought.
  private mutating func buy(_ habit: DemoHabit, _ bot: Int) -> Bool {
    clock += Int64(random.within(12...40))
    if random.chance(13) {
      add(.invoice(nextSale(habit, bot)))
      if random.chance(50) { return false }
      clock += Int64(random.within(90...400))
    }
    let sale = nextSale(habit, bot)
    guard
      let pack = catalog.pack(sku: sale.sku, discountPercent: sale.discountPercent)
    else { return false }
    clock += Int64(random.within(15...75))
    add(.payment(sale))
    let paidAt = clock
    purchases += 1
    credits += pack.credits + pack.bonusCredits
    clock += Int64(random.within(8...40))
    if random.below(1000) < 6 { payTwice(sale) }
    if random.below(1000) < 12 { tip(bot) }
    if random.below(1000) < 27 {
      refund(sale, pack.credits + pack.bonusCredits, paidAt)
    } else if rhythm.end - paidAt < 4 * 86_400, random.chance(5) {
      askForRefund(sale)
    }
    return true
  }

  /// The studio notices and gives the second payment back within days; the latest may still wait.
  private mutating func payTwice(_ sale: DemoHistory.Sale) {
    let second = chargeID()
    add(.secondPayment(sale, chargeID: second))
    if rhythm.end - clock > 6 * 86_400 || random.chance(50) {
      add(.refund(bot: sale.bot, chargeID: second), after: Int64(random.within(7200...200_000)))
    }
  }

  /// Cases that are older were decided.
  private mutating func askForRefund(_ sale: DemoHistory.Sale) {
    let wishes: [(Refund.Reason, String)] = [
      (.customerAsked, "Wrote to support: changed their mind."),
      (.notDelivered, "Says that nothing came."),
      (.boughtByMistake, "Meant to buy a smaller pack."),
    ]
    let (reason, note) = random.pick(wishes)
    add(
      .refundCase(bot: sale.bot, chargeID: sale.chargeID, reason, note: note),
      after: Int64(random.within(1800...40_000)))
  }

  private mutating func nextSale(_ habit: DemoHabit, _ bot: Int) -> DemoHistory.Sale {
    let sku = habit.pack(isFirst: purchases == 0 && !subscribes, &random)
    let discount = random.chance(purchases > 0 ? 14 : 4) ? random.pick([10, 15, 25]) : 0
    invoices += 1
    return DemoHistory.Sale(
      bot: bot, sku: sku, discountPercent: discount,
      key: "demo-\(person.telegramID)-\(invoices)", chargeID: chargeID(),
      openedAt: Date(timeIntervalSince1970: Double(clock)))
  }

  private mutating func chargeID() -> String {
    "stx" + random.word(length: random.chance(20) ? 137 : 61)
  }

  private mutating func tip(_ bot: Int) {
    add(
      .foreignPayment(
        bot: bot, stars: Int64(random.pick([10, 25, 50, 100])),
        payload: "tip-jar/\(random.word(length: 8))", chargeID: chargeID()))
    clock += 20
  }

  /// Mostly within a day and with next to nothing used, sometimes after days of use.
  private mutating func refund(_ sale: DemoHistory.Sale, _ granted: Int64, _ paidAt: Int64) {
    let isQuick = random.chance(66)
    let wait = isQuick ? random.within(900...72_000) : random.within(2...12) * 86_400
    let at = paidAt + Int64(wait)
    add(.refund(bot: sale.bot, chargeID: sale.chargeID), after: at - clock)
    if isQuick {
      quietUntil = at
      credits = max(0, credits - granted)
    } else {
      refundsToCome.append((at, granted))
    }
  }

  private mutating func settleRefunds() {
    for refund in refundsToCome where refund.at <= clock {
      credits = max(0, credits - refund.credits)
    }
    refundsToCome.removeAll { $0.at <= clock }
  }

  private mutating func complain() {
    guard purchases > 0, random.below(1000) < 3 else { return }
    let reasons = ["The sticker came out blank", "The result was late", "Asked twice for one job"]
    give(.goodwill, Int64(random.within(1...3)), random.pick(reasons), validDays: nil, after: 3600)
  }

  private mutating func askToTry() {
    let policy = TrialPolicy.initial
    let sources = ["", "", "friend", "instagram", "google", "channel", "yandex"]
    let trial = DemoHistory.Trial(
      engagement: random.within(3...10), intent: random.within(2...10),
      source: random.pick(sources),
      key: "demo-\(person.telegramID)-trial")
    clock += 15
    add(.trial(trial))
    let bonus = policy.isPaid(trial.source) ? policy.paidBonus : 0
    if trial.engagement + trial.intent + bonus >= policy.minScore { credits += policy.credits }
    clock += 1
  }

  /// Twice the studio gives all who bought and still come a few credits that run out.
  private mutating func receiveCampaign(_ day: Int) {
    let campaigns = [38: ("Client week", 14), 74: ("Early summer", 45)]
    guard let (title, validDays) = campaigns[day], purchases > 0, day - lastSessionDay < 25
    else { return }
    clock = max(clock + 1, rhythm.moment(day: day, second: 10 * 3600 + index % 600))
    give(.promo, 3, title, validDays: validDays)
  }

  private mutating func give(
    _ kind: DemoHistory.Gift.Kind, _ amount: Int64, _ reason: String, validDays: Int?,
    after seconds: Int64 = 15
  ) {
    gifts += 1
    let ends = validDays.map { clock + seconds + Int64($0) * 86_400 }
    add(
      .gift(
        DemoHistory.Gift(
          kind: kind, credits: amount, key: "demo-\(person.telegramID)-gift-\(gifts)",
          reason: reason, expiresAt: ends.map { Date(timeIntervalSince1970: Double($0)) })),
      after: seconds)
    if let ends { add(.expiry, after: ends + 20 - clock) }
    credits += amount
    if seconds < 60 { clock += seconds + 1 }
  }

  /// Milliseconds tell what happens within a second apart, as in real life.
  private mutating func add(_ deed: DemoHistory.Deed, after seconds: Int64 = 0) {
    let at = Double(clock + seconds) + Double(random.below(900)) / 1000
    events.append(
      DemoHistory.Event(
        at: Date(timeIntervalSince1970: at), person: index, number: events.count, deed: deed))
  }
}
