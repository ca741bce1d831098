import Foundation
import Ledger
import Postgres

/// What a buyer reads after a decision about a payment, in the buyer's language where we have it.
struct RefundNotice: Sendable, Equatable {
  enum Decision: Sendable, Equatable {
    /// `taken` are the credits that went back with the Stars.
    case refunded(taken: Int64)
    case declined
    case goodwill(credits: Int64)
  }

  let decision: Decision
  let stars: Int64
  let pack: String?
  /// The operator's own words.
  let addition: String

  static func text(
    for refund: Refund, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> String {
    let row = try await pool.query(
      """
      select p.title, c.language_code, k.taken from refunds r
      left join payments p on p.workspace_id = r.workspace_id and p.bot_id = r.bot_id
        and p.charge_id = r.charge_id
      left join customers c on c.workspace_id = r.workspace_id and c.customer_id = r.customer_id
      left join clawbacks k on k.workspace_id = r.workspace_id and k.bot_id = r.bot_id
        and k.charge_id = r.charge_id
      where r.workspace_id = \(scope.workspaceID) and r.refund_id = \(refund.id)
      """, in: scope
    ).first
    let decision: Decision =
      switch refund.state {
      case .declined: .declined
      case .goodwill: .goodwill(credits: refund.goodwillCredits ?? 0)
      default: .refunded(taken: try row?.getIfPresent("taken") ?? 0)
      }
    let notice = RefundNotice(
      decision: decision, stars: refund.stars, pack: try row?.getIfPresent("title"),
      addition: refund.buyerMessage)
    return notice.text(languageCode: try row?.getIfPresent("language_code"))
  }

  func text(languageCode: String?) -> String {
    let isPortuguese = languageCode?.lowercased().hasPrefix("pt") ?? false
    let own = isPortuguese ? portuguese : english
    return addition.isEmpty ? own : own + "\n\n" + addition
  }

  private var english: String {
    let payment = "\(stars) ★" + (pack.map { " for “\($0)”" } ?? "")
    switch decision {
    case .refunded(let taken):
      let credits =
        taken == 0
        ? "" : " \(taken == 1 ? "1 unused credit" : "\(taken) unused credits") went back with it."
      return
        "Your payment of \(payment) is refunded: the Stars are in your balance again.\(credits)"
    case .declined:
      return "We looked at your payment of \(payment) and will not refund it."
    case .goodwill(let credits):
      let given = credits == 1 ? "1 credit" : "\(credits) credits"
      return "About your payment of \(payment): we have added \(given) to your balance."
    }
  }

  private var portuguese: String {
    let payment = "\(stars) ★" + (pack.map { " por “\($0)”" } ?? "")
    switch decision {
    case .refunded(let taken):
      let credits =
        taken == 0
        ? ""
        : taken == 1
          ? " 1 crédito não usado voltou junto." : " \(taken) créditos não usados voltaram junto."
      return
        "Seu pagamento de \(payment) foi estornado: as Stars já voltaram ao seu saldo.\(credits)"
    case .declined:
      return "Analisamos seu pagamento de \(payment) e ele não será estornado."
    case .goodwill(let credits):
      let given = credits == 1 ? "1 crédito" : "\(credits) créditos"
      return "Sobre seu pagamento de \(payment): adicionamos \(given) ao seu saldo."
    }
  }
}
