import Foundation
import Ledger
import Logging
import Postgres
import Telegram

/// Runs drills, one after the other, and writes down what each of them saw. It moves Stars and
/// credits on a test side through the very functions that bots, Telegram and operators use.
struct DrillRunner: Sendable {
  let platform: Platform

  /// What later drills go on from.
  struct Scene: Sendable {
    let run: DrillRun
    let bot: Bot
    let sandbox: SandboxTelegram
    let scope: WorkspaceScope
    let locale: String
    /// What is sold; set by the drill of the rules.
    var pack: Pack?
    /// What costs credits, in the operator's order.
    var actions: [Action] = []
    /// The first payment.
    var payment: Payment?
    var facts: [String: String] = [:]

    /// People with a phone: the first one buys, uses and gets Stars back, the others only buy.
    let people: [Int64]
    var buyer: Int64 { people[0] }

    func mustHave<T>(_ value: T?) throws -> T {
      guard let value else { throw Drill.Failure(problem: .unexpected) }
      return value
    }
  }

  /// - Parameter attempts: How often the job was tried, this time included: a run that died is not
  ///   gone on with, because nobody knows what its last drill has done.
  func run(_ id: Int64, attempts: Int, in workspace: Workspace) async throws -> Job.Outcome {
    let scope = workspace.scope
    guard let run = try await DrillRun.find(id: id, in: scope, platform.pool) else { return .done }
    guard run.state == .running else {
      try await summarize(run, in: scope)
      return .done
    }
    if attempts > 1 {
      try await interrupt(run, in: scope)
    } else {
      try await runAll(run, in: workspace)
    }
    try await finish(id, in: scope)
    return .done
  }

  private func runAll(_ run: DrillRun, in workspace: Workspace) async throws {
    let scope = workspace.scope
    guard let bot = try await Bot.find(id: run.botID, in: scope, platform.pool) else { return }
    var scene = Scene(
      run: run, bot: bot, sandbox: SandboxTelegram(baseURL: bot.endpoint.baseURL), scope: scope,
      locale: workspace.locale, people: Self.people())
    var passed: Set<Drill.Name> = []
    for name in Drill.Name.allCases {
      if let missing = name.needs.first(where: { !passed.contains($0) }) {
        try await note(name, .skipped, ["needs": missing.rawValue], run, in: scope)
        continue
      }
      try await note(name, .running, [:], run, in: scope)
      scene.facts = [:]
      do {
        let before = scene
        scene = try await withDeadline(seconds: name.seconds) { try await perform(name, before) }
        try await note(name, .passed, scene.facts, run, in: scope)
        passed.insert(name)
      } catch {
        let failure = try failure(of: error, name)
        var facts = failure.facts
        facts["problem"] = failure.problem.rawValue
        facts["words"] = failure.words.map { String($0.prefix(300)) }
        try await note(name, .failed, facts, run, in: scope)
      }
    }
  }

  private func perform(_ name: Drill.Name, _ scene: Scene) async throws -> Scene {
    switch name {
    case .botMapped: try await mapBot(scene)
    case .rulesDefined: try await readRules(scene)
    case .webhookSeen: try await sayHello(scene)
    case .paymentCredited: try await buy(scene)
    case .doubleDelivery: try await buyDeliveredTwice(scene)
    case .preCheckoutP95: try await buyManyTimes(scene)
    case .debitRetried: try await useAndRetry(scene)
    case .refund: try await giveBack(scene)
    case .reconciliation: try await compareBooks(scene)
    case .ledgerVerified: try await verifyLedger(scene)
    }
  }

  /// - Throws: What is no result of a drill: the database is away, or the process ends.
  private func failure(of error: any Error, _ name: Drill.Name) throws -> Drill.Failure {
    switch error {
    case let failure as Drill.Failure: return failure
    case is DeadlineExceeded: return Drill.Failure(problem: .timeOver)
    case SandboxTelegram.Problem.notReached: return Drill.Failure(problem: .sandboxAway)
    case SandboxTelegram.Problem.refused(let words):
      return Drill.Failure(problem: .sandboxRefused, words: words)
    case let error as TelegramError:
      switch error {
      case .notSent, .unknownOutcome: return Drill.Failure(problem: .sandboxAway)
      case _ where error.isUnauthorized: return Drill.Failure(problem: .token)
      case .api(_, let words, _): return Drill.Failure(problem: .sandboxRefused, words: words)
      }
    case is Secrets.Problem: return Drill.Failure(problem: .token)
    case is CancellationError: throw error
    case let error as PostgresError where error.isOutage: throw error
    default:
      platform.logger.error(
        "a drill failed by itself",
        metadata: ["drill": "\(name.rawValue)", "error": "\(error.withoutValues)"])
      return Drill.Failure(problem: .unexpected)
    }
  }

