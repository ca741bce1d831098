import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOFoundationCompat
import NIOPosix
import Telegram

/// Delivers updates to webhooks by Telegram's rules: within a queue one after the other, queues
/// side by side on at most `max_connections`, failures again and again until the update expires.
actor WebhookDelivery {
  private let book: SandboxBook
  private let api: BotAPI
  private let pace: SandboxConfiguration.Pace
  private let httpClient: HTTPClient
  private let logger: Logger
  private var lanes: [Int64: [String: Lane]] = [:]
  /// When the one timer of a bot wakes it for its next retry.
  private var timers: [Int64: ContinuousClock.Instant] = [:]

  /// Where a queue of a bot stands.
  private struct Lane {
    var updateID: Int64
    var failures = 0
    var isBusy = false
    var notBefore: ContinuousClock.Instant?
  }

  init(
    book: SandboxBook, api: BotAPI, pace: SandboxConfiguration.Pace, httpClient: HTTPClient,
    logger: Logger
  ) {
    self.book = book
    self.api = api
    self.pace = pace
    self.httpClient = httpClient
    self.logger = logger
  }

  /// Follows the book's wakes until the task is cancelled.
  func run() async {
    await withDiscardingTaskGroup { group in
      for botID in await book.botsWithWebhook { await book.wakeDelivery(botID) }
      for await botID in book.wakes {
        for head in await due(botID) {
          group.addTask { await self.deliver(head, botID: botID) }
        }
        if let instant = setTimer(botID) {
          group.addTask {
            try? await Task.sleep(until: instant, clock: .continuous)
            await self.endTimer(botID, instant)
          }
        }
      }
      group.cancelAll()
    }
  }

  /// Takes the heads that may go now; their lanes are busy from here on.
  private func due(_ botID: Int64) async -> [PendingUpdate] {
    guard let webhook = await book.webhook(of: botID) else {
      lanes[botID] = nil
      return []
    }
    let heads: [PendingUpdate]
    do {
      heads = try await book.queueHeads(of: botID)
    } catch {
      logger.error("The books cannot be read", metadata: ["error": "\(error)"])
      return []
    }
    var known = lanes[botID] ?? [:]
    var busy = known.values.filter(\.isBusy).count
    var chosen: [PendingUpdate] = []
    for head in heads {
      var lane = known[head.queue] ?? Lane(updateID: head.update.updateID)
      if !lane.isBusy, lane.updateID != head.update.updateID {
        lane = Lane(updateID: head.update.updateID)
      }
      let isDue = lane.notBefore.map { $0 <= .now } ?? true
      if !lane.isBusy, isDue, busy < webhook.maxConnections {
        lane.isBusy = true
        lane.notBefore = nil
        busy += 1
        chosen.append(head)
      }
      known[head.queue] = lane
    }
    let queues = Set(heads.map(\.queue))
    lanes[botID] = known.filter { queues.contains($0.key) || $0.value.isBusy }
    return chosen
  }

  /// The instant of the next retry, unless a timer runs that is as early.
  private func setTimer(_ botID: Int64) -> ContinuousClock.Instant? {
    let waiting = lanes[botID]?.values.filter { !$0.isBusy }.compactMap(\.notBefore) ?? []
    guard let next = waiting.min() else { return nil }
    if let timer = timers[botID], timer <= next { return nil }
    timers[botID] = next
    return next
  }

  private func endTimer(_ botID: Int64, _ instant: ContinuousClock.Instant) async {
    if timers[botID] == instant { timers[botID] = nil }
    await book.wakeDelivery(botID)
  }

  private func deliver(_ head: PendingUpdate, botID: Int64) async {
    if let delay = await book.takeDeliveryDelay(botID: botID) {
      try? await Task.sleep(for: .seconds(delay))
    }
    // The webhook may have changed, or be gone, since this update was chosen.
    guard let webhook = await book.webhook(of: botID) else {
      lanes[botID]?[head.queue]?.isBusy = false
      return
    }
    let attempt = (lanes[botID]?[head.queue]?.failures ?? 0) + 1
    var result = await send(head, to: webhook, botID: botID, attempt: attempt)
    if case .delivered = result {
      // Copies leave at the same time, as they do when Telegram loses an answer.
      await withDiscardingTaskGroup { group in
        for _ in 1..<max(head.copies, 1) {
          group.addTask {
            _ = await self.send(
              head, to: webhook, botID: botID, attempt: attempt, isDuplicate: true)
          }
        }
      }
      do {
        try await book.markDelivered([head.update.updateID], botID: botID)
      } catch {
        logger.error("The books cannot be written", metadata: ["error": "\(error)"])
        result = .failed(retryAfter: nil)
      }
    }
    settle(head, botID: botID, result: result)
    await book.wakeDelivery(botID)
  }

  private enum SendResult: Sendable {
    case delivered
    case failed(retryAfter: Duration?)
  }

  private func settle(_ head: PendingUpdate, botID: Int64, result: SendResult) {
    guard var lane = lanes[botID]?[head.queue], lane.updateID == head.update.updateID else {
      lanes[botID]?[head.queue]?.isBusy = false
      return
    }
    lane.isBusy = false
    if case .failed(let retryAfter) = result {
      lane.failures += 1
      lane.notBefore = .now + (retryAfter ?? pause(afterFailure: lane.failures))
    }
    lanes[botID]?[head.queue] = lane
  }

  /// At once, then 2, 4, 8, 16, 32 seconds, then a random minute or two.
  private func pause(afterFailure number: Int) -> Duration {
    guard number > 1 else { return .zero }
    let doubled = number > 7 ? Double.infinity : Double(1 << (number - 1))
    return .seconds(min(doubled, Double.random(in: 60...120)) * pace.retryFactor)
  }

  private func send(
    _ head: PendingUpdate, to webhook: Bot.Webhook, botID: Int64, attempt: Int,
    isDuplicate: Bool = false
  ) async -> SendResult {
    let start = ContinuousClock.now
    var status: Int?
    var failure: String?
    var retryAfter: Duration?
    do {
      let reply = try await post(head.update, to: webhook)
      status = Int(reply.status.code)
      if (200..<300).contains(reply.status.code) {
        let contentType = reply.headers.first(name: "content-type")
        let body = try await reply.body.collect(upTo: SandboxLimits.webhookReplyBytes)
        await carryOut(Array(buffer: body), contentType: contentType, botID: botID)
      } else {
        failure = "Wrong response from the webhook: \(reply.status.code)"
        retryAfter = reply.headers.first(name: "retry-after").flatMap(Int.init)
          .map { .seconds(min(max($0, 0), 3600)) * pace.retryFactor }
      }
    } catch {
      status = nil
      failure = WebhookDelivery.describe(error)
    }
    let elapsed = start.duration(to: .now) / .milliseconds(1)
    await book.log(
      Delivery(
        botID: botID, updateID: head.update.updateID, kind: head.update.kind?.rawValue ?? "",
        attempt: attempt, at: Int64(await book.now), status: status, error: failure,
        milliseconds: Int(elapsed), isDuplicate: isDuplicate))
    return failure == nil ? .delivered : .failed(retryAfter: retryAfter)
  }

  private func post(
    _ update: Update, to webhook: Bot.Webhook
  ) async throws -> HTTPClientResponse {
    // Checked again here, so that whatever the books hold, nothing else is dialled.
    let address = try LoopbackAddress(webhook: webhook.url)
    var request = HTTPClientRequest(url: address.text)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/json")
    if let secret = webhook.secretToken {
      request.headers.add(name: "X-Telegram-Bot-Api-Secret-Token", value: secret)
    }
    request.body = .bytes(ByteBuffer(data: try JSONEncoder().encode(update)))
    return try await httpClient.execute(
      request, deadline: .now() + TimeAmount(pace.webhookReply))
  }

  /// A reply may name a method; its result is not handed back.
  private func carryOut(_ body: [UInt8], contentType: String?, botID: Int64) async {
    guard !body.isEmpty,
      let parameters = try? Parameters(query: nil, contentType: contentType, body: body),
      let method = parameters.text("method")
    else { return }
    await api.carryOutFromWebhook(method, parameters, botID: botID)
  }

  private static func describe(_ error: any Error) -> String {
    switch error as? HTTPClientError {
    case .deadlineExceeded?, .readTimeout?: "Read timeout expired"
    case .remoteConnectionClosed?: "Connection closed"
    case .connectTimeout?, .getConnectionFromPoolTimeout?: "Connection timed out"
    default: error is NIOConnectionError ? "Connection refused" : "Connection failed"
    }
  }
}
