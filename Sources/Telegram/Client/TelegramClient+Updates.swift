import Foundation

/// An update together with the bytes of its JSON, for handing on what this module does not read.
/// Key order and spacing may differ from what Telegram sent.
public struct RawUpdate: Sendable {
  public let update: Update
  public let json: Data
}

extension TelegramClient {
  /// Asks for updates; `offset` confirms all earlier ones. Another call at the same time, or a
  /// webhook, makes Telegram answer 409.
  ///
  /// - Parameters:
  ///   - offset: id of the last update seen plus one, or nil.
  ///   - timeoutSeconds: how long Telegram may wait for something to say; it caps it at 50.
  ///   - allowedUpdates: nil keeps the previous list.
  /// - Throws: `TelegramError`, as every call here.
  public func getUpdates(
    offset: Int64? = nil, limit: Int = 100, timeoutSeconds: Int = 0,
    allowedUpdates: [UpdateKind]? = nil
  ) async throws -> [Update] {
    try await call(
      "getUpdates",
      PollParameters(
        offset: offset, limit: limit, timeout: timeoutSeconds, allowedUpdates: allowedUpdates),
      timeout: options.timeout + .seconds(timeoutSeconds))
  }

  /// As `getUpdates`, each with its JSON.
  public func getRawUpdates(
    offset: Int64? = nil, limit: Int = 100, timeoutSeconds: Int = 0,
    allowedUpdates: [UpdateKind]? = nil
  ) async throws -> [RawUpdate] {
    let updates: [AnyJSON] = try await call(
      "getUpdates",
      PollParameters(
        offset: offset, limit: limit, timeout: timeoutSeconds, allowedUpdates: allowedUpdates),
      timeout: options.timeout + .seconds(timeoutSeconds))
    return try updates.map { value in
      let json = try JSONEncoder().encode(value)
      return RawUpdate(update: try JSONDecoder().decode(Update.self, from: json), json: json)
    }
  }

  /// Makes Telegram call `url` for every update.
  ///
  /// - Parameters:
  ///   - secretToken: 1–256 characters of `A-Za-z0-9_-`, sent along as the header
  ///     `X-Telegram-Bot-Api-Secret-Token`.
  ///   - allowedUpdates: always explicit, since Telegram would keep the previous list.
  ///   - maxConnections: 1–100.
  ///   - dropPendingUpdates: throws away what waits, unseen payments included.
  public func setWebhook(
    url: String, secretToken: String?, allowedUpdates: [UpdateKind], maxConnections: Int = 40,
    dropPendingUpdates: Bool = false
  ) async throws {
    let _: Bool = try await call(
      "setWebhook",
      WebhookParameters(
        url: url, secretToken: secretToken, allowedUpdates: allowedUpdates,
        maxConnections: maxConnections, dropPendingUpdates: dropPendingUpdates))
  }

  public func deleteWebhook(dropPendingUpdates: Bool = false) async throws {
    let _: Bool = try await call(
      "deleteWebhook", WebhookParameters(dropPendingUpdates: dropPendingUpdates))
  }

  public func getWebhookInfo() async throws -> WebhookInfo { try await call("getWebhookInfo") }
}

private struct PollParameters: Encodable, Sendable {
  let offset: Int64?
  let limit: Int
  let timeout: Int
  let allowedUpdates: [UpdateKind]?

  enum CodingKeys: String, CodingKey {
    case offset, limit, timeout
    case allowedUpdates = "allowed_updates"
  }
}

private struct WebhookParameters: Encodable, Sendable {
  var url: String?
  var secretToken: String?
  var allowedUpdates: [UpdateKind]?
  var maxConnections: Int?
  var dropPendingUpdates: Bool

  enum CodingKeys: String, CodingKey {
    case url
    case secretToken = "secret_token"
    case allowedUpdates = "allowed_updates"
    case maxConnections = "max_connections"
    case dropPendingUpdates = "drop_pending_updates"
  }
}