  /// Looks again and again until there is something to see.
  ///
  /// - Returns: nil when the time is over.
  func see<T: Sendable>(
    within seconds: Double = Limits.drillWaitSeconds, _ look: () async throws -> T?
  ) async throws -> T? {
    let until = ContinuousClock.now + .seconds(seconds)
    while true {
      if let seen = try await look() { return seen }
      guard ContinuousClock.now < until else { return nil }
      try await Task.sleep(for: .milliseconds(30))
    }
  }

  /// New people each time: what they may buy and what they owe is not yesterday's. Their ids are
  /// ones that Telegram has given to nobody.
  private static func people() -> [Int64] {
    let first = Int64.random(in: (1 << 51)..<(3 << 50) - Int64(Limits.drillBuyers) - 1)
    return (0...Int64(Limits.drillBuyers)).map { first + $0 }
  }
}

extension DrillRunner {
  private func note(
    _ name: Drill.Name, _ state: Drill.State, _ facts: [String: String], _ run: DrillRun,
    in scope: WorkspaceScope
  ) async throws {
    let at = Date()
    let text = String(decoding: try JSONEncoder().encode(facts), as: UTF8.self)
    let isOver = state != .running
    try await platform.pool.execute(
      """
      update drills set state = \(state.rawValue), facts = \(text)::jsonb,
        started_at = coalesce(started_at, \(at)::timestamptz),
        finished_at = \(isOver ? at : nil)::timestamptz
      where workspace_id = \(scope.workspaceID) and drill_run_id = \(run.id)
        and drill = \(name.rawValue)
      """, in: scope)
  }

  private func interrupt(_ run: DrillRun, in scope: WorkspaceScope) async throws {
    let broken = run.drills.first { $0.state == .running || $0.state == .waiting }
    for drill in run.drills where drill.state == .running || drill.state == .waiting {
      if drill.name == broken?.name {
        let problem = Drill.Problem.interrupted.rawValue
        try await note(drill.name, .failed, ["problem": problem], run, in: scope)
      } else {
        try await note(
          drill.name, .skipped, ["needs": broken?.name.rawValue ?? ""], run, in: scope)
      }
    }
  }

  private func finish(_ id: Int64, in scope: WorkspaceScope) async throws {
    let at = Date()
    guard let run = try await DrillRun.find(id: id, in: scope, platform.pool) else { return }
    let state: DrillRun.State = run.failed == 0 ? .passed : .failed
    try await platform.pool.transaction(in: scope) { tx in
      let finished = try await tx.execute(
        """
        update drill_runs set state = \(state.rawValue), finished_at = \(at)
        where workspace_id = \(scope.workspaceID) and drill_run_id = \(id) and state = 'running'
        """)
      guard finished == 1 else { return }
      try await tx.audit(
        Actor(.job, Job.Kind.drillsRun.rawValue), "drill_run.finished", "drill_run", String(id),
        after: [
          "state": state.rawValue, "passed": String(run.passed), "failed": String(run.failed),
        ], in: scope, at: scope.now)
    }
    if let run = try await DrillRun.find(id: id, in: scope, platform.pool) {
      try await summarize(run, in: scope)
    }
  }

  /// What lists of workspaces show stands with both sides: the evidence is the business's. A process
  /// that dies before this does it when the job is tried again.
  private func summarize(_ run: DrillRun, in scope: WorkspaceScope) async throws {
    try await platform.pool.execute(
      """
      update workspaces set drills_finished_at = \(run.finishedAt), drills_passed = \(run.passed),
        drills_failed = \(run.failed)
      where (workspace_id = \(scope.workspaceID) or twin_id = \(scope.workspaceID))
        and (drills_finished_at is null or drills_finished_at <= \(run.finishedAt))
      """)
  }
}
