import Telegram

/// A bot and its account at the sandbox.
struct Bot: Codable, Sendable {
  let id: Int64
  var token: String
  var name: String
  var username: String
  var webhook: Webhook?
  /// Nil means Telegram's default: all but the kinds that come only on request.
  var allowedUpdates: [UpdateKind]?
  /// By scope and language; see `commandKey`.
  var commands: [String: [BotCommand]] = [:]
  var stars: Int64 = 0
  var lastUpdateID: Int64?
  /// Sandbox time of the last update, in Unix seconds.
  var lastUpdateAt: Double = 0
  var lastMessageID: Int64 = 0

  struct Webhook: Codable, Sendable, Equatable {
    var url: String
    var secretToken: String?
    var maxConnections: Int
    var hasCertificate: Bool
  }

  var user: User { User(id: id, isBot: true, firstName: name, username: username) }

  func receives(_ kind: UpdateKind) -> Bool {
    guard let allowedUpdates, !allowedUpdates.isEmpty else {
      return !UpdateKind.onlyOnRequest.contains(kind)
    }
    return allowedUpdates.contains(kind)
  }
}

/// Somebody with a phone.
struct Person: Codable, Sendable {
  let id: Int64
  var firstName: String
  var lastName: String?
  var username: String?
  var languageCode: String?
  var stars: Int64

  var user: User {
    User(
      id: id, firstName: firstName, lastName: lastName, username: username,
      languageCode: languageCode)
  }

  var chat: Telegram.Chat {
    Telegram.Chat(id: id, username: username, firstName: firstName, lastName: lastName)
  }

}

struct ChatKey: Hashable, Codable, Sendable {
  let personID: Int64
  let botID: Int64
}

/// The private chat of a person with a bot.
struct BotChat: Codable, Sendable {
  let key: ChatKey
  var isBlocked = false
  var messages: [StoredMessage] = []
}

struct StoredMessage: Codable, Sendable {
  var message: Message
  /// The invoice this message shows.
  var invoiceSlug: String?
}

/// Something that can be paid: shown in a message, or reached by its link.
struct StarInvoice: Codable, Sendable {
  let slug: String
  let botID: Int64
  let title: String
  let description: String
  let payload: String
  let label: String
  let stars: Int64
  let subscriptionPeriodSeconds: Int?
  let startParameter: String
  /// Set when the payment of the invoice's own message went through.
  var paidChargeID: String?
  /// True for an invoice in a message, which shows a receipt once it is paid.
  let isMessage: Bool

  var link: String { "https://t.me/$\(slug)" }
}

/// A payment the bot was asked about and has not answered.
struct Checkout: Codable, Sendable {
  let id: String
  let botID: Int64
  let personID: Int64
  let slug: String
  /// Sandbox time, in Unix seconds.
  let askedAt: Double
}

struct Charge: Codable, Sendable {
  let id: String
  let botID: Int64
  let personID: Int64
  let stars: Int64
  let payload: String
  let title: String
  let date: Int64
  let subscriptionID: String?
  var refundedAt: Int64?
}

/// A subscription, named by the charge id of its first payment.
struct Subscription: Codable, Sendable {
  enum Status: String, Codable, Sendable { case active, canceled, failed }

  let id: String
  let botID: Int64
  let personID: Int64
  let title: String
  let payload: String
  let stars: Int64
  let periodSeconds: Int
  var expiresAt: Int64
  var status: Status
  /// The bot stopped it: the person may not switch it on again.
  var isStoppedByBot = false
}

/// A press on a button the bot has not answered, or its answer.
struct Press: Codable, Sendable {
  let id: String
  let key: ChatKey
  let at: Double
  var isAnswered = false
  var text: String?
  var isAlert = false
}

/// An update that waits for its bot.
struct PendingUpdate: Codable, Sendable {
  let update: Update
  /// Updates of one queue are delivered strictly one after the other.
  let queue: String
  /// Sandbox time, in Unix seconds.
  let expiresAt: Double
  /// How often it is delivered; more than once when a duplicate was asked for.
  var copies = 1
}

/// All the sandbox knows that must outlive it.
struct BookState: Codable, Sendable {
  var bots: [Int64: Bot] = [:]
  var people: [Int64: Person] = [:]
  var chats: [ChatKey: BotChat] = [:]
  var invoices: [String: StarInvoice] = [:]
  var checkouts: [String: Checkout] = [:]
  var charges: [String: Charge] = [:]
  var subscriptions: [String: Subscription] = [:]
  var presses: [String: Press] = [:]
  var transactions: [Int64: [StarTransaction]] = [:]
  var pending: [Int64: [PendingUpdate]] = [:]
  var clockOffset: Double = 0
}
