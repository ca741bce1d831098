import Foundation
import Ledger
import Postgres

/// An update on its way in. Those that arrive together are stored and processed in one transaction;
/// a batch that fails is tried again one by one, so that a broken update hurts no other.
struct Arrival: Sendable {
  let update: IncomingUpdate
  let body: String
  let bot: Bot
  /// The queue in which it waits for the bot's own handler; nil when it is not relayed.
  let relay: String?

  static func coalescer(
    _ pool: Pool, _ secrets: Secrets
  ) -> Coalescer<Arrival, UpdateIntake.Handled> {
    Coalescer(maxBatch: Limits.intakeBatch) { arrivals, scope in
      try await pool.transaction(in: scope) { tx in
        try await tx.take(arrivals, secrets, in: scope, at: scope.now)
      }
    }
  }

  /// Batches of several processes take their locks in this order and so never wait in a circle.
  fileprivate func isBefore(_ other: Arrival) -> Bool {
    (update.payerTelegramID, update.chargeID) < (
      other.update.payerTelegramID, other.update.chargeID
    )
  }
}

extension IncomingUpdate {
  fileprivate var payerTelegramID: Int64 {
    payment?.buyerTelegramID ?? refund?.payerTelegramID ?? renewal?.telegramID ?? 0
  }

  /// Word of a subscription comes after its payments.
  fileprivate var chargeID: String {
    if renewal != nil { return "\u{10FFFF}" }
    return payment?.payment.telegramPaymentChargeID ?? refund?.refund.telegramPaymentChargeID ?? ""
  }
}

extension Transaction {
  /// Stores the updates and processes what moves money. A second delivery of the same update waits
  /// for the first and then learns what it did. Money goes by its charge, never by the update's id:
  /// Telegram may use an id again.
  fileprivate func take(
    _ arrivals: [Arrival], _ secrets: Secrets, in scope: WorkspaceScope, at: Date
  ) async throws -> [UpdateIntake.Handled] {
    let new = try await store(arrivals, in: scope, at: at)
    try await relay(new.map { arrivals[$0] }, in: scope)
    var answers: [Int: UpdateIntake.Handled] = [:]
    var finished: [(arrival: Arrival, outcome: PaymentOutcome)] = []
    var repeated: [Arrival] = []
    for index in arrivals.indices.sorted(by: { arrivals[$0].isBefore(arrivals[$1]) }) {
      let arrival = arrivals[index]
      guard arrival.update.movesMoney else {
        if new.contains(index) {
          answers[index] = .stored(outcome: "stored", paymentID: nil, isDuplicate: false)
        } else {
          repeated.append(arrival)
        }
        continue
      }
      let outcome = try await apply(arrival.update, arrival.bot, secrets, in: scope, at: at)
      let isKnown = outcome.isDuplicate && !new.contains(index)
      // A payment is also repeated where it comes with another update.
      if isKnown || outcome.kind == .duplicate { repeated.append(arrival) }
      if isKnown { continue }
      finished.append((arrival, outcome))
      answers[index] = .stored(
        outcome: outcome.kind.rawValue, paymentID: outcome.paymentID, isDuplicate: false)
    }
    for (index, outcome) in try await hear(new.map { ($0, arrivals[$0]) }, in: scope, at: at) {
      finished.append((arrivals[index], outcome))
      answers[index] = .stored(
        outcome: outcome.kind.rawValue, paymentID: nil, isDuplicate: false)
    }
    try await finish(finished, in: scope, at: at)
    try await count(repeated, in: scope, at: at)
    var handled: [UpdateIntake.Handled] = []
    for (index, arrival) in arrivals.enumerated() {
      if let answer = answers[index] {
        handled.append(answer)
      } else {
        handled.append(try await known(arrival.update, arrival.bot, in: scope))
      }
    }
    return handled
  }

  /// Counts deliveries of what was there already. One that another transaction has in hand is not
  /// waited for: a count may be one too low.
  private func count(
    _ repeated: [Arrival], in scope: WorkspaceScope, at: Date
  ) async throws {
    guard !repeated.isEmpty else { return }
    try await execute(
      """
      update updates u set repeats = u.repeats + r.times, repeated_at = \(at)
      from (
        select k.bot_id, k.update_id, n.times from updates k
        join (select bot_id, update_id, count(*)::int as times
          from unnest(\(repeated.map(\.bot.id))::bigint[],
            \(repeated.map(\.update.updateID))::bigint[]) d (bot_id, update_id)
          group by bot_id, update_id) n on n.bot_id = k.bot_id and n.update_id = k.update_id
        where k.workspace_id = \(scope.workspaceID)
        for no key update of k skip locked) r
      where u.workspace_id = \(scope.workspaceID) and u.bot_id = r.bot_id
        and u.update_id = r.update_id
      """)
  }

