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
  }

  /// What the deliverer needs to know of a bot; nil when no webhook is set.
  func webhook(of botID: Int64) -> Bot.Webhook? { state.bots[botID]?.webhook }

  func takeDeliveryDelay(botID: Int64) -> Double? { faults.takeDeliveryDelay(botID: botID) }
}
