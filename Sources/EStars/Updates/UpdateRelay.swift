import Foundation
import Ledger
import Logging
import Postgres

/// Hands a bot's updates to the bot's own handler, word for word, as Telegram would. The updates of
/// one chat are a queue and a job: they arrive one after the other, and one that the handler does
/// not take holds those behind it. Chats do not wait for each other.
public struct UpdateRelay: Sendable {
  private let platform: Platform

  init(platform: Platform) { self.platform = platform }

  /// Where a bot's updates go.
  struct Handler: Sendable {
    let url: String
    let secret: String

    /// nil when the bot's updates are not relayed.
    ///
    /// - Throws: ``Secrets/Problem/sealed``
    init?(_ bot: Bot, _ secrets: Secrets) throws {
      guard let (url, sealed) = bot.relayTarget else { return nil }
      self.url = url
      secret = try secrets.open(sealed)
    }

    var headers: [(name: String, value: String)] {
      [("X-Telegram-Bot-Api-Secret-Token", secret)]
    }
  }

  private struct Waiting {
    let updateID: Int64
    let body: String
    let attempts: Int
    let receivedAt: Date
    let nextAt: Date
  }

  static func subject(botID: Int64, queue: Int64) -> String { "\(botID):\(queue)" }

  /// Starts on a queue at once, without the caller waiting. When many are under way it is left to a
  /// worker.
  func startSoon(_ subject: String) {
    let count = platform.relaysUnderWay.add(1, ordering: .relaxed).newValue
    guard count <= Limits.relaysAtOnce else {
      platform.relaysUnderWay.subtract(1, ordering: .relaxed)
      return
    }
    Task { [platform] in
      defer { platform.relaysUnderWay.subtract(1, ordering: .relaxed) }
      do {
        // Where no place is free a worker comes to it: a job is not claimed only to be put off.
        guard let id = subject.split(separator: ":").first.flatMap({ Int64($0) }),
          let url = try await platform.directory.bot(id)?.relayTarget?.url,
          platform.targets.traffic.enter(url, .relayAtOnce)
        else { return }
        defer { platform.targets.traffic.leave(url, .relayAtOnce) }
        try await Worker(platform: platform).runNow(.updatesRelay, subject: subject)
      } catch {
        platform.logger.debug(
          "an update waits for a worker", metadata: ["error": "\(error.withoutValues)"])
      }
    }
  }

  /// Hands on the oldest waiting update of a queue.
  ///
  /// - Parameters:
  ///   - subject: The queue: bot and chat.
  ///   - hasPlace: Whether the caller has taken a place at the handler already.
  func sendNext(
    _ subject: String, hasPlace: Bool = false, in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    let ids = subject.split(separator: ":").compactMap { Int64($0) }
    guard ids.count == 2,
      let update = try await next(botID: ids[0], queue: ids[1], in: scope)
    else { return .done }
    if update.nextAt > scope.now {
      return .again(seconds: update.nextAt.timeIntervalSince(scope.now))
    }
    // Its mode may have changed just now, so nothing remembered will do.
    guard let bot = try await Bot.find(id: ids[0], platform.pool),
      let handler = try Handler(bot, platform.secrets)
    else {
      try await drop(ids[0], in: scope)
      return .done
    }
    let traffic = platform.targets.traffic
    guard hasPlace || traffic.enter(handler.url, .relay) else {
      return .again(seconds: traffic.delay(handler.url))
    }
    defer { if !hasPlace { traffic.leave(handler.url, .relay) } }
    return try await send(update, to: handler, of: bot, in: scope)
  }

  private func send(
    _ update: Waiting, to handler: Handler, of bot: Bot, in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    let failure: String
    do {
      let reply = try await platform.targets.post(
        Array(update.body.utf8), to: handler.url, headers: handler.headers,
        within: Limits.relayCallSeconds, atMost: Limits.relayReplyBytes)
      if reply.isSuccess {
        try await noteDelivered(update, bot, in: scope)
        if reply.isWhole { await carryOut(reply, for: bot) }
        return .next
      }
      failure = "status_\(reply.status)"
    } catch let error as TargetClient.Failure { failure = error.code }
    return try await noteFailure(failure, update, bot, in: scope)
  }

  private func next(
    botID: Int64, queue: Int64, in scope: WorkspaceScope
  ) async throws -> Waiting? {
    try await platform.pool.query(
      """
      select update_id, body, relay_attempts, received_at, relay_at from updates
      where workspace_id = \(scope.workspaceID) and bot_id = \(botID) and relay_queue = \(queue)
        and relay_state = 'due'
      order by received_at, update_id limit 1
      """, in: scope
    ).first.map { row in
      Waiting(
        updateID: try row.get("update_id"), body: try row.getIfPresent("body") ?? "{}",
        attempts: try row.get("relay_attempts"), receivedAt: try row.get("received_at"),
        nextAt: try row.get("relay_at"))
    }
  }