  /// - Returns: Which of them were not in the inbox before.
  private func store(
    _ arrivals: [Arrival], in scope: WorkspaceScope, at: Date
  ) async throws -> Set<Int> {
    let rows = try await query(
      """
      insert into updates (workspace_id, bot_id, update_id, kind, state, outcome, received_at,
        processed_at, body, delay_seconds, relay_state, relay_queue, relay_at)
      select \(scope.workspaceID)::bigint, u.bot_id, u.update_id, u.kind, 'processed', 'stored',
        \(at)::timestamptz, \(at)::timestamptz, u.body, u.delay,
        case when u.queue is not null then 'due' end, u.queue,
        case when u.queue is not null then \(at)::timestamptz end
      from unnest(\(arrivals.map(\.bot.id))::bigint[], \(arrivals.map(\.update.updateID))::bigint[],
        \(arrivals.map(\.update.kind))::text[], \(arrivals.map(\.keptBody))::text[],
        \(arrivals.map { $0.relay == nil ? nil : $0.update.queue })::bigint[],
        \(arrivals.map { $0.delaySeconds(in: scope, at: at) })::int[])
        with ordinality u (bot_id, update_id, kind, body, queue, delay, position)
      order by u.bot_id, u.update_id, u.position
      on conflict do nothing
      returning bot_id, update_id
      """)
    var new: Set<Int> = []
    for row in rows {
      let (bot, update) = (
        try row.get("bot_id", as: Int64.self), try row.get("update_id", as: Int64.self)
      )
      if let index = arrivals.firstIndex(where: { $0.bot.id == bot && $0.update.updateID == update }
      ) {
        new.insert(index)
      }
    }
    return new
  }

  /// Words that support has to do with, after all money: its lock is the last one taken.
  private func hear(
    _ arrivals: [(index: Int, arrival: Arrival)], in scope: WorkspaceScope, at: Date
  ) async throws -> [(index: Int, outcome: PaymentOutcome)] {
    let spoken = arrivals.compactMap { index, arrival in
      arrival.update.spoken.flatMap { $0.isFor(arrival.bot) ? (index, arrival, $0) : nil }
    }
    let writers = Set(spoken.filter { !$0.2.isCall }.map(\.2.telegramID)).sorted()
    let going = try await haveCases(writers, in: scope)
    var heard: [(index: Int, outcome: PaymentOutcome)] = []
    let order = spoken.sorted {
      ($0.2.telegramID, $0.1.update.updateID) < ($1.2.telegramID, $1.1.update.updateID)
    }
    // A call opens the case that the same batch's next words join.
    var called: Set<[Int64]> = []
    for (index, arrival, words) in order {
      let pair = [arrival.bot.id, words.telegramID]
      guard words.isCall || going.contains(pair) || called.contains(pair) else { continue }
      if words.isCall { called.insert(pair) }
      if let outcome = try await hear(
        words, updateID: arrival.update.updateID, by: arrival.bot, in: scope, at: at)
      {
        heard.append((index, outcome))
      }
    }
    return heard
  }

  /// Asks for the jobs that hand updates on. See `Job.enqueue`.
  private func relay(_ arrivals: [Arrival], in scope: WorkspaceScope) async throws {
    let subjects = Set(arrivals.compactMap(\.relay)).sorted()
    guard !subjects.isEmpty else { return }
    try await execute(
      """
      insert into jobs (workspace_id, kind, subject, run_at)
      select \(scope.workspaceID)::bigint, \(Job.Kind.updatesRelay.rawValue)::text, subject, now()
      from unnest(\(subjects)::text[]) subject
      on conflict (workspace_id, kind, subject) do update set run_at = now(), attempts = 0
      """)
  }

  private func finish(
    _ finished: [(arrival: Arrival, outcome: PaymentOutcome)], in scope: WorkspaceScope, at: Date
  ) async throws {
    guard !finished.isEmpty else { return }
    try await execute(
      """
      update updates set processed_at = \(at), outcome = f.outcome, payment_id = f.payment_id,
        state = 'processed', body = case when relay_state = 'due' then body end
      from unnest(\(finished.map(\.arrival.bot.id))::bigint[],
        \(finished.map(\.arrival.update.updateID))::bigint[],
        \(finished.map(\.outcome.kind.rawValue))::text[],
        \(finished.map(\.outcome.paymentID))::bigint[]) f (bot_id, update_id, outcome, payment_id)
      where updates.workspace_id = \(scope.workspaceID) and updates.bot_id = f.bot_id
        and updates.update_id = f.update_id
      """)
  }
}

extension Arrival {
  fileprivate var keptBody: String? { update.isKept || relay != nil ? body : nil }

  /// How long it was under way. A workspace's clock may be moved, Telegram's is not.
  fileprivate func delaySeconds(in scope: WorkspaceScope, at: Date) -> Int? {
    guard let sentAt = update.sentAt else { return nil }
    let seconds = at.timeIntervalSince(sentAt) - Double(scope.clockOffsetSeconds)
    return Int(max(0, min(seconds, 2_000_000_000)))
  }
}
