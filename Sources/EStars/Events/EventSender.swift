import Foundation
import Ledger
import Logging
import Postgres

/// Sends events. The events of one customer of a bot are a queue and a job: they leave one after the
/// other, in the order in which they happened, and an event that does not get through holds those
/// behind it. Queues do not wait for each other.
struct EventSender: Sendable {
  private let platform: Platform

  init(platform: Platform) { self.platform = platform }

  /// Sends the oldest waiting event of a queue.
  ///
  /// - Parameters:
  ///   - subject: The queue: bot and customer.
  ///   - at: The time of our own clock.
  func sendNext(_ subject: String, at: Date, in scope: WorkspaceScope) async throws -> Job.Outcome {
    let ids = subject.split(separator: ":").compactMap { Int64($0) }
    guard ids.count == 2,
      let event = try await next(botID: ids[0], customerID: ids[1], in: scope)
    else { return .done }
    if let nextAt = event.nextAt, nextAt > at {
      return .again(seconds: nextAt.timeIntervalSince(at))
    }
    guard let address = try await EventAddress.of(bot: event.botID, in: scope, platform.pool)
    else {
      try await skipAll(of: event.botID, in: scope)
      return .done
    }
    guard platform.targets.traffic.enter(address.url, .events) else {
      return .again(seconds: platform.targets.traffic.delay(address.url))
    }
    defer { platform.targets.traffic.leave(address.url, .events) }
    let started = ContinuousClock.now
    let result = try await send(event, to: address, at: at, in: scope)
    let seconds = (ContinuousClock.now - started) / .seconds(1)
    return try await note(
      result, of: event, at: at, seconds: seconds, in: scope)
  }

  private func next(
    botID: Int64, customerID: Int64, in scope: WorkspaceScope
  ) async throws -> Event? {
    let customer: SQL =
      customerID == 0 ? "v.customer_id is null" : "v.customer_id = \(customerID)"
    return try await platform.pool.query(
      """
      select \(Event.columns) from events v where v.workspace_id = \(scope.workspaceID)
        and v.bot_id = \(botID) and \(customer) and v.state = 'pending'
      order by v.event_id limit 1
      """, in: scope
    ).first.map(Event.init)
  }

  private enum Result {
    case answered(status: Int)
    case failed(code: String)

    var isSuccess: Bool { if case .answered(200..<300) = self { true } else { false } }
    var status: Int? { if case .answered(let status) = self { status } else { nil } }
    var code: String? { if case .failed(let code) = self { code } else { nil } }
  }

  private func send(
    _ event: Event, to address: EventAddress, at: Date, in scope: WorkspaceScope
  ) async throws -> Result {
    let customer: Customer? =
      if let id = event.customerID {
        try await Customer.find(id: id, in: scope, platform.pool)
      } else { nil }
    let body = event.body(telegramID: customer?.chatID)
    do {
      let secrets = try address.secrets(at: at, platform.secrets)
      let reply = try await platform.targets.post(
        Array(body.utf8), to: address.url,
        headers: [
          ("eStars-Event-Id", event.name),
          // The bot refuses what is old, so it is told the time of this very try.
          ("eStars-Signature", EventSignature.header(of: body, at: Date(), secrets: secrets)),
        ], within: Limits.eventCallSeconds, atMost: Limits.eventReplyBytes)
      return .answered(status: reply.status)
    } catch let failure as TargetClient.Failure {
      return .failed(code: failure.code)
    } catch is Secrets.Problem {
      return .failed(code: "secret")
    }
  }

  private func note(
    _ result: Result, of event: Event, at: Date, seconds: Double, in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    let isOver = event.giveUpAt.map { $0 <= at } ?? true
    let state: Event.State = result.isSuccess ? .delivered : isOver ? .failed : .pending
    // The last try is made when the time is up, not long before.
    let left = event.giveUpAt.map { max(1, $0.timeIntervalSince(at)) } ?? 1
    let wait = min(left, Self.backoff(event.attempts + 1))
    let nextAt = state == .pending ? at.addingTimeInterval(wait) : nil
    let counts = try await platform.pool.transaction(in: scope) { tx in
      // One that was asked for again meanwhile is sent again.
      let noted = try await tx.execute(
        """
        update events set state = \(state.rawValue), attempts = attempts + 1,
          next_at = \(nextAt), delivered_at = \(state == .delivered ? at : nil),
          last_status = \(result.status), last_error = \(result.code)
        where workspace_id = \(scope.workspaceID) and event_id = \(event.id)
          and next_at::text = \(event.turn)
        """)
      try await tx.execute(
        """
        insert into event_deliveries (workspace_id, event_id, attempt, at, status, error,
          duration_ms)
        select \(scope.workspaceID)::bigint, \(event.id)::bigint, coalesce(max(attempt), 0) + 1,
          \(at)::timestamptz, \(result.status)::int, \(result.code)::text,
          \(Int(seconds * 1000))::int
        from event_deliveries
        where workspace_id = \(scope.workspaceID) and event_id = \(event.id)
        """)
      return noted == 1
    }
    if state == .failed {
      platform.logger.warning(
        "an event was given up", metadata: ["bot": "\(event.botID)", "event": "\(event.name)"])
    }
    return state == .pending && counts ? .again(seconds: wait) : .next
  }

  /// 2 seconds, then twice as long each time, an hour at most unless told otherwise, and a fifth
  /// more or less, so that what failed together does not come back together.
  static func backoff(_ attempts: Int, atMost longest: Double = 3600) -> Double {
    min(longest, pow(2, Double(min(attempts, 12)))) * Double.random(in: 0.8...1.2)
  }

  private func skipAll(of botID: Int64, in scope: WorkspaceScope) async throws {
    try await platform.pool.execute(
      """
      update events v set state = 'skipped', next_at = null
      where v.workspace_id = \(scope.workspaceID) and v.bot_id = \(botID) and v.state = 'pending'
        and exists (select from bots b where b.workspace_id = v.workspace_id
          and b.bot_id = v.bot_id and b.event_url is null)
      """, in: scope)
  }
}
