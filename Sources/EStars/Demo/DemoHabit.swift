/// How a kind of person deals with the demo's bots. Chances are in percent.
struct DemoHabit {
  /// Of a hundred people.
  let share: Int
  /// That she comes on a usual day.
  let day: Int
  let sessions: ClosedRange<Int>
  let usesPerSession: ClosedRange<Int>
  /// That she buys when her credits do not reach: the first time, later.
  let firstPurchase: Int
  let laterPurchase: Int
  let firstPacks: [(sku: String, weight: Int)]
  let laterPacks: [(sku: String, weight: Int)]
  /// That a session was her last one.
  let leaving: Int
  /// Comes at office hours, to the service bot.
  let isOffice: Bool
  /// Was among the first to come.
  let isEarly: Bool

  /// Looks around and never pays.
  private static let curious = DemoHabit(
    share: 25, day: 40, sessions: 1...1, usesPerSession: 1...2, firstPurchase: 0, laterPurchase: 0,
    firstPacks: [("try", 1)], laterPacks: [("start", 1)], leaving: 30, isOffice: false,
    isEarly: false)
  private static let taster = DemoHabit(
    share: 21, day: 30, sessions: 1...1, usesPerSession: 1...4, firstPurchase: 72,
    laterPurchase: 8, firstPacks: [("try", 80), ("start", 20)], laterPacks: [("start", 1)],
    leaving: 9, isOffice: false, isEarly: false)
  private static let regular = DemoHabit(
    share: 30, day: 24, sessions: 1...2, usesPerSession: 2...6, firstPurchase: 84,
    laterPurchase: 78, firstPacks: [("try", 56), ("start", 26), ("pop", 18)],
    laterPacks: [("start", 42), ("pop", 48), ("pro", 10)], leaving: 3, isOffice: false,
    isEarly: false)
  private static let heavy = DemoHabit(
    share: 12, day: 58, sessions: 1...2, usesPerSession: 4...13, firstPurchase: 95,
    laterPurchase: 94, firstPacks: [("try", 45), ("pop", 35), ("pro", 20)],
    laterPacks: [("start", 8), ("pop", 44), ("pro", 36), ("max", 12)], leaving: 1,
    isOffice: false, isEarly: true)
  /// A business that looks companies up.
  private static let office = DemoHabit(
    share: 6, day: 62, sessions: 1...2, usesPerSession: 3...12, firstPurchase: 96,
    laterPurchase: 95, firstPacks: [("start", 30), ("pop", 50), ("pro", 20)],
    laterPacks: [("pop", 20), ("pro", 50), ("max", 30)], leaving: 1, isOffice: true, isEarly: true)
  /// Buys much at once and comes no more.
  private static let lapsed = DemoHabit(
    share: 6, day: 35, sessions: 1...1, usesPerSession: 3...9, firstPurchase: 96, laterPurchase: 0,
    firstPacks: [("pop", 40), ("pro", 45), ("max", 15)], laterPacks: [("start", 1)], leaving: 26,
    isOffice: false, isEarly: false)

  private static let all = [curious, taster, regular, heavy, office, lapsed]

  static func some(_ random: inout DemoRandom) -> DemoHabit {
    all[random.index(ofWeights: all.map(\.share))]
  }

  func pack(isFirst: Bool, _ random: inout DemoRandom) -> String {
    let packs = isFirst ? firstPacks : laterPacks
    return packs[random.index(ofWeights: packs.map(\.weight))].sku
  }
}
