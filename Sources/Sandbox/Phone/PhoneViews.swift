import Foundation
import Telegram

/// Values for the templates. Views take plain values; templates ask nothing.
enum PhoneViews {
  static func person(_ card: PersonCard) -> [String: Any] {
    [
      "id": "\(card.id)", "name": fullName(card), "initial": initial(card.firstName),
      "username": card.username.map { "@\($0)" } ?? "", "stars": number(card.stars),
    ]
  }

  /// Whether a text is part of the name, username or id; case and accents do not count.
  static func matches(_ card: PersonCard, _ text: String) -> Bool {
    let options: String.CompareOptions = [.caseInsensitive, .diacriticInsensitive]
    return text.isEmpty
      || "\(fullName(card)) @\(card.username ?? "") \(card.id)".range(of: text, options: options)
        != nil
  }

  static func chat(_ card: ChatCard, personID: Int64, isCurrent: Bool) -> [String: Any] {
    [
      "href": "/people/\(personID)/chats/\(card.bot.id)", "name": card.bot.name,
      "username": "@\(card.bot.username)", "initial": initial(card.bot.name),
      "summary": String((card.lastText ?? "No messages yet").prefix(70)),
      "time": card.lastDate.map { clock($0) } ?? "", "isCurrent": isCurrent,
    ]
  }

  static func charge(_ card: ChargeCard, botName: String) -> [String: Any] {
    [
      "href": "/people/payments/\(card.id)", "id": card.id, "title": card.title,
      "bot": botName, "stars": number(card.stars), "time": dateAndClock(card.date),
      "iso": iso(card.date), "isRefunded": card.refundedAt != nil,
      "refunded": card.refundedAt.map(dateAndClock) ?? "",
      "isSubscription": card.subscriptionID != nil,
    ]
  }

  static func subscription(_ card: SubscriptionCard, botName: String) -> [String: Any] {
    let words = [
      "active": "Active", "canceled": "Canceled", "failed": "Payment failed",
    ]
    return [
      "id": card.id, "title": card.title, "bot": botName, "stars": number(card.stars),
      "until": day(card.expiresAt), "state": card.state,
      "stateWords": words[card.state] ?? card.state, "isActive": card.state == "active",
      "maySwitchOn": card.state != "active" && !card.isStoppedByBot,
      "isStoppedByBot": card.isStoppedByBot,
    ]
  }

  static func delivery(_ delivery: Delivery, botName: String) -> [String: Any] {
    [
      "bot": botName, "update": "\(delivery.updateID)", "kind": delivery.kind,
      "attempt": "\(delivery.attempt)", "time": dateAndClock(delivery.at),
      "result": delivery.error ?? "Delivered (\(delivery.status ?? 200))",
      "isFailure": delivery.error != nil, "isDuplicate": delivery.isDuplicate,
      "milliseconds": "\(delivery.milliseconds)",
    ]
  }

  static func fullName(_ card: PersonCard) -> String {
    [card.firstName, card.lastName ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
  }

  static func initial(_ name: String) -> String { String(name.prefix(1)).uppercased() }

  /// 12345 as `12,345`.
  static func number(_ value: Int64) -> String {
    var digits = String(value.magnitude)
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return (value < 0 ? "−" : "") + ([digits] + groups).joined(separator: ",")
  }

  static func iso(_ seconds: Int64) -> String {
    Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
  }

  // Times are shown in UTC, cut from the ISO form: 2026-11-21T09:30:00Z.
  static func clock(_ seconds: Int64) -> String { String(iso(seconds).dropFirst(11).prefix(5)) }
  static func day(_ seconds: Int64) -> String { String(iso(seconds).prefix(10)) }
  static func dateAndClock(_ seconds: Int64) -> String { "\(day(seconds)) \(clock(seconds))" }
}
