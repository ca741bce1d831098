@_spi(Guard) @testable import EStars
import Foundation
import Ledger
import Postgres
import Telegram
import TestSupport
import Testing

/// The demo's past: the same for the same seed and end, like a business, and true to the ledger.
@Suite struct DemoHistoryTests {
  private static let until = Date(timeIntervalSince1970: 1_795_000_000)
  private static let plans = [
    DemoWorkspace.BotPlan(
      token: "7000000001:AAFixtureFixtureFixtureFixtureFixtu", username: "first_bot",
      name: "First", segment: .aiBot, action: "sticker"),
    DemoWorkspace.BotPlan(
      token: "7000000002:AAFixtureFixtureFixtureFixtureFixtu", username: "second_bot",
      name: "Second", segment: .serviceBot, action: "company_lookup"),
  ]

  private struct Studio {
    let demo: DemoWorkspace
    let workspace: Workspace
    let bots: [Bot]
    let pool: Pool

    func write(_ history: DemoHistory, stopAfter parts: Int = .max) async throws -> Bool {
      var written = 0
      return try await demo.write(history, bots, plans, in: workspace) { _ in
        written += 1
        if written == parts { throw CancellationError() }
      }
    }

    func checksum() async throws -> DemoChecksum {
      try await DemoWorkspace.checksum(of: workspace, pool)
    }
  }

  /// - Parameter key: Each deployment signs with its own.
  private func withStudio<T: Sendable>(
    key: String = Fixture.key, _ body: (Studio) async throws -> T
  ) async throws -> T {
    try await withTestDatabase { database in
      let platform = Platform(
        pool: database.pool, secrets: try Secrets(hex: key), logger: TestCluster.logger)
      let demo = DemoWorkspace(platform: platform)
      let (_, test, bots) = try await demo.open(
        Self.plans, endpoint: .sandbox(URL(filePath: "/")), at: Date())
      return try await body(
        Studio(demo: demo, workspace: test, bots: bots, pool: database.pool))
    }
  }

  private func loaded(_ history: DemoHistory, key: String = Fixture.key) async throws
    -> DemoChecksum
  {
    try await withStudio(key: key) { studio in
      #expect(try await studio.write(history))
      return try await studio.checksum()
    }
  }

  @Test func theSameSeedAndEndMakeTheSameTables() async throws {
    let history = DemoHistory(seed: 7, until: Self.until, customers: 20)
    async let first = loaded(history)
    async let second = loaded(history, key: Bytes.hex(Bytes.sha256("another deployment")))
    let sums = try await (first, second)
    #expect(sums.0 == sums.1)
    #expect(sums.0.entries > 200 && sums.0.tables.count > 15)
    let others = [
      DemoHistory(seed: 8, until: Self.until, customers: 20),
      DemoHistory(seed: 7, until: Self.until.addingTimeInterval(-3600), customers: 20),
    ]
    for other in others {
      #expect(try await loaded(other).digest != sums.0.digest)
    }
  }

