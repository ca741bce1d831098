import Foundation
import Ledger
import Logging
import Postgres
import Telegram

/// The answer to a pre_checkout_query. Everything that can be checked in memory is; the database
/// gets one second, and if it says nothing the workspace's policy decides.
public struct PreCheckout: Sendable {
  public enum Verdict: Equatable, Sendable {
    case accept
    case refuse(Reason)
    /// Not an invoice of eStars: a bot that sells other things too answers it itself.
    case notOurs
  }

  private let pool: Pool
  private let secrets: Secrets
  private let logger: Logger

  init(pool: Pool, secrets: Secrets, logger: Logger) {
    self.pool = pool
    self.secrets = secrets
    self.logger = logger
  }

  /// Whether the invoice was made here, going by its looks alone; the signature is another matter.
  static func isOurs(_ query: PreCheckoutQuery) -> Bool {
    query.currency == starsCurrency && query.invoicePayload.hasPrefix(InvoicePayload.prefix)
  }

  /// - Parameter catalog: As it stands in memory.
  public func decide(
    _ query: PreCheckoutQuery, for bot: Bot, in workspace: Workspace, scope: WorkspaceScope,
    _ catalog: Catalog
  ) async -> Verdict {
    guard let payload = try? InvoicePayload(query.invoicePayload, in: scope, secrets) else {
      return .refuse(.unknownInvoice)
    }
    // Somebody else's tap is no step of the checkout, which its buyer may pay as before.
    guard payload.buyerTelegramID == query.from.id else { return .refuse(.otherBuyer) }
    guard payload.stars == query.totalAmount else { return .refuse(.wrongPrice) }
    // Suspended, no payment is lost: the policy says whether a buyer may still begin one.
    let isPaused = workspace.isSuspended && workspace.preCheckoutOutagePolicy == .refuse
    let refusal = isPaused ? .suspended : refusal(of: payload, catalog, at: scope.now)
    do {
      return try await withDeadline(seconds: Limits.preCheckoutDatabaseSeconds) {
        [self] in
        try await decideInDatabase(query, payload, refusal, for: bot, in: scope)
      }
    } catch {
      // Silence is what the policy is for; anything else is a fault and must be seen.
      if !(error is DeadlineExceeded) {
        logger.error(
          "pre-checkout without the database", metadata: ["error": "\(error.withoutValues)"])
      }
      if let refusal { return .refuse(refusal) }
      switch workspace.preCheckoutOutagePolicy {
      case .accept: return .accept
      case .refuse: return .refuse(.outage)
      }
    }
  }

  /// What speaks against it without a database.
  private func refusal(
    of payload: InvoicePayload, _ catalog: Catalog, at: Date
  ) -> Reason? {
    guard Double(payload.expiresAt) > at.timeIntervalSince1970 else { return .expired }
    return catalog.sells(payload.sku) ? nil : .withdrawn
  }

  /// Single use, the state of the checkout, and purchases in the last hour: one round trip, which
  /// also moves the checkout on.
  private func decideInDatabase(
    _ query: PreCheckoutQuery, _ payload: InvoicePayload, _ refusal: Reason?, for bot: Bot,
    in scope: WorkspaceScope
  ) async throws -> Verdict {
    // What was put on sale a moment ago is not in memory yet.
    let refusal =
      refusal == .withdrawn
      ? self.refusal(of: payload, try await Catalog.load(in: scope, pool), at: scope.now)
      : refusal
    let row = try await pool.query(
      """
      select checkout_pre_check(\(scope.workspaceID), \(bot.id), \(payload.checkoutID),
        \(String(query.id.replacing("\0", with: "").prefix(200))), \(payload.stars),
        \(refusal?.rawValue), \(Limits.preCheckoutBusySeconds), \(Limits.purchasesPerHour),
        \(scope.now)) as refusal
      """, in: scope)[0]
    guard let refusal = try row.getIfPresent("refusal", as: String.self) else { return .accept }
    return .refuse(Reason(rawValue: refusal) ?? .unknownInvoice)
  }
}
