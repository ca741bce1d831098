/// Bounds of this module: Telegram's own limits that callers meet, and ours on what we read.
public enum Limits {
  /// `invoice_payload`, in UTF-8 bytes.
  public static let payloadBytes = 1...128
  /// Invoice title, in characters.
  public static let titleLength = 1...32
  /// Invoice description, in characters.
  public static let descriptionLength = 1...255
  /// Text of a message, in UTF-16 code units.
  public static let textLength = 1...4096
  /// `callback_data` of a button, in UTF-8 bytes.
  public static let callbackDataBytes = 1...64
  /// The only period that `createInvoiceLink` accepts, in seconds: 30 days.
  public static let subscriptionPeriodSeconds = 2_592_000
  /// The only periods that it accepts in the test environment.
  public static let testSubscriptionPeriods = [60, 300]
  /// The highest price of a subscription, in Stars.
  public static let subscriptionStars = 10_000
  /// Telegram wants the answer to a pre-checkout query within this time.
  public static let preCheckoutSeconds = 10
  /// Page size of `getStarTransactions` and `getUpdates`.
  public static let pageSize = 1...100
  /// Telegram ends a long poll after this time whatever was asked for.
  public static let longPollSeconds = 50

  /// A reply of the Bot API longer than this is not read. 100 updates of full length fit.
  public static let responseBytes = 4 * 1024 * 1024
  /// Chats whose pace is remembered at once; a forgotten chat starts with a full bucket.
  public static let pacedChats = 10_000
  /// More movements of Stars than any bot has; a list that goes on is no list.
  static let starTransactions = 1 << 30
}
