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

  public enum Reason: String, Sendable {
    case unknownInvoice = "unknown_invoice"
    case otherBuyer = "other_buyer"
    case wrongPrice = "wrong_price"
    case expired
    case withdrawn
    case alreadyPaid = "already_paid"
    case cancelled
    case tooManyPurchases = "too_many_purchases"
    case firstPurchaseOnly = "first_purchase_only"
    case outage

    /// Shown by Telegram to the buyer, in his language where we have it.
    public func message(languageCode: String?) -> String {
      let portuguese = languageCode?.lowercased().hasPrefix("pt") ?? false
      return portuguese ? self.portuguese : english
    }

    private var english: String {
      switch self {
      case .unknownInvoice: "This invoice is not valid here. Ask the bot for a new one."
      case .otherBuyer: "This invoice was made for another person. Ask the bot for your own."
      case .wrongPrice: "The price of this invoice is not right. Ask the bot for a new one."
      case .expired: "This invoice has expired. Ask the bot for a new one."
      case .withdrawn: "This pack is no longer on sale. Ask the bot what it offers now."
      case .alreadyPaid: "This invoice is already paid. Your credits are with the bot."
      case .cancelled: "A newer invoice has replaced this one. Pay the latest one."
      case .firstPurchaseOnly: "This pack is for a first purchase. Ask the bot for another one."
      case .tooManyPurchases: "That is ten purchases within an hour. Please try again later."
      case .outage: "Payments pause for a moment. Please try again in a few minutes."
      }
    }

    private var portuguese: String {
      switch self {
      case .unknownInvoice: "Esta fatura não vale aqui. Peça uma nova ao bot."
      case .otherBuyer: "Esta fatura foi feita para outra pessoa. Peça a sua ao bot."
      case .wrongPrice: "O preço desta fatura não confere. Peça uma nova ao bot."
      case .expired: "Esta fatura venceu. Peça uma nova ao bot."
      case .withdrawn: "Este pacote saiu de venda. Veja com o bot o que há agora."
      case .alreadyPaid: "Esta fatura já foi paga. Seus créditos estão com o bot."
      case .cancelled: "Uma fatura mais nova substituiu esta. Pague a mais recente."
      case .firstPurchaseOnly: "Este pacote vale só na primeira compra. Peça outro ao bot."
      case .tooManyPurchases: "Foram dez compras em uma hora. Tente de novo mais tarde."
      case .outage: "Os pagamentos estão em pausa. Tente de novo em alguns minutos."
      }
    }
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
    _ query: PreCheckoutQuery, in workspace: Workspace, scope: WorkspaceScope, _ catalog: Catalog
  ) async -> Verdict {
    guard let payload = try? InvoicePayload(query.invoicePayload, in: scope, secrets) else {
      return .refuse(.unknownInvoice)
    }
    guard payload.buyerTelegramID == query.from.id else { return .refuse(.otherBuyer) }
    guard payload.stars == query.totalAmount else { return .refuse(.wrongPrice) }
    guard Double(payload.expiresAt) > scope.now.timeIntervalSince1970 else {
      return .refuse(.expired)
    }
    guard catalog.pack(sku: payload.sku) != nil else { return .refuse(.withdrawn) }
    do {
      return try await withDeadline(seconds: Limits.preCheckoutDatabaseSeconds) {
        [self] in try await decideInDatabase(payload, in: scope)
      }
    } catch {
      // Silence is what the policy is for; anything else is a fault and must be seen.
      if !(error is DeadlineExceeded) {
        logger.error(
          "pre-checkout without the database", metadata: ["error": "\(error.withoutValues)"])
      }
      switch workspace.preCheckoutOutagePolicy {
      case .accept: return .accept
      case .refuse: return .refuse(.outage)
      }
    }
  }

  /// Single use, the state of the checkout, and purchases in the last hour: one round trip.
  private func decideInDatabase(
    _ payload: InvoicePayload, in scope: WorkspaceScope
  ) async throws -> Verdict {
    let hourAgo = scope.now.addingTimeInterval(-3600)
    let row = try await pool.query(
      """
      select c.state, c.stars, u.has_purchased and k.available_to = 'first_purchase' as too_late,
        (select count(*) from (select from payments p
          where p.workspace_id = c.workspace_id and p.customer_id = c.customer_id
            and p.paid_at > \(hourAgo) limit \(Limits.purchasesPerHour)) recent) as purchases
      from checkouts c
      join customers u on u.workspace_id = c.workspace_id and u.customer_id = c.customer_id
      join packs k on k.workspace_id = c.workspace_id and k.sku = c.sku
      where c.workspace_id = \(scope.workspaceID) and c.checkout_id = \(payload.checkoutID)
      """, in: scope
    ).first
    guard let row else { return .refuse(.unknownInvoice) }
    guard try row.get("stars", as: Int64.self) == payload.stars else { return .refuse(.wrongPrice) }
    switch Checkout.State(rawValue: try row.get("state")) {
    case .pending, .validating, .rejected: break
    case .completed, .processing, .failed: return .refuse(.alreadyPaid)
    case .expired: return .refuse(.expired)
    default: return .refuse(.cancelled)
    }
    guard try !row.get("too_late", as: Bool.self) else { return .refuse(.firstPurchaseOnly) }
    guard try row.get("purchases", as: Int.self) < Limits.purchasesPerHour else {
      return .refuse(.tooManyPurchases)
    }
    return .accept
  }
}
