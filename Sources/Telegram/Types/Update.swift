/// What Telegram tells a bot. At most one of the optional parts is set; a kind this module does
/// not read leaves them all nil and is named by `kind`.
public struct Update: Codable, Sendable, Hashable {
  /// Sequential per bot, but random anew after a week of silence: never compare by size.
  public var updateID: Int64
  public var message: Message?
  public var editedMessage: Message?
  public var callbackQuery: CallbackQuery?
  public var preCheckoutQuery: PreCheckoutQuery?
  public var purchasedPaidMedia: PaidMediaPurchased?
  public var subscription: BotSubscriptionUpdated?
  /// The name of the part that is present, even of an unknown one. Nil for an empty update.
  public private(set) var kind: UpdateKind?

  public init(updateID: Int64, message: Message) {
    self.updateID = updateID
    self.message = message
    kind = .message
  }

  public init(updateID: Int64, callbackQuery: CallbackQuery) {
    self.updateID = updateID
    self.callbackQuery = callbackQuery
    kind = .callbackQuery
  }

  public init(updateID: Int64, preCheckoutQuery: PreCheckoutQuery) {
    self.updateID = updateID
    self.preCheckoutQuery = preCheckoutQuery
    kind = .preCheckoutQuery
  }

  public init(updateID: Int64, purchasedPaidMedia: PaidMediaPurchased) {
    self.updateID = updateID
    self.purchasedPaidMedia = purchasedPaidMedia
    kind = .purchasedPaidMedia
  }

  public init(updateID: Int64, subscription: BotSubscriptionUpdated) {
    self.updateID = updateID
    self.subscription = subscription
    kind = .subscription
  }

  /// The person this update is about, if it names one. For a refund that is the payer, not the
  /// bot that appears as sender.
  public var user: User? {
    if let message {
      guard message.refundedPayment != nil else { return message.from }
      let chat = message.chat
      return User(
        id: chat.id, firstName: chat.firstName ?? "", lastName: chat.lastName,
        username: chat.username)
    }
    return editedMessage?.from ?? callbackQuery?.from ?? preCheckoutQuery?.from
      ?? purchasedPaidMedia?.from ?? subscription?.user
  }

  enum CodingKeys: String, CodingKey {
    case updateID = "update_id"
    case message
    case editedMessage = "edited_message"
    case callbackQuery = "callback_query"
    case preCheckoutQuery = "pre_checkout_query"
    case purchasedPaidMedia = "purchased_paid_media"
    case subscription
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    updateID = try container.decode(Int64.self, forKey: .updateID)
    message = try container.decodeIfPresent(Message.self, forKey: .message)
    editedMessage = try container.decodeIfPresent(Message.self, forKey: .editedMessage)
    callbackQuery = try container.decodeIfPresent(CallbackQuery.self, forKey: .callbackQuery)
    preCheckoutQuery = try container.decodeIfPresent(
      PreCheckoutQuery.self, forKey: .preCheckoutQuery)
    purchasedPaidMedia = try container.decodeIfPresent(
      PaidMediaPurchased.self, forKey: .purchasedPaidMedia)
    subscription = try container.decodeIfPresent(
      BotSubscriptionUpdated.self, forKey: .subscription)
    let names = try decoder.container(keyedBy: PartName.self).allKeys
    let name = names.map(\.stringValue).filter { $0 != "update_id" }.min()
    kind = name.map { UpdateKind(rawValue: $0) }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(updateID, forKey: .updateID)
    try container.encodeIfPresent(message, forKey: .message)
    try container.encodeIfPresent(editedMessage, forKey: .editedMessage)
    try container.encodeIfPresent(callbackQuery, forKey: .callbackQuery)
    try container.encodeIfPresent(preCheckoutQuery, forKey: .preCheckoutQuery)
    try container.encodeIfPresent(purchasedPaidMedia, forKey: .purchasedPaidMedia)
    try container.encodeIfPresent(subscription, forKey: .subscription)
  }

  private struct PartName: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}

/// The name of a kind of update, as it stands in `allowed_updates`.
public struct UpdateKind: RawRepresentable, Codable, Sendable, Hashable {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }
  public init(_ name: String) { rawValue = name }

  public static let message = UpdateKind("message")
  public static let editedMessage = UpdateKind("edited_message")
  public static let callbackQuery = UpdateKind("callback_query")
  public static let preCheckoutQuery = UpdateKind("pre_checkout_query")
  public static let purchasedPaidMedia = UpdateKind("purchased_paid_media")
  public static let subscription = UpdateKind("subscription")
  public static let myChatMember = UpdateKind("my_chat_member")
  public static let chatMember = UpdateKind("chat_member")
  public static let messageReaction = UpdateKind("message_reaction")
  public static let messageReactionCount = UpdateKind("message_reaction_count")

  /// Kinds that come only when they are asked for by name.
  public static let onlyOnRequest: Set<UpdateKind> = [
    .chatMember, .messageReaction, .messageReactionCount,
  ]

  /// All that a bot which sells for Stars needs. To be sent with every `setWebhook`: Telegram
  /// keeps the previous list when none is given.
  public static let payments: [UpdateKind] = [
    .message, .callbackQuery, .preCheckoutQuery, .purchasedPaidMedia, .subscription,
    .myChatMember,
  ]
}

/// The state of a bot's webhook.
public struct WebhookInfo: Codable, Sendable, Hashable {
  /// Empty when no webhook is set.
  public var url: String
  public var hasCustomCertificate: Bool
  public var pendingUpdateCount: Int
  public var ipAddress: String?
  /// Unix time.
  public var lastErrorDate: Int64?
  public var lastErrorMessage: String?
  public var lastSynchronizationErrorDate: Int64?
  public var maxConnections: Int?
  public var allowedUpdates: [UpdateKind]?

  public init(url: String, hasCustomCertificate: Bool, pendingUpdateCount: Int) {
    self.url = url
    self.hasCustomCertificate = hasCustomCertificate
    self.pendingUpdateCount = pendingUpdateCount
  }

  enum CodingKeys: String, CodingKey {
    case url
    case hasCustomCertificate = "has_custom_certificate"
    case pendingUpdateCount = "pending_update_count"
    case ipAddress = "ip_address"
    case lastErrorDate = "last_error_date"
    case lastErrorMessage = "last_error_message"
    case lastSynchronizationErrorDate = "last_synchronization_error_date"
    case maxConnections = "max_connections"
    case allowedUpdates = "allowed_updates"
  }
}