  @Test func aLoadThatWasCutOffGoesOnAndIsDoneOnce() async throws {
    let history = DemoHistory(seed: 7, until: Self.until, customers: 12)
    let whole = try await loaded(history)
    try await withStudio { (studio: Studio) async throws -> Void in
      #expect(try await studio.demo.history(in: studio.workspace) == nil)
      await #expect(throws: CancellationError.self) {
        _ = try await studio.write(history, stopAfter: 30)
      }
      #expect(try await studio.checksum().digest != whole.digest)
      #expect(try await studio.demo.history(in: studio.workspace) == history)
      #expect(try await studio.write(history))
      #expect(try await studio.checksum() == whole)
      #expect(try await !studio.write(history))
      #expect(try await studio.checksum() == whole)
      let other = DemoHistory(seed: 9, until: Self.until, customers: 12)
      await #expect(throws: DemoRecord.Problem.self) { _ = try await studio.write(other) }
    }
  }

  @Test func theLedgerStandsAndEveryPaymentCanBeEnteredInTheBooks() async throws {
    let history = DemoHistory(seed: 7, until: Self.until, customers: 40)
    try await withStudio { (studio: Studio) async throws -> Void in
      #expect(try await studio.write(history))
      #expect(try await Ledger(pool: studio.pool).verify() == [])
      let charges = try await studio.demo.charges(of: history, in: studio.workspace)
      let scope = studio.workspace.scope
      // Of every customer, what came is what went and what is left: carried credits, refunds, all.
      for summary in try await Customer.list(before: nil, limit: 50, in: scope, studio.pool) {
        for answer in try await CreditAnswer.all(
          of: summary.customer.id, in: scope, studio.pool)
        {
          #expect(
            answer.came - answer.used - answer.expired - answer.takenBack - answer.held
              == answer.available, "\(answer)")
        }
      }
      let row = try await studio.pool.query(
        """
        select (select count(*) from payments) as payments, (select count(*) from customers) as people,
          (select count(*) from holds) as holds,
          (select count(*) from payments where state = 'refunded') as refunded,
          (select count(*) from entries where created_at > \(history.until)) as late,
          (select count(*) from entries where operation = 'commit') as commits
        """, in: scope)[0]
      #expect(try row.get("payments", as: Int.self) == charges.count)
      #expect(try row.get("people", as: Int.self) == 40)
      #expect(try row.get("holds", as: Int.self) == 0)
      #expect(try row.get("late", as: Int.self) == 0)
      #expect(try row.get("commits", as: Int.self) > 10)
      #expect(
        try row.get("refunded", as: Int.self) == charges.count { $0.refundedAt != nil })
      #expect(Set(charges.map(\.chargeID)).count == charges.count)
      #expect(charges.allSatisfy { (1...128).contains($0.payload.utf8.count) && $0.stars > 0 })
      let ana = charges.filter { $0.telegramID == 5_001_001 }
      #expect(ana.map(\.chargeID) == ["stxDemo5001001n0", "stxDemo5001001n1"])
      #expect(ana.map(\.stars) == [49, 75])
    }
  }

  /// The whole history as it is thought out, without a database.
  @Test func threeHundredCustomersLookLikeABusiness() async throws {
    let history = DemoHistory(
      seed: DemoHistory.usualSeed, until: Self.until, customers: DemoHistory.usualCustomers)
    let catalog = try await withStudio { studio in
      try await Catalog.load(in: studio.workspace.scope, studio.pool)
    }
    let people = history.people
    let events = history.events(people, Self.plans, catalog)
    #expect(people.count == 301 && Set(people.map(\.telegramID)).count == 301)
    let usernames = people.map(\.username).filter { !$0.isEmpty }
    #expect(Set(usernames).count == usernames.count && usernames.count < 290)
    #expect(usernames.allSatisfy { $0.wholeMatch(of: /[a-z0-9_]{5,32}/) != nil })
    #expect(events.allSatisfy { $0.at <= history.until })
    #expect(
      events.allSatisfy { $0.at > history.until.addingTimeInterval(-91 * 86_400) })

    var bought: [Int: Int] = [:]
    var paid: Set<String> = []
    var refunds = 0
    for event in events {
      switch event.deed {
      case .payment(let sale):
        #expect(sale.openedAt <= event.at && (sale.sku != "try" || bought[event.person] == nil))
        bought[event.person, default: 0] += 1
        paid.insert(sale.chargeID)
      case .secondPayment(_, let chargeID), .foreignPayment(_, _, _, let chargeID):
        paid.insert(chargeID)
      case .refund(_, let chargeID):
        #expect(paid.contains(chargeID))
        refunds += 1
      default: break
      }
    }
    #expect((600...1500).contains(paid.count) && refunds * 100 / paid.count >= 1)
    #expect(refunds * 100 / paid.count <= 4)
    #expect((180...260).contains(bought.count) && bought.values.max() ?? 0 >= 10)
    let uses = events.filter { if case .use = $0.deed { true } else { false } }
    let month = 30.0 * 86_400
    let recent = uses.count { $0.at > history.until.addingTimeInterval(-month) }
    let early = uses.count { $0.at < history.until.addingTimeInterval(-2 * month) }
    #expect(uses.count > 15_000 && recent > early * 2)
  }

  @Test func theNumbersOfASeedNeverChange() {
    var random = DemoRandom(seed: 1, stream: 1)
    let numbers = (0..<3).map { _ in random.next() }
    #expect(numbers == [0xa924_ea4a_1483_507a, 0x3add_2665_b5d3_965c, 0xb913_b881_ff2d_5331])
    var other = DemoRandom(seed: 1, stream: 2)
    #expect((0..<3).map { _ in other.next() } != numbers)
  }
}
