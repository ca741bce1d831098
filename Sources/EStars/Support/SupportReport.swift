import Foundation
import Ledger
import Postgres

/// What a buyer says, as a bot passes it on.
public struct SupportReport: Sendable, Equatable {
  public let telegramID: Int64
  /// 1 to ``Limits/supportTextCharacters`` characters.
  public let text: String
  /// nil: unknown, or as it was.
  public let topic: SupportCase.Topic?
  public let subject: String?
  /// The payment that it is about; nil: the last one, or what the case that goes on is about.
  public let chargeID: String?
  public let idempotencyKey: String

  public init(
    telegramID: Int64, text: String, topic: SupportCase.Topic? = nil, subject: String? = nil,
    chargeID: String? = nil, idempotencyKey: String
  ) {
    self.telegramID = telegramID
    self.text = text
    self.topic = topic
    self.subject = subject
    self.chargeID = chargeID
    self.idempotencyKey = idempotencyKey
  }

  /// With its bot: what one bot said, another one of the workspace never did.
  func fingerprint(of bot: Bot) -> Int64 {
    Bytes.fingerprint([
      "support", String(bot.id), String(telegramID), text, topic?.rawValue ?? "", subject ?? "",
      chargeID ?? "",
    ])
  }

  /// What became of it.
  public struct Answer: Sendable, Equatable {
    public let supportCase: SupportCase
    /// Whether the case begins with it; it joined one that there was otherwise.
    public let isOpening: Bool
    /// Whether the same request was answered before.
    public let isReplay: Bool
  }

  /// Opens a case or joins the one that goes on.
  ///
  /// - Throws: ``SupportRefusal``; ``Checkout/Refusal/keyReused``
  public func take(
    from bot: Bot, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Answer {
    try await pool.transaction(in: scope) { tx in
      try await tx.take(self, from: bot, in: scope, at: scope.now)
    }
  }
}

extension Transaction {
  func take(
    _ report: SupportReport, from bot: Bot, in scope: WorkspaceScope, at: Date
  ) async throws -> SupportReport.Answer {
    let key = "api:" + report.idempotencyKey
    let isNew = try await claimKey(
      report.idempotencyKey, operation: "support", fingerprint: report.fingerprint(of: bot),
      in: scope, at: at)
    guard isNew else {
      guard let known = try await supportCase(key: key, in: scope) else {
        throw Checkout.Refusal.keyReused
      }
      return .init(
        supportCase: known, isOpening: try await begins(known, withKey: key, in: scope),
        isReplay: true)
    }
    let customer = try await customer(
      telegramID: report.telegramID, name: nil, in: scope, at: at)
    let heard = try await hear(
      BuyerWords(
        customerID: customer.id, text: report.text, topic: report.topic, subject: report.subject,
        payment: try await payment(of: report, customer, bot, in: scope), source: .bot, key: key,
        updateID: nil),
      by: bot, in: scope, at: at)
    guard let heard else { throw SupportRefusal.notFound }
    return .init(supportCase: heard.supportCase, isOpening: heard.isOpening, isReplay: false)
  }

  private func payment(
    of report: SupportReport, _ customer: Customer, _ bot: Bot, in scope: WorkspaceScope
  ) async throws -> Payment? {
    guard let chargeID = report.chargeID else { return nil }
    let found = try await payment(of: Charge(botID: bot.id, chargeID: chargeID), in: scope)
    guard let found, found.customerID == customer.id else { throw SupportRefusal.unknownCharge }
    return found
  }

  private func begins(
    _ supportCase: SupportCase, withKey key: String, in scope: WorkspaceScope
  ) async throws -> Bool {
    try await query(
      """
      select idempotency_key from support_messages where workspace_id = \(scope.workspaceID)
        and support_case_id = \(supportCase.id) order by support_message_id limit 1
      """
    ).first?.getIfPresent("idempotency_key", as: String.self) == key
  }
}
