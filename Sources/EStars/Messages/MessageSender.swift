import Foundation
import Ledger
import Logging
import Postgres
import Telegram

/// Sends what bots have to say, a job a message.
public struct MessageSender: Sendable {
  private let platform: Platform

  init(platform: Platform) { self.platform = platform }

  /// Sends a message that an operator asked for, so that the page that follows shows what came of
  /// it. Gives up waiting after ``Limits/messageAnswerSeconds``; a worker finishes what is left.
  public func sendNow(
    _ kind: OutgoingMessage.Kind, about subject: String, in scope: WorkspaceScope
  ) async {
    let work = Task { [platform] in
      guard
        let message = try await OutgoingMessage.find(kind, about: subject, in: scope, platform.pool)
      else { return }
      try await Worker(platform: platform).runNow(
        .messagesSend, subject: "\(message.botID):\(message.id)")
    }
    do {
      try await withDeadline(seconds: Limits.messageAnswerSeconds) { try await work.value }
    } catch is DeadlineExceeded {
      // The page says that it waits.
    } catch {
      platform.logger.warning(
        "a message waits for a worker", metadata: ["error": "\(error.withoutValues)"])
    }
  }

  /// - Parameter subject: Of the job: the bot and the message.
  func send(_ subject: String, attempts: Int, in scope: WorkspaceScope) async throws -> Job.Outcome
  {
    guard let id = subject.split(separator: ":").last.flatMap({ Int64($0) }),
      let message = try await OutgoingMessage.find(id: id, in: scope, platform.pool),
      message.state == .due
    else { return .done }
    guard let bot = try await platform.directory.bot(message.botID), bot.isConnected,
      try await message.isWanted(in: scope, platform.pool)
    else {
      if message.kind == .cartReminder {
        try await message.reminderWasDropped(in: scope, platform.pool)
      }
      return try await close(message, .dropped, nil, in: scope)
    }
    if message.kind == .cartReminder,
      try await platform.directory.workspace(scope.workspaceID)?.isSuspended == true
    {
      // It is sent when the business goes on, or dropped when the invoice has ended.
      return .again(seconds: Limits.suspendedReminderSeconds)
    }
    guard let chatID = try await chat(of: message, in: scope) else {
      return try await close(message, .failed, .code(.noChat), in: scope)
    }
    return try await call(message, with: bot, chatID, attempts: attempts, in: scope)
  }

  /// Counts the call as unanswered before it is made, so that a process that dies in it is counted,
  /// too: no message is said more than twice.
  private func call(
    _ message: OutgoingMessage, with bot: Bot, _ chatID: Int64, attempts: Int,
    in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    var client: TelegramClient
    do {
      client = try platform.telegram(for: bot)
    } catch is Secrets.Problem {
      return try await later(message, .code(.token), attempts: attempts, in: scope)
    }
    guard try await begin(message, in: scope) else {
      return try await close(message, .failed, .code(.noAnswer), in: scope)
    }
    client.options.timeout = .seconds(Limits.messageCallSeconds)
    do {
      let keyboard = message.button.map { InlineKeyboard(.link($0.title, $0.url)) }
      try await client.sendMessage(to: chatID, message.body, replyMarkup: keyboard)
      return try await close(message, .sent, nil, in: scope)
    } catch let error as TelegramError {
      let problem = MessageProblem(error)
      switch error {
      case .unknownOutcome:
        return try await later(message, problem, attempts: attempts, in: scope)
      case .api(_, _, let seconds?):
        try await wasAnswered(message, in: scope)
        try await hold(message.botID, seconds: Double(seconds), in: scope)
        return try await later(
          message, problem, after: Double(seconds), attempts: attempts, in: scope)
      case .notSent:
        try await wasAnswered(message, in: scope)
        return try await later(message, problem, attempts: attempts, in: scope)
      case .api where error.isUnauthorized:
        // The owner may put a new token in its place.
        try await wasAnswered(message, in: scope)
        return try await later(message, problem, attempts: attempts, in: scope)
      case .api:
        return try await close(
          message, error.isBlocked ? .blocked : .failed, problem, in: scope)
      }
    }
  }

  private func chat(of message: OutgoingMessage, in scope: WorkspaceScope) async throws -> Int64? {
    if let chatID = message.chatID { return chatID }
    guard let customerID = message.customerID else { return nil }
    let customer = try await Customer.find(id: customerID, in: scope, platform.pool)
    return customer?.chatID
  }

