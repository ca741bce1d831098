import Foundation
import Ledger
import Postgres
import TestSupport
import Testing

/// Random postings against the model, compared after each: answers, balance, version, what is left
/// of every open lot in burn order, what is held, and the lots and amounts of every new entry.
@Suite struct SimulationTests {
  /// Outcomes that the runs must meet, each at least 50 times: else they prove nothing.
  private static let required = [
    "applied credit", "applied debit", "applied hold", "applied commit", "applied release",
    "applied clawback", "applied hold_charge", "applied expire",
    "replayed credit", "replayed debit", "replayed hold", "replayed commit", "replayed release",
    "replayed clawback", "replayed hold_charge",
    "conflict credit", "conflict debit", "conflict hold", "conflict commit", "conflict release",
    "conflict clawback", "conflict hold_charge",
    "insufficient debit", "insufficient hold", "insufficient commit",
    "closed commit", "closed release", "closed clawback", "closed hold_charge",
    "unknown commit", "unknown release", "unknown clawback", "unknown hold_charge",
    "duplicate_charge credit", "duplicate_charge hold_charge", "refunded_charge credit",
    "lot_limit credit", "invalid credit", "invalid debit", "invalid commit", "none expire",
    "none hold_charge", "merged lots", "paid lot over the cap", "cross-lot burn",
    "expiry inline", "expiry while held", "commit of expired credits", "commit above the hold",
    "refunded while held", "refund hold released", "refund hold clawed back", "forgiven",
    "forgiven by commit", "debt created", "debt repaid by credit", "debt repaid by release",
    "answered in a batch",
  ]

  /// Twenty-four thousand operations, in four runs that go on side by side.
  @Test(.timeLimit(.minutes(10))) func postingsMatchTheModel() async throws {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["ESTARS_LEDGER_OPERATIONS"].flatMap(Int.init) ?? 6_000
    let first =
      environment["ESTARS_LEDGER_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 1...999_999)
    print("ledger simulation: ESTARS_LEDGER_SEED=\(first) ESTARS_LEDGER_OPERATIONS=\(count)")
    let tally = OutcomeTally(Self.required, enough: 50)
    try await withThrowingTaskGroup { runs in
      for seed in first..<first + 4 {
        runs.addTask { try await run(seed, count, tally) }
      }
      try await runs.waitForAll()
    }
    for (outcome, times) in await tally.sums.sorted(by: { $0.key < $1.key }) {
      print("  \(outcome): \(times)")
    }
    let missing = await tally.missing
    #expect(missing.isEmpty, "seeds from \(first), too few: \(missing)")
  }

  private func run(_ seed: UInt64, _ count: Int, _ tally: OutcomeTally) async throws {
    try await withLedger { fixture in
      var run = Simulation(fixture: fixture, seed: seed)
      var (analyzed, told, isMissing) = (0, 0, true)
      // A rare outcome may take longer: the runs go on until they have met them all.
      while run.operations < count || (isMissing && run.operations < count * 3) {
        // What autovacuum does soon in a server that lives longer: plans made for empty tables
        // would read all of a workspace's entries.
        if run.operations >= analyzed * 4 + 200 {
          analyzed = run.operations
          try await fixture.database.ownerPool.execute(
            "analyze accounts, entries, lots, holds, clawbacks")
        }
        let differences = try await run.step()
        if !differences.isEmpty {
          let report = (run.log.suffix(12) + differences).joined(separator: "\n")
          Issue.record("seed \(seed), operation \(run.operations):\n\(report)")
          return
        }
        if run.operations >= told + 50 {
          told = run.operations
          isMissing = await !tally.missing(after: run.model.tally, of: seed).isEmpty
        }
      }
      _ = await tally.missing(after: run.model.tally, of: seed)
      let problems = try await fixture.ledger.verify(in: fixture.test)
      #expect(problems.isEmpty, "seed \(seed): \(problems.prefix(5))")
    }
  }
}

/// The model and the database side by side.
struct Simulation {
  let fixture: LedgerFixture
  var model = Model()
  var operations = 0
  var log: [String] = []
  private var requests: RandomRequests
  private(set) var time = day(1)

  init(fixture: LedgerFixture, seed: UInt64) {
    self.fixture = fixture
    requests = RandomRequests(seed: seed)
  }

  /// Runs one posting, or a batch, on both sides. Returns how they differ.
  mutating func step() async throws -> [String] {
    time.addTimeInterval(requests.pause() * 60)
    let size = requests.batchSize()
    var batch: [Request] = []
    while batch.count < size {
      let request = requests.next(at: time, model: model)
      batch.append(request)
      // Only these can travel in a batch.
      if request.batched == nil { break }
    }
    operations += batch.count
    if batch.count > 1, batch.last?.batched != nil { return try await post(batch) }
    for request in batch {
      let differences = try await post(request)
      if !differences.isEmpty { return differences }
    }
    return []
  }

  private mutating func post(_ request: Request) async throws -> [String] {
    let touched = accounts(of: request)
    let expected = model.post(request, at: time)
    log.append("\(time.timeIntervalSince(day(1)) / 3600) h: \(request)")
    let pipeline: [SQL] =
      [setting, call(request)] + reads(of: touched)
    let results = try await fixture.pool.pipeline(pipeline)
    let actual = try Expected(results[1][0])
    var differences: [String] = []
    if actual != expected { differences.append("answered \(actual), expected \(expected)") }
    differences += try compare(touched, accounts: results[2], entries: results[3])
    return differences
  }

  private mutating func post(_ batch: [Request]) async throws -> [String] {
    let known = batch.map { (request: $0, accounts: accounts(of: $0)) }
    let touched = Array(Set(known.flatMap(\.accounts)))
    let answers = try await fixture.ledger.post(
      batch.compactMap(\.batched), in: fixture.test, at: time)
    log.append("\(time.timeIntervalSince(day(1)) / 3600) h, batch: \(batch)")
    var differences: [String] = []
    // By account, and as they came.
    let order = batch.indices.sorted { left, right in
      let first = known[left].accounts.first
      let second = known[right].accounts.first
      guard let first, let second else {
        return first == nil && second == nil ? left < right : first != nil
      }
      if first.id != second.id { return first.id < second.id }
      return first.unit != second.unit ? first.unit < second.unit : left < right
    }
    for index in order {
      let expected = model.post(batch[index], at: time)
      model.count("answered in a batch")
      let actual = Expected(answers[index])
      if actual != expected {
        differences.append("\(index) answered \(actual), expected \(expected)")
      }
    }
    let results = try await fixture.pool.pipeline([setting] + reads(of: touched))
    return try differences + compare(touched, accounts: results[1], entries: results[2])
  }

  /// The accounts that a request may touch, by the model's knowledge before it.
  private func accounts(of request: Request) -> [Account] {
    switch request {
    case .credit(_, let account, _), .debit(_, let account), .hold(_, let account, _),
      .expire(let account):
      [account]
    case .commit(let commit): heldBy(commit.holdKey)
    case .release(let holdKey, _): heldBy(holdKey)
    case .clawback(let charge, _, _), .holdCharge(let charge, _):
      model.owner(of: charge).map { [$0] } ?? []
    }
  }

  private func heldBy(_ holdKey: String) -> [Account] {
    (model.holds[holdKey]?.account ?? model.closedHolds[holdKey]).map { [$0] } ?? []
  }
}
