/// One attempt to hand an update to a webhook, for the console.
public struct Delivery: Codable, Sendable, Hashable {
  public let botID: Int64
  public let updateID: Int64
  public let kind: String
  /// 1 for the first attempt.
  public let attempt: Int
  /// Sandbox time, Unix seconds.
  public let at: Int64
  /// The HTTP status, or nil when there was no reply.
  public let status: Int?
  /// What went wrong; nil for success.
  public let error: String?
  public let milliseconds: Int
  public let isDuplicate: Bool

  enum CodingKeys: String, CodingKey {
    case kind, attempt, at, status, error, milliseconds
    case botID = "bot_id"
    case updateID = "update_id"
    case isDuplicate = "is_duplicate"
  }
}

extension SandboxBook {
  /// The latest deliveries, newest first.
  public func deliveries(botID: Int64? = nil) -> [Delivery] {
    deliveryLog.reversed().filter { botID == nil || $0.botID == botID }
  }

  func log(_ delivery: Delivery) {
    deliveryLog.append(delivery)
    if deliveryLog.count > SandboxLimits.deliveryLog { deliveryLog.removeFirst() }
    if let error = delivery.error {
      webhookErrors[delivery.botID] = (delivery.at, error)
      failingWebhooks.insert(delivery.botID)
    } else {
      failingWebhooks.remove(delivery.botID)
    }
    followGone(delivery)
  }

  /// A webhook that says 410 for 23 hours on end is removed, as at Telegram.
  private func followGone(_ delivery: Delivery) {
    guard delivery.status == 410 else {
      goneSince[delivery.botID] = nil
      return
    }
    let since = goneSince[delivery.botID] ?? delivery.at
    goneSince[delivery.botID] = since
    guard delivery.at - since >= SandboxLimits.goneWebhookSeconds,
      var bot = state.bots[delivery.botID]
    else { return }
    bot.webhook = nil
    goneSince[delivery.botID] = nil
    do {
      try write { put(.bot(bot)) }
    } catch {
      logger.error("The books cannot be written", metadata: ["error": "\(error)"])
    }
  }

  /// What the deliverer needs to know of a bot; nil when no webhook is set.
  func webhook(of botID: Int64) -> Bot.Webhook? { state.bots[botID]?.webhook }

  func takeDeliveryDelay(botID: Int64) -> Double? { faults.takeDeliveryDelay(botID: botID) }
}