  /// - Returns: false when it was called twice without an answer.
  private func begin(_ message: OutgoingMessage, in scope: WorkspaceScope) async throws -> Bool {
    try await platform.pool.execute(
      """
      update outgoing_messages set attempts = attempts + 1, unanswered = unanswered + 1
      where workspace_id = \(scope.workspaceID) and message_id = \(message.id)
        and state = 'due' and unanswered < \(Limits.messageUnanswered)
      """, in: scope) == 1
  }

  /// Telegram has said that nothing was done.
  private func wasAnswered(_ message: OutgoingMessage, in scope: WorkspaceScope) async throws {
    try await platform.pool.execute(
      """
      update outgoing_messages set unanswered = unanswered - 1
      where workspace_id = \(scope.workspaceID) and message_id = \(message.id) and unanswered > 0
      """, in: scope)
  }

  /// What Telegram asks of one call it means for the bot: nothing else of it is sent before.
  private func hold(_ botID: Int64, seconds: Double, in scope: WorkspaceScope) async throws {
    try await platform.pool.execute(
      """
      update jobs set run_at = greatest(run_at, \(Date().addingTimeInterval(seconds)))
      where workspace_id = \(scope.workspaceID) and kind = \(Job.Kind.messagesSend.rawValue)
        and finished_at is null and split_part(subject, ':', 1) = \(String(botID))
      """)
  }

  /// - Parameter seconds: nil = a pause that grows.
  private func later(
    _ message: OutgoingMessage, _ problem: MessageProblem, after seconds: Double? = nil,
    attempts: Int, in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    guard scope.now.timeIntervalSince(message.createdAt) < Limits.messageSeconds else {
      return try await close(message, .failed, problem, in: scope)
    }
    try await platform.pool.execute(
      """
      update outgoing_messages set last_error = \(problem.text)
      where workspace_id = \(scope.workspaceID) and message_id = \(message.id) and state = 'due'
      """, in: scope)
    if let seconds { return .again(seconds: seconds) }
    return .again(after: attempts, longest: Limits.messagePauseSeconds)
  }

  private func close(
    _ message: OutgoingMessage, _ state: OutgoingMessage.State, _ problem: MessageProblem?,
    in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    try await platform.pool.execute(
      """
      update outgoing_messages set state = \(state.rawValue), closed_at = \(scope.now),
        last_error = \(problem?.text)
      where workspace_id = \(scope.workspaceID) and message_id = \(message.id) and state = 'due'
      """, in: scope)
    return .done
  }
}

/// Why a message did not arrive: a code of ours, or Telegram's own words.
public enum MessageProblem: Sendable, Equatable {
  public enum Code: String, Sendable, CaseIterable {
    case noAnswer = "no_answer", notReached = "not_reached", token, noChat = "no_chat"
  }

  case code(Code)
  case telegram(String)

  /// As it is stored.
  public var text: String {
    switch self {
    case .code(let code): code.rawValue
    case .telegram(let words): String(words.prefix(500))
    }
  }

  public init(stored text: String) {
    self = Code(rawValue: text).map(MessageProblem.code) ?? .telegram(text)
  }

  init(_ error: TelegramError) {
    switch error {
    case .api(_, let description, _): self = .telegram(description)
    case .unknownOutcome: self = .code(.noAnswer)
    case .notSent: self = .code(.notReached)
    }
  }
}

extension TelegramError {
  /// There is nobody to hear it: blocked, deleted, never begun, or thrown out of the group.
  var isBlocked: Bool {
    guard case .api(let code, let description, _) = self else { return false }
    return code == 403 || code == 400 && description.hasSuffix("chat not found")
  }
}

extension OutgoingMessage {
  /// Whether there is still a use in saying it: what it says may have been overtaken.
  func isWanted(in scope: WorkspaceScope, _ pool: Pool) async throws -> Bool {
    if kind == .cartReminder { return try await isReminderWanted(in: scope, pool) }
    guard kind == .receipt else { return true }
    // Of Stars that went back meanwhile the buyer hears by the refund.
    return try await pool.query(
      """
      select from payments where workspace_id = \(scope.workspaceID)
        and payment_id = \(Int64(subject)) and state = 'credited'
      """, in: scope
    ).count == 1
  }
}
