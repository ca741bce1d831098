import Foundation
import Ledger
import Postgres

/// Why nothing was done about a support case.
public enum SupportRefusal: Error, Sendable, Equatable {
  case notFound
  /// The charge is not one of this bot's from this buyer.
  case unknownCharge
  /// The buyer has said so much within a day that more of it is not kept.
  case tooManyMessages
  /// It is closed; as it is now.
  case closed(SupportCase)
  /// The buyer wrote since the page was read.
  case newWords
  /// Whom it is to go to is not, or not any more, one who answers buyers.
  case notAMember
  /// The text is longer than Telegram takes once its places are filled.
  case tooLong
}

/// A case that is about to be opened.
struct NewSupportCase: Sendable {
  let botID: Int64
  let customerID: Int64
  var payment: Payment?
  var refundID: Int64?
  let topic: SupportCase.Topic
  let subject: String
  let source: SupportCase.Source
}

extension SupportCase {
  /// A case's subject where nobody named one: how the words begin.
  static func subject(of words: String) -> String {
    let line =
      words.split(whereSeparator: \.isNewline).first
      .map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
    let whole = line.isEmpty ? words.trimmingCharacters(in: .whitespacesAndNewlines) : line
    guard whole.unicodeScalars.count > Limits.supportSubjectCharacters else { return whole }
    var cut = String(whole.prefix(Limits.supportSubjectCharacters - 20))
    while cut.unicodeScalars.count >= Limits.supportSubjectCharacters { cut.removeLast() }
    return cut + "…"
  }

  /// Opens a case for an operator who heard of something.
  ///
  /// - Parameters:
  ///   - note: What was heard; operators alone read it.
  ///   - key: Of the form, so that sending it twice opens one case.
  /// - Throws: ``SupportRefusal``; ``Checkout/Refusal/keyReused``
  public static func open(
    for customer: Customer, with bot: Bot, about payment: Payment?, topic: Topic, subject: String,
    note: String, key: String, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> SupportCase {
    try await pool.transaction(in: scope) { tx in
      let at = scope.now
      let fingerprint = Bytes.fingerprint([
        "support", String(customer.id), String(bot.id), payment?.chargeID ?? "", topic.rawValue,
        subject, note,
      ])
      let isNew = try await tx.claimKey(
        key, operation: "support", fingerprint: fingerprint, in: scope, at: at)
      guard isNew else {
        guard let known = try await tx.supportCase(key: key, in: scope) else {
          throw Checkout.Refusal.keyReused
        }
        return known
      }
      try await tx.lockSupport(of: customer.id, in: scope)
      guard try await !tx.isErased(customer.id, in: scope) else { throw SupportRefusal.notFound }
      if let payment, payment.customerID != customer.id { throw SupportRefusal.unknownCharge }
      let opened = try await tx.openCase(
        NewSupportCase(
          botID: payment?.botID ?? bot.id, customerID: customer.id, payment: payment,
          topic: topic, subject: subject, source: .operator), by: actor, in: scope, at: at)
      _ = try await tx.keep(
        .init(author: .operator, authorName: actor.name, isNote: true, body: note, key: key),
        of: opened, in: scope, at: at)
      return opened
    }
  }
}

extension Transaction {
  /// Opens a case. The next word is ours.
  func openCase(
    _ new: NewSupportCase, by actor: Actor, in scope: WorkspaceScope, at: Date
  ) async throws -> SupportCase {
    let row = try await query(
      """
      insert into support_cases (workspace_id, bot_id, customer_id, payment_id, refund_id, product,
        topic, subject, source, opened_at, waits_since, last_message_at)
      values (\(scope.workspaceID), \(new.botID), \(new.customerID), \(new.payment?.id),
        \(new.refundID), \(new.payment?.sku ?? ""), \(new.topic.rawValue), \(new.subject),
        \(new.source.rawValue), \(at), \(at), \(at))
      returning *, null as assignee
      """)[0]
    let opened = try SupportCase(row)
    try await audit(
      actor, "support.opened", "support_case", String(opened.id),
      after: ["topic": new.topic.rawValue, "source": new.source.rawValue], in: scope, at: at)
    try await emit(.supportCaseOpened, opened, in: scope, at: at)
    return opened
  }

  /// The case that a request or form with this key was about.
  func supportCase(key: String, in scope: WorkspaceScope) async throws -> SupportCase? {
    try await query(
      """
      select \(SupportCase.columns) from support_messages m
      join support_cases s on s.workspace_id = m.workspace_id
        and s.support_case_id = m.support_case_id
      where m.workspace_id = \(scope.workspaceID) and m.idempotency_key = \(key)
      """
    ).first.map(SupportCase.init)
  }

  /// One at a time opens or extends a customer's cases. Taken after every lock of money.
  func lockSupport(of customerID: Int64, in scope: WorkspaceScope) async throws {
    let name = "support:\(customerID)"
    try await execute(
      "select pg_advisory_xact_lock(hashtextextended(\(name), \(scope.workspaceID)))")
  }
}
