import EStars
import Foundation

/// Whether Telegram's books agree with ours, and asking for it to be looked at now.
enum ReconciliationController {
  private static let recentCount = 8

  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let showsOpen = visit.inbound.query["show"] != "all"
    let before = visit.inbound.query["after"].flatMap { Int64($0) }
    var mismatches = try await Mismatch.recent(
      openOnly: showsOpen, before: before, limit: Limits.pageSize + 1, in: scope, pool)
    let hasMore = mismatches.count > Limits.pageSize
    if hasMore { mismatches.removeLast() }
    let people = try await Customer.named(mismatches.compactMap(\.customerID), in: scope, pool)
    let bots = try await Bot.all(in: scope, pool)
    let names = bots.reduce(into: [:]) { $0[$1.id] = BotLabel($1) }
    let recent = try await Reconciliation.recent(limit: recentCount, in: scope, pool)
    let view = ReconciliationView(
      standing: .init(try await StarsStanding.load(in: scope, pool)),
      bots: try await lines(bots, visit), showsOpen: showsOpen,
      rows: mismatches.map { MismatchRow($0, names, $0.customerID.flatMap { people[$0] }) },
      paging: Paging(
        nextCursor: hasMore ? mismatches.last.map { String($0.id) } : nil, isFirst: before == nil),
      mendsItself: try await Reconciliation.mendsItself(in: scope, pool),
      maySetRule: visit.membership.role >= .owner,
      mayCompare: visit.membership.role >= .manager,
      recent: recent.map { ReconciliationRow($0, names) })
    return try await visit.page(view.render)
  }

  private static func lines(
    _ bots: [Bot], _ visit: Visit
  ) async throws -> [ReconciliationView.BotLine] {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let latest = try await Reconciliation.latest(in: scope, pool)
    let done = try await Reconciliation.latest(done: true, in: scope, pool)
    let open = try await Mismatch.open(in: scope, pool)
    return bots.filter { $0.isConnected || latest[$0.id] != nil }.map { bot in
      let names = [bot.id: BotLabel(bot)]
      return .init(
        bot: BotLabel(bot), latest: latest[bot.id].map { ReconciliationRow($0, names) },
        compared: done[bot.id].map { ReconciliationRow($0, names) }, open: open[bot.id] ?? 0,
        isConnected: bot.isConnected)
    }
  }

  /// One bot, or all of them.
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let form = try visit.inbound.form()
    let chosen = try form["bot"].map { text in
      guard let id = Int64(text) else { throw Refusal.notFound }
      return id
    }
    let bots = try await Bot.all(in: scope, pool).filter { chosen == nil || $0.id == chosen }
    guard !bots.isEmpty else { throw Refusal.notFound }
    var asked: [Int64] = []
    for bot in bots where bot.isConnected {
      asked.append(try await Reconciliation.ask(bot, by: visit.actor, in: scope, pool).id)
    }
    guard !asked.isEmpty else {
      throw Refusal(.conflict, "bot_disconnected", "This bot is disconnected. Add it again first.")
    }
    await withTaskGroup { group in
      for id in asked { group.addTask { await visit.platform.reconciler.runNow(id) } }
    }
    return .seeOther(Links.reconciliation(visit.workspace.slug))
  }
}

enum ReconciliationRuleController {
  @Sendable static func update(_ visit: Visit) async throws -> Reply {
    let form = try visit.inbound.form()
    guard let on = form["on"], ["0", "1"].contains(on) else {
      throw Refusal(.unprocessableContent, "on", "Say whether the rule is to be on: 1 or 0.")
    }
    try await Reconciliation.setMendsItself(
      on == "1", by: visit.actor, in: visit.scope, visit.platform.pool)
    return .seeOther(Links.reconciliation(visit.workspace.slug))
  }
}

extension ReconciliationView.Standing {
  init(_ now: StarsStanding) {
    self.init(
      balance: now.balance, withdrawable: now.withdrawable, balanceAt: now.balanceAt,
      held: now.held, liabilityCredits: now.liabilityCredits, liabilityStars: now.liabilityStars,
      liabilityMoney: Self.units(now.liabilityMicros), deliveryMoney: Self.units(now.costMicros),
      currency: now.currency, exposure: now.exposure)
  }

  /// Millionths to whole units, half up.
  private static func units(_ micros: Int64) -> Int64 {
    micros / 1_000_000 + (micros % 1_000_000 >= 500_000 ? 1 : 0)
  }
}

extension ReconciliationRow {
  init(_ run: Reconciliation, _ bots: [Int64: BotLabel]) {
    self.init(
      bot: bots[run.botID] ?? BotLabel(id: run.botID, username: String(run.botID)),
      state: State(rawValue: run.state.rawValue) ?? .failed,
      askedBy: run.isByItself ? nil : run.askedBy,
      at: run.finishedAt ?? run.askedAt, read: run.readCount, total: run.nextPosition,
      matched: run.matchedCount, found: run.mismatchCount, fixed: run.fixedCount,
      reachedAt: run.reachedAt, balance: run.balanceStars, books: run.booksStars,
      problem: run.problem.map(Problem.init))
  }
}

extension ReconciliationRow.Problem {
  init(_ problem: Reconciliation.Problem) {
    self =
      switch problem {
      case .noAnswer: .code(.noAnswer)
      case .notReached: .code(.notReached)
      case .token: .code(.token)
      case .telegram(let words): .telegram(words)
      }
  }
}

extension MismatchRow {
  init(_ mismatch: Mismatch, _ bots: [Int64: BotLabel], _ customer: Customer?) {
    let sign: Int64 = mismatch.direction == .incoming ? 1 : -1
    self.init(
      id: mismatch.id, kind: MismatchKind(rawValue: mismatch.kind.rawValue) ?? .unknownPartner,
      bot: bots[mismatch.botID] ?? BotLabel(id: mismatch.botID, username: String(mismatch.botID)),
      transactionID: mismatch.transactionID,
      stars: mismatch.kind == .notInTelegram ? nil : sign * mismatch.stars,
      ourStars: mismatch.ourStars.map { sign * $0 }, customer: customer.map(CustomerLabel.init),
      state: MismatchState(rawValue: mismatch.state.rawValue) ?? .open, foundAt: mismatch.foundAt)
  }
}
