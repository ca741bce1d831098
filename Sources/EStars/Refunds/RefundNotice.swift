import Foundation
import Ledger
import Postgres

/// What a buyer reads after a decision about a payment, in the buyer's language where we have it.
public struct RefundNotice: Sendable, Equatable {
  public enum Decision: Sendable, Equatable {
    /// `taken` are the credits that go back with the Stars.
    case refunded(taken: Int64)
    case declined(Refund.DeclineReason?)
    case goodwill(credits: Int64)
  }

  public let language: BuyerLanguage
  let stars: Int64
  let pack: String?
  /// Credits that went back, once they have.
  let taken: Int64

  init(language: BuyerLanguage, stars: Int64, pack: String?, taken: Int64 = 0) {
    self.language = language
    self.stars = stars
    self.pack = pack
    self.taken = taken
  }

  public static func of(
    _ refund: Refund, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> RefundNotice {
    let row = try await pool.query(
      """
      select p.title, c.language_code, w.locale, k.taken from refunds r
      join workspaces w on w.workspace_id = r.workspace_id
      left join payments p on p.workspace_id = r.workspace_id and p.bot_id = r.bot_id
        and p.charge_id = r.charge_id
      left join customers c on c.workspace_id = r.workspace_id and c.customer_id = r.customer_id
      left join clawbacks k on k.workspace_id = r.workspace_id and k.bot_id = r.bot_id
        and k.charge_id = r.charge_id
      where r.workspace_id = \(scope.workspaceID) and r.refund_id = \(refund.id)
      """, in: scope)[0]
    return RefundNotice(
      language: BuyerLanguage(
        of: try row.getIfPresent("language_code"), else: try row.get("locale")),
      stars: refund.stars, pack: try row.getIfPresent("title"),
      taken: try row.getIfPresent("taken") ?? 0)
  }

  /// What is said about a case that was decided.
  func text(about refund: Refund) -> String {
    let decision: Decision =
      switch refund.state {
      case .declined: .declined(refund.declineReason)
      case .goodwill: .goodwill(credits: refund.goodwillCredits ?? 0)
      default: .refunded(taken: taken)
      }
    return text(decision, addition: refund.buyerMessage)
  }

  /// - Parameter addition: The operator's own words.
  public func text(_ decision: Decision, addition: String = "") -> String {
    let own =
      switch decision {
      case .refunded(let taken): refunded + (taken == 0 ? "" : " " + wentBack(taken))
      case .declined(let reason):
        ([declined] + [reason.flatMap(why)].compactMap { $0 }).joined(separator: " ")
      case .goodwill(let credits): given(CountedNoun.credits(language).text(credits, language))
      }
    return addition.isEmpty ? own : own + "\n\n" + addition
  }

  private var payment: String {
    guard let pack else { return "\(stars) ★" }
    return switch language {
    case .en: "\(stars) ★ for “\(pack)”"
    case .ptBR: "\(stars) ★ por “\(pack)”"
    case .es: "\(stars) ★ por «\(pack)»"
    case .ru: "\(stars) ★ за «\(pack)»"
    }
  }

  private var refunded: String {
    switch language {
    case .en: "Your payment of \(payment) is refunded: the Stars are in your balance again."
    case .ptBR: "Seu pagamento de \(payment) foi estornado: as Stars já voltaram ao seu saldo."
    case .es: "Devolvimos tu pago de \(payment): las Stars ya están de nuevo en tu saldo."
    case .ru: "Оплата \(payment) возвращена: Stars снова на вашем балансе."
    }
  }

  private func wentBack(_ taken: Int64) -> String {
    let n = taken.formatted(.number.locale(language.locale))
    let isOne = taken == 1
    return switch language {
    case .en: (isOne ? "1 unused credit" : "\(n) unused credits") + " went back with it."
    case .ptBR:
      isOne ? "1 crédito não usado voltou junto." : "\(n) créditos não usados voltaram junto."
    case .es:
      isOne ? "Se retiró 1 crédito sin usar." : "Se retiraron \(n) créditos sin usar."
    case .ru:
      "Неиспользованные кредиты списаны: \(n)."
    }
  }

  private var declined: String {
    switch language {
    case .en: "We looked at your payment of \(payment) and will not refund it."
    case .ptBR: "Analisamos seu pagamento de \(payment) e ele não será estornado."
    case .es: "Revisamos tu pago de \(payment) y no lo devolveremos."
    case .ru: "Мы рассмотрели оплату \(payment) и не вернём её."
    }
  }

  private func given(_ credits: String) -> String {
    switch language {
    case .en: "About your payment of \(payment): we have added \(credits) to your balance."
    case .ptBR: "Sobre seu pagamento de \(payment): adicionamos \(credits) ao seu saldo."
    case .es: "Sobre tu pago de \(payment): añadimos \(credits) a tu saldo."
    case .ru: "По оплате \(payment): мы добавили на ваш баланс \(credits)."
    }
  }

  /// nil: of some reasons the buyer hears nothing but what the operator writes.
  private func why(_ reason: Refund.DeclineReason) -> String? {
    switch (reason, language) {
    case (.outsidePolicy, .en): "It is outside our rule for refunds."
    case (.outsidePolicy, .ptBR): "Ele está fora da nossa regra de estorno."
    case (.outsidePolicy, .es): "Está fuera de nuestra regla de devoluciones."
    case (.outsidePolicy, .ru): "Она не подходит под наше правило возврата."
    case (.creditsUsed, .en): "The credits that it brought have been used."
    case (.creditsUsed, .ptBR): "Os créditos que ele trouxe já foram usados."
    case (.creditsUsed, .es): "Los créditos que trajo ya se usaron."
    case (.creditsUsed, .ru): "Кредиты, которые она принесла, уже потрачены."
    case (.alreadyRefundedOnce, .en): "We refund once per person, and have done so before."
    case (.alreadyRefundedOnce, .ptBR): "Estornamos uma vez por pessoa, e isso já aconteceu."
    case (.alreadyRefundedOnce, .es): "Devolvemos una vez por persona, y ya lo hicimos."
    case (.alreadyRefundedOnce, .ru): "Мы возвращаем оплату один раз, и это уже было."
    case (.delivered, .en): "What you paid for was delivered."
    case (.delivered, .ptBR): "O que você pagou foi entregue."
    case (.delivered, .es): "Lo que pagaste fue entregado."
    case (.delivered, .ru): "То, за что вы заплатили, доставлено."
    case (.suspectedAbuse, _), (.other, _): nil
    }
  }
}
