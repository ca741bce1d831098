/// Bounds of the sandbox. Telegram's own are in `Telegram.Limits`.
enum SandboxLimits {
  /// A request body beyond this is refused with 413.
  static let requestBytes = 1024 * 1024
  /// Arrays and objects within one another in a JSON body.
  static let jsonDepth = 64
  /// Parameters of one call.
  static let parameterCount = 100
  /// The reply body of a webhook that is still read for a method to carry out.
  static let webhookReplyBytes = 1024 * 1024
  /// Updates that may wait for one bot; more are lost, as at Telegram.
  static let pendingUpdates = 100_000
  /// Messages kept in each chat.
  static let messagesPerChat = 500
  /// Messages a page shows.
  static let messagesPerPage = 60
  /// People the front page shows; others are found by name.
  static let peoplePerPage = 50
  /// Deliveries remembered for the console, over all bots.
  static let deliveryLog = 500
  /// The journal is folded into a snapshot beyond this size.
  static let journalBytes = 8 * 1024 * 1024
  /// One step of the clock: ten years.
  static let clockStepSeconds = 315_360_000.0
  /// A webhook that answers 410 for this long is removed: 23 hours.
  static let goneWebhookSeconds: Int64 = 82_800
  /// How long a step of the clock waits for updates on their way.
  static let clockSettleTime = Duration.seconds(3)
  /// Bots and people a sandbox knows.
  static let bots = 200
  static let people = 100_000
  /// Past payments in one call of the loader.
  static let pastPayments = 20_000
  /// The highest price of a one-off invoice that Telegram was seen to take.
  static let invoiceStars: Int64 = 100_000
  /// Stars a person may own.
  static let personStars: Int64 = 1_000_000_000
  static let commands = 100
  static let keyboardButtons = 100
  static let callbackAnswerLength = 200
  static let webhookConnections = 1...100
  static let secretTokenLength = 1...256
}
