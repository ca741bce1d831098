import Foundation
import Telegram

/// A call of the Bot API that a handler asks for in its reply to an update: a JSON object with
/// `method`, or a form of the same, as some frameworks write it.
struct HandlerCall: Sendable {
  let method: String
  /// A JSON object.
  let parameters: Data

  init?(_ reply: TargetClient.Reply) {
    let fields: [String: AnyJSON]
    if let boundary = Self.boundary(reply.contentType) {
      guard let form = Self.form(reply.body, boundary) else { return nil }
      fields = form.mapValues { .string($0) }
    } else {
      guard
        let object = try? JSONDecoder().decode([String: AnyJSON].self, from: Data(reply.body))
      else { return nil }
      fields = object
    }
    guard case .string(let method)? = fields["method"], method.utf8.count <= 64,
      !method.isEmpty, method.utf8.allSatisfy(Self.isLetter),
      let parameters = try? JSONEncoder().encode(
        fields.filter { $0.key != "method" && !Self.paid.contains($0.key.lowercased()) })
    else { return nil }
    self.method = method
    self.parameters = parameters
  }

  /// Only what is said or done in a chat. A webhook has no use for what it cannot read the result of,
  /// must not move the webhook itself, asks for no Stars and gives none away, and has one answerer of
  /// pre-checkouts.
  var isAllowed: Bool { Self.allowed.contains(method.lowercased()) }

  private static let allowed: Set<String> = [
    "sendmessage", "sendphoto", "sendaudio", "senddocument", "sendvideo", "sendanimation",
    "sendvoice", "sendvideonote", "sendsticker", "sendmediagroup", "sendlocation", "sendvenue",
    "sendcontact", "sendpoll", "senddice", "sendchataction",
    "forwardmessage", "forwardmessages", "copymessage", "copymessages", "setmessagereaction",
    "editmessagetext", "editmessagecaption", "editmessagemedia", "editmessagereplymarkup",
    "editmessagelivelocation", "stopmessagelivelocation", "stoppoll", "deletemessage",
    "deletemessages", "pinchatmessage", "unpinchatmessage", "unpinallchatmessages",
    "answercallbackquery", "answerinlinequery",
    "approvechatjoinrequest", "declinechatjoinrequest", "banchatmember", "unbanchatmember",
    "restrictchatmember", "leavechat",
  ]

  /// Those that cost the bot's own Stars.
  private static let paid: Set<String> = ["allow_paid_broadcast"]

  struct PreCheckoutAnswer: Decodable {
    let queryID: String
    let ok: Bool
    let errorMessage: String?

    enum CodingKeys: String, CodingKey {
      case ok
      case queryID = "pre_checkout_query_id"
      case errorMessage = "error_message"
    }

    init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      queryID = try fields.decode(String.self, forKey: .queryID)
      errorMessage = try fields.decodeIfPresent(String.self, forKey: .errorMessage)
      // A form knows no booleans.
      if let text = try? fields.decode(String.self, forKey: .ok) {
        ok = ["true", "1"].contains(text.lowercased())
      } else {
        ok = try fields.decode(Bool.self, forKey: .ok)
      }
    }
  }

  var preCheckoutAnswer: PreCheckoutAnswer? {
    guard method.lowercased() == "answerprecheckoutquery" else { return nil }
    return try? JSONDecoder().decode(PreCheckoutAnswer.self, from: parameters)
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
  }

  /// nil when the reply is no `multipart/form-data`.
  private static func boundary(_ contentType: String?) -> String? {
    guard let contentType, contentType.lowercased().hasPrefix("multipart/form-data"),
      let found = contentType.firstMatch(of: /(?i)boundary="?([^";\s]{1,100})"?/)
    else { return nil }
    return String(found.1)
  }

  /// The fields of a form; nil when it is none, or when a file is among them.
  private static func form(_ body: [UInt8], _ boundary: String) -> [String: String]? {
    guard let text = String(validating: body, as: UTF8.self) else { return nil }
    var fields: [String: String] = [:]
    let parts = "\r\n\(text)".components(separatedBy: "\r\n--\(boundary)")
    for part in parts.dropFirst() where !part.hasPrefix("--") {
      guard let gap = part.range(of: "\r\n\r\n") else { return nil }
      let head = part[..<gap.lowerBound]
      guard head.range(of: "filename", options: .caseInsensitive) == nil,
        let name = head.firstMatch(of: /name="([^"]{1,64})"/)
      else { return nil }
      fields[String(name.1)] = String(part[gap.upperBound...])
    }
    return fields
  }
}
