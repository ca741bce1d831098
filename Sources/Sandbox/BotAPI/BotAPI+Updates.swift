import Foundation
import Telegram

extension BotAPI {
  func getUpdates(_ bot: Bot, _ parameters: Parameters) async throws -> Outcome {
    let range = Telegram.Limits.pageSize
    let limit = parameters.integer("limit") ?? 100
    let timeout = parameters.integer("timeout") ?? 0
    let updates = try await book.poll(
      botID: bot.id, offset: parameters.integer("offset") ?? 0,
      limit: Int(min(max(limit, Int64(range.lowerBound)), Int64(range.upperBound))),
      timeout: .seconds(min(max(timeout, 0), Int64(Telegram.Limits.longPollSeconds))),
      allowedUpdates: try allowedUpdates(parameters))
    return try Outcome(updates)
  }

  func setWebhook(_ bot: Bot, _ parameters: Parameters) async throws -> Outcome {
    guard let url = parameters.text("url") else {
      return try await deleteWebhook(bot, parameters)
    }
    let secret = parameters.text("secret_token")
    if let secret {
      guard SandboxLimits.secretTokenLength.contains(secret.utf8.count) else {
        throw BotAPIError.bad("secret token is too long")
      }
      guard secret.utf8.allSatisfy(BotAPI.isSecretByte) else {
        throw BotAPIError.bad("secret token contains unallowed characters")
      }
    }
    let address = try LoopbackAddress(webhook: url)
    let connections = parameters.integer("max_connections") ?? 40
    let range = SandboxLimits.webhookConnections
    let webhook = Bot.Webhook(
      url: address.text, secretToken: secret,
      maxConnections: Int(min(max(connections, Int64(range.lowerBound)), Int64(range.upperBound))),
      hasCertificate: parameters.fileNames.contains("certificate"))
    let isNew = try await book.setWebhook(
      webhook, botID: bot.id, allowedUpdates: try allowedUpdates(parameters),
      dropPending: parameters.flag("drop_pending_updates"))
    return try Outcome(true, note: isNew ? "Webhook was set" : "Webhook is already set")
  }

  func deleteWebhook(_ bot: Bot, _ parameters: Parameters) async throws -> Outcome {
    let isGone = try await book.setWebhook(
      nil, botID: bot.id, allowedUpdates: nil,
      dropPending: parameters.flag("drop_pending_updates"))
    return try Outcome(true, note: isGone ? "Webhook was deleted" : "Webhook is already deleted")
  }

  func getWebhookInfo(_ bot: Bot, _ parameters: Parameters) async throws -> Outcome {
    try Outcome(try await book.webhookInfo(of: bot.id))
  }

  /// Nil keeps the previous list; an empty list stands for the default. Names Telegram does not
  /// know are passed over.
  private func allowedUpdates(_ parameters: Parameters) throws -> [UpdateKind]? {
    guard let names = parameters.text("allowed_updates") else { return nil }
    guard
      let kinds = try? JSONDecoder().decode([UpdateKind].self, from: Data(names.utf8))
    else { throw BotAPIError.bad("can't parse allowed_updates JSON object") }
    return kinds
  }

  private static func isSecretByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122, UInt8(ascii: "_"), UInt8(ascii: "-"): true
    default: false
    }
  }
}

extension SandboxBook {
  /// Sets (or, with nil, deletes) the webhook.
  ///
  /// - Returns: whether that changed anything.
  /// - Throws: `BotAPIError` 429 for a change within a second of the last one.
  func setWebhook(
    _ webhook: Bot.Webhook?, botID: Int64, allowedUpdates: [UpdateKind]?, dropPending: Bool
  ) throws -> Bool {
    var bot = try bot(botID)
    let changed = bot.webhook != webhook
    if changed, webhook != nil, let last = webhookSetAt[botID],
      last.duration(to: .now) < .seconds(1) * pace.retryFactor
    {
      throw BotAPIError.tooManyRequests(retryAfter: 1)
    }
    bot.webhook = webhook
    if let allowedUpdates { bot.allowedUpdates = allowedUpdates }
    try write {
      put(.bot(bot))
      if dropPending {
        let waiting = (state.pending[botID] ?? []).map(\.update.updateID)
        put(.delivered(botID: botID, updateIDs: waiting))
      }
    }
    if changed {
      webhookErrors[botID] = nil
      failingWebhooks.remove(botID)
      if webhook != nil { webhookSetAt[botID] = .now }
    }
    if webhook != nil { endPoll(botID, .webhook) }
    wakeDelivery(botID)
    return changed
  }

  func webhookInfo(of botID: Int64) throws -> WebhookInfo {
    let bot = try bot(botID)
    var info = WebhookInfo(
      url: bot.webhook?.url ?? "", hasCustomCertificate: bot.webhook?.hasCertificate ?? false,
      pendingUpdateCount: try pendingCount(of: botID))
    info.allowedUpdates = bot.allowedUpdates.flatMap { $0.isEmpty ? nil : $0 }
    guard let webhook = bot.webhook else { return info }
    info.ipAddress = "127.0.0.1"
    info.maxConnections = webhook.maxConnections
    info.lastErrorDate = webhookErrors[botID]?.date
    info.lastErrorMessage = webhookErrors[botID]?.message
    return info
  }
}
