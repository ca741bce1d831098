import Foundation
import Ledger
import Postgres

/// What the product itself brings before people.
enum SupportConcern: Sendable, Equatable {
  /// One invoice was paid again.
  case secondPayment(stars: Int64)
  /// Stars went back elsewhere that were never seen to come.
  case strangeRefund(stars: Int64)
  /// Stars went back elsewhere, and the buyer owes credits since.
  case refundWithDebt(stars: Int64, credits: Int64)

  /// - Returns: The case's subject and its first note, in the language of the workspace.
  func words(_ language: BuyerLanguage) -> (subject: String, note: String) {
    let isPortuguese = language == .ptBR
    switch self {
    case .secondPayment(let stars):
      return isPortuguese
        ? (
          "Fatura paga duas vezes: \(stars) ★",
          "A mesma fatura foi paga de novo e os créditos entraram. O pedido de estorno está aberto: "
            + "estorne, ou avise o comprador de que ele ficou com os créditos."
        )
        : (
          "One invoice was paid twice: \(stars) ★",
          "The same invoice was paid again, and its credits were given. A refund case is open: "
            + "refund it, or tell the buyer that the credits stay."
        )
    case .strangeRefund(let stars):
      return isPortuguese
        ? (
          "Estorno de um pagamento que não está aqui: \(stars) ★",
          "O Telegram devolveu Stars de um pagamento que nunca chegou aqui. Compare com os "
            + "lançamentos do Telegram em Conciliação."
        )
        : (
          "Refund of a payment that is not here: \(stars) ★",
          "Telegram gave Stars back of a payment that never arrived here. Compare with Telegram's "
            + "books under Reconciliation."
        )
    case .refundWithDebt(let stars, let credits):
      let count = CountedNoun.credits(language).text(credits, language)
      return isPortuguese
        ? (
          "Estornado fora daqui com créditos já usados: \(stars) ★",
          "As Stars voltaram por fora e o comprador já tinha usado \(count), que agora deve. Veja se "
            + "a dívida fica."
        )
        : (
          "Refunded elsewhere with credits used: \(stars) ★",
          "The Stars went back elsewhere when the buyer had used \(count), which are owed now. See "
            + "whether the debt is to stay."
        )
    }
  }
}

extension Transaction {
  /// Opens a case by rule, once for each refund case. The buyer hears nothing of it.
  func bringUp(
    _ concern: SupportConcern, customerID: Int64, payment: Payment?, refund: Refund,
    in scope: WorkspaceScope, at: Date
  ) async throws {
    let known = try await query(
      """
      select from support_cases where workspace_id = \(scope.workspaceID)
        and customer_id = \(customerID) and refund_id = \(refund.id) and source = 'system' limit 1
      """)
    guard known.isEmpty else { return }
    let locale = try await query(
      "select locale from workspaces where workspace_id = \(scope.workspaceID)")[0]
      .get("locale", as: String.self)
    let words = concern.words(BuyerLanguage(of: nil, else: locale))
    let opened = try await openCase(
      NewSupportCase(
        botID: refund.botID, customerID: customerID, payment: payment, refundID: refund.id,
        topic: .refund, subject: words.subject, source: .system),
      by: Actor(.system, "eStars"), in: scope, at: at)
    _ = try await keep(
      .init(author: .system, authorName: "eStars", isNote: true, body: words.note), of: opened,
      in: scope, at: at)
  }

  /// The refund is decided: what the product brought up because of it is done, unless people and the
  /// buyer talk about it.
  func closeConcerns(
    about refund: Refund, in scope: WorkspaceScope, at: Date
  ) async throws {
    let done = try await query(
      """
      select \(SupportCase.columns) from support_cases s
      where s.workspace_id = \(scope.workspaceID) and s.customer_id = \(refund.customerID ?? 0)
        and s.refund_id = \(refund.id) and s.source = 'system' and s.state <> 'closed'
        and s.first_answered_at is null and not exists (select from support_messages m
          where m.workspace_id = s.workspace_id and m.support_case_id = s.support_case_id
            and m.author_kind = 'buyer')
      for update of s
      """
    ).map(SupportCase.init)
    for supportCase in done {
      try await close(supportCase, by: Actor(.system, "eStars"), in: scope, at: at)
    }
  }
}
