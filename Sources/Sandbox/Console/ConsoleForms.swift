import Telegram

struct BotForm: Codable, Sendable {
  let token: String
  let name: String
  let username: String
}

struct PersonForm: Decodable, Sendable {
  let card: PersonCard

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: PersonCard.CodingKeys.self)
    card = PersonCard(
      id: try container.decode(Int64.self, forKey: .id),
      firstName: try container.decode(String.self, forKey: .firstName),
      lastName: try container.decodeIfPresent(String.self, forKey: .lastName),
      username: try container.decodeIfPresent(String.self, forKey: .username),
      languageCode: try container.decodeIfPresent(String.self, forKey: .languageCode),
      stars: try container.decodeIfPresent(Int64.self, forKey: .stars) ?? 1000)
  }
}

struct StarsForm: Codable, Sendable { let stars: Int64 }

struct ChatForm: Codable, Sendable {
  let isBlocked: Bool?
  enum CodingKeys: String, CodingKey { case isBlocked = "is_blocked" }
}

struct TextForm: Codable, Sendable { let text: String }

struct MessageNumber: Codable, Sendable {
  let messageID: Int64
  enum CodingKeys: String, CodingKey { case messageID = "message_id" }
}

/// Names a button by place, by its data or by its text.
struct PressForm: Codable, Sendable {
  let messageID: Int64
  let row: Int?
  let column: Int?
  let data: String?
  let text: String?
  /// How long to wait for what the bot says.
  let waitSeconds: Double?

  enum CodingKeys: String, CodingKey {
    case row, column, data, text
    case messageID = "message_id"
    case waitSeconds = "wait_seconds"
  }
}

struct PressReply: Codable, Sendable {
  let pressID: String
  let isAnswered: Bool
  let text: String?
  let isAlert: Bool

  enum CodingKeys: String, CodingKey {
    case text
    case pressID = "press_id"
    case isAnswered = "is_answered"
    case isAlert = "is_alert"
  }
}

struct PaymentForm: Codable, Sendable {
  let invoice: String?
  let botID: Int64?
  let messageID: Int64?

  enum CodingKeys: String, CodingKey {
    case invoice
    case botID = "bot_id"
    case messageID = "message_id"
  }
}

struct PaymentReply: Codable, Sendable {
  /// `paid`, `refused`, `no_answer` or `balance_too_low`.
  let outcome: String
  var chargeID: String?
  var message: String?

  init(_ outcome: PaymentOutcome) {
    switch outcome {
    case .paid(let chargeID):
      self.outcome = "paid"
      self.chargeID = chargeID
    case .refused(let message):
      self.outcome = "refused"
      self.message = message
    case .noAnswer: self.outcome = "no_answer"
    case .balanceTooLow: self.outcome = "balance_too_low"
    }
  }

  enum CodingKeys: String, CodingKey {
    case outcome, message
    case chargeID = "charge_id"
  }
}

struct RefundForm: Codable, Sendable {
  enum Origin: String, Codable, Sendable {
    case telegram, silent, chargeback

    var book: SandboxBook.RefundOrigin {
      switch self {
      case .telegram: .telegram
      case .silent: .silent
      case .chargeback: .chargeback
      }
    }
  }

  let origin: Origin?
}

struct MovementForm: Codable, Sendable {
  let direction: StarTransaction.Direction
  let partner: String
  let stars: Int64
}

struct TransactionID: Codable, Sendable { let id: String }

struct ComplaintForm: Codable, Sendable { let reason: String? }

struct ClockForm: Codable, Sendable { let seconds: Double }

struct ClockReading: Codable, Sendable {
  let now: Double
  let offsetSeconds: Double

  enum CodingKeys: String, CodingKey {
    case now
    case offsetSeconds = "offset_seconds"
  }
}

struct FaultForm: Codable, Sendable {
  enum Kind: String, Codable, Sendable {
    case duplicate
    case loseUpdate = "lose_update"
    case delayDelivery = "delay_delivery"
    case dropConnection = "drop_connection"
    case delay
    case stall
    case tooManyRequests = "too_many_requests"
    case internalError = "internal_error"
  }

  let kind: Kind
  let botID: Int64?
  /// For method faults; any method when absent.
  let method: String?
  /// For duplicates and losses: the kind of update, any when absent; a loss may name
  /// `successful_payment` or `refunded_payment`, too.
  let update: String?
  let copies: Int?
  let times: Int?
  let seconds: Double?

  enum CodingKeys: String, CodingKey {
    case kind, method, update, copies, times, seconds
    case botID = "bot_id"
  }
}