  /// A body that is delivered has done its work, unless there is money in it that still waits.
  private func noteDelivered(
    _ update: Waiting, _ bot: Bot, in scope: WorkspaceScope
  ) async throws {
    try await platform.pool.execute(
      """
      update updates set relay_state = 'delivered', relay_at = null, relay_error = null,
        relay_attempts = relay_attempts + 1, body = case when state = 'pending' then body end
      where workspace_id = \(scope.workspaceID) and bot_id = \(bot.id)
        and update_id = \(update.updateID) and relay_state = 'due'
      """, in: scope)
  }

  private func noteFailure(
    _ code: String, _ update: Waiting, _ bot: Bot, in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    let left = Limits.relaySeconds - scope.now.timeIntervalSince(update.receivedAt)
    let pause = EventSender.backoff(update.attempts + 1, atMost: Limits.relayPauseSeconds)
    let wait = left > 0 ? min(max(1, left), pause) : nil
    try await platform.pool.execute(
      """
      update updates set relay_state = \(wait == nil ? "failed" : "due"),
        relay_at = \(wait.map { scope.now.addingTimeInterval($0) }),
        relay_attempts = relay_attempts + 1, relay_error = \(code),
        body = case when \(wait != nil)::boolean or state = 'pending' then body end
      where workspace_id = \(scope.workspaceID) and bot_id = \(bot.id)
        and update_id = \(update.updateID) and relay_state = 'due'
      """, in: scope)
    platform.logger.log(
      level: wait == nil ? .warning : .debug, "an update was not taken",
      metadata: [
        "bot": "\(bot.id)", "update": "\(update.updateID)", "error": "\(code)",
        "isOver": "\(wait == nil)",
      ])
    return wait.map { .again(seconds: $0) } ?? .next
  }

  /// The bot is not relayed to any more: what waits for its handler has nobody to go to.
  private func drop(_ botID: Int64, in scope: WorkspaceScope) async throws {
    try await platform.pool.execute(
      """
      update updates set relay_state = 'failed', relay_at = null, relay_error = 'no_handler',
        body = case when state = 'pending' then body end
      where workspace_id = \(scope.workspaceID) and bot_id = \(botID) and relay_state = 'due'
      """, in: scope)
  }

  /// Carries out what the handler answered with. The update counts as delivered already, so that a
  /// message is sent once or not at all; a webhook's own reply promises no more.
  private func carryOut(_ reply: TargetClient.Reply, for bot: Bot) async {
    guard let call = HandlerCall(reply) else { return }
    guard call.isAllowed else {
      platform.logger.notice(
        "a handler's answer names a method that is not carried out",
        metadata: ["bot": "\(bot.id)", "method": "\(call.method.prefix(64))"])
      return
    }
    do {
      var client = try platform.telegram(for: bot)
      client.options.timeout = .seconds(Limits.relayMethodSeconds)
      client.options.retryAfterBudget = .seconds(3)
      _ = try await client.call(call.method, json: call.parameters)
    } catch {
      platform.logger.warning(
        "a handler's answer was not carried out",
        metadata: [
          "bot": "\(bot.id)", "method": "\(call.method)", "error": "\(error.withoutValues)",
        ])
    }
  }
}

extension UpdateRelay {
  /// What became of a pre-checkout that is the handler's own business.
  public enum PreCheckoutReply: Sendable, Equatable {
    /// The handler's answer, to be passed on as it is.
    case answer(ok: Bool, errorMessage: String?)
    /// The handler has it and answers by itself, or nobody can know whether it did.
    case leftToHandler
    /// The handler did not take it. Telegram is asked to deliver it again.
    case notTaken
    /// The handler cannot have heard of it, so that somebody else must answer.
    case unheard
  }

  /// Hands a pre-checkout on while Telegram waits. It is not stored: too late is never.
  public func preCheckout(
    _ body: String, queryID: String, for bot: Bot
  ) async -> PreCheckoutReply {
    let traffic = platform.targets.traffic
    guard let handler = try? Handler(bot, platform.secrets),
      traffic.enter(handler.url, .preCheckout)
    else { return .notTaken }
    defer { traffic.leave(handler.url, .preCheckout) }
    do {
      let reply = try await platform.targets.post(
        Array(body.utf8), to: handler.url, headers: handler.headers,
        within: Limits.relayPreCheckoutSeconds, atMost: Limits.relayReplyBytes)
      guard reply.isSuccess else { return .notTaken }
      guard reply.isWhole, let call = HandlerCall(reply),
        let answer = call.preCheckoutAnswer, answer.queryID == queryID
      else { return .leftToHandler }
      return .answer(ok: answer.ok, errorMessage: answer.errorMessage)
    } catch TargetClient.Failure.noAnswer {
      return .leftToHandler
    } catch { return error is CancellationError ? .leftToHandler : .unheard }
  }
}

extension Transaction {
  /// What waits for a bot's handler is tried at once, since the handler has moved.
  func hurryRelay(botID: Int64, in scope: WorkspaceScope) async throws {
    try await execute(
      """
      update updates set relay_at = \(scope.now)
      where workspace_id = \(scope.workspaceID) and bot_id = \(botID) and relay_state = 'due'
        and relay_at > \(scope.now)
      """)
    try await Job.hurry(.updatesRelay, botID: botID, in: scope, self)
  }
}
