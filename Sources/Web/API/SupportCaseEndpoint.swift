import EStars
import Foundation

/// `POST /v1/support-cases`: a buyer has something to say about what was bought. It opens a case or
/// joins the one that goes on.
enum SupportCaseEndpoint {
  private struct Request: Decodable {
    let user: Int64
    let text: String
    let topic: String?
    let subject: String?
    let chargeId: String?
  }

  private struct Body: Encodable {
    let supportCase: Heard

    struct Heard: Encodable {
      let id: Int64
      let user: Int64
      /// As the words left it: a replay answers with the first body.
      let state: String
      let subject: String
      /// Whether the case begins with these words.
      let opened: Bool
      let openedAt: Date
    }
  }

  @Sendable static func create(_ call: BotCall) async throws -> Reply {
    let key = try call.idempotencyKey()
    let report = try checked(call.inbound.json(Request.self), key: key)
    try await Newcomers.admit(report.telegramID, call)
    let answer: SupportReport.Answer
    do {
      answer = try await report.take(from: call.bot, in: call.scope, call.platform.pool)
    } catch SupportRefusal.unknownCharge {
      throw Refusal(
        .unprocessableContent, "unknown_charge", "This user paid nothing under that charge here.")
    } catch SupportRefusal.tooManyMessages {
      throw Refusal(
        .tooManyRequests, "too_many_messages",
        "This user's case got \(EStars.Limits.supportMessagesPerDay) messages within a day.",
        retryAfterSeconds: 3600)
    } catch Checkout.Refusal.keyReused { throw Refusal.keyReused }
    let supportCase = answer.supportCase
    var reply = try Reply.json(
      Body(
        supportCase: .init(
          id: supportCase.id, user: report.telegramID, state: SupportCase.State.open.rawValue,
          subject: supportCase.subject, opened: answer.isOpening, openedAt: supportCase.openedAt)),
      status: answer.isReplay ? .ok : .created)
    if answer.isReplay { reply.headers[.idempotencyReplayed] = "true" }
    return reply
  }

  private static func checked(_ sent: Request, key: String) throws -> SupportReport {
    let user = try UserID.check(sent.user)
    let text = sent.text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard (1...EStars.Limits.supportTextCharacters).contains(text.unicodeScalars.count),
      !text.contains("\0")
    else {
      throw Refusal(
        .badRequest, "invalid_text",
        "“text” is 1 to \(EStars.Limits.supportTextCharacters) characters of what the user says.")
    }
    let topic = sent.topic.flatMap(SupportCase.Topic.init(rawValue:))
    guard sent.topic == nil || topic != nil else {
      let names = SupportCase.Topic.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
      throw Refusal(.badRequest, "invalid_topic", "“topic” is one of \(names).")
    }
    let subject = sent.subject?.trimmingCharacters(in: .whitespacesAndNewlines)
    guard
      subject.map({
        (1...EStars.Limits.supportSubjectCharacters).contains($0.unicodeScalars.count)
          && !$0.contains("\0")
      }) ?? true
    else {
      throw Refusal(
        .badRequest, "invalid_subject",
        "“subject” is 1 to \(EStars.Limits.supportSubjectCharacters) characters.")
    }
    guard sent.chargeId.map({ !$0.contains("\0") && $0.utf8.count <= 2048 }) ?? true else {
      throw Refusal(.badRequest, "invalid_charge", "“charge_id” is Telegram's id of a payment.")
    }
    return SupportReport(
      telegramID: user, text: text, topic: topic, subject: subject, chargeID: sent.chargeId,
      idempotencyKey: key)
  }
}
