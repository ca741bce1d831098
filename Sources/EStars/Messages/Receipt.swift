import Foundation
import Ledger
import Postgres

/// What a buyer reads after a payment: what was paid, what it brought and what to name when asking
/// about it.
struct Receipt: Sendable, Equatable {
  let stars: Int64
  let title: String
  let unitName: String
  let credits: Int64
  let bonusCredits: Int64
  /// When the credits end; nil = never.
  let creditsEndAt: Date?
  /// Of a subscription: until when it is paid.
  let periodEndsAt: Date?
  let balance: Int64
  let chargeID: String
  let paidAt: Date
  let refundedAt: Date?

  private static let columns: SQL = """
    p.payment_id, p.bot_id, p.customer_id, p.state, p.stars, p.title, p.credits, p.bonus_credits,
    p.charge_id, p.paid_at, p.refunded_at, p.period_ends_at, c.language_code, w.locale, w.time_zone,
    coalesce(u.name, 'credits') as unit_name, coalesce(a.balance, 0) as balance,
    (select nullif(max(l.expires_at), 'infinity') from lots l
      where l.workspace_id = p.workspace_id and l.bot_id = p.bot_id
        and l.charge_id = p.charge_id) as credits_end_at
    """

  private init(_ row: Row) throws {
    stars = try row.get("stars")
    title = try row.getIfPresent("title") ?? ""
    unitName = try row.get("unit_name")
    credits = try row.get("credits")
    bonusCredits = try row.get("bonus_credits")
    creditsEndAt = try row.getIfPresent("credits_end_at")
    periodEndsAt = try row.getIfPresent("period_ends_at")
    balance = try row.get("balance")
    chargeID = try row.get("charge_id")
    paidAt = try row.get("paid_at")
    refundedAt = try row.getIfPresent("refunded_at")
  }

  /// A payment's receipt and whom it is for; nil where nothing was sold.
  struct Addressed: Sendable {
    let receipt: Receipt
    let botID: Int64
    let customerID: Int64
    let language: BuyerLanguage
    let timeZone: TimeZone
  }

  static func of(
    payment id: Int64, in scope: WorkspaceScope, _ tx: Transaction
  ) async throws -> Addressed? {
    let row = try await tx.query(
      """
      select \(columns) from payments p
      join workspaces w on w.workspace_id = p.workspace_id
      join customers c on c.workspace_id = p.workspace_id and c.customer_id = p.customer_id
      left join checkouts k on k.workspace_id = p.workspace_id and k.checkout_id = p.checkout_id
      left join credit_units u on u.workspace_id = p.workspace_id and u.unit = k.credit_unit
      left join accounts a on a.workspace_id = p.workspace_id and a.account_id = p.customer_id
        and a.unit = k.credit_unit
      where p.workspace_id = \(scope.workspaceID) and p.payment_id = \(id)
        and p.state <> 'unmatched'
      """
    ).first
    guard let row else { return nil }
    return Addressed(
      receipt: try Receipt(row), botID: try row.get("bot_id"),
      customerID: try row.get("customer_id"),
      language: BuyerLanguage(
        of: try row.get("language_code"), else: try row.get("locale")),
      timeZone: TimeZone(identifier: try row.get("time_zone")) ?? .gmt)
  }

  /// - Parameter isAgain: Somebody asked for it later: it says when the payment was made.
  func text(_ language: BuyerLanguage, timeZone: TimeZone, isAgain: Bool = false) -> String {
    let words = ReceiptWords(language: language)
    let style = Date.FormatStyle(locale: language.locale, timeZone: timeZone)
      .day().month(.abbreviated).year()
    var lines = [
      isAgain
        ? words.paidThen(stars, title, paidAt.formatted(style)) : words.paid(stars, title)
    ]
    if let refundedAt {
      lines.append(words.refunded(refundedAt.formatted(style)))
    } else {
      if credits + bonusCredits > 0 {
        lines.append(words.added(amount(credits, language), bonus(language)))
        if let creditsEndAt { lines.append(words.usableUntil(creditsEndAt.formatted(style))) }
      }
      if let periodEndsAt { lines.append(words.paidUntil(periodEndsAt.formatted(style))) }
      if credits + bonusCredits > 0, !isAgain {
        lines.append(words.balance(amount(balance, language)))
      }
    }
    lines.append("")
    lines.append(words.transaction(chargeID))
    lines.append(words.questions)
    return lines.joined(separator: "\n")
  }

  private func bonus(_ language: BuyerLanguage) -> String? {
    bonusCredits > 0 ? amount(bonusCredits, language) : nil
  }

  /// A unit with a name of the operator's own keeps it.
  private func amount(_ count: Int64, _ language: BuyerLanguage) -> String {
    guard unitName == "credits" else {
      return "\(count.formatted(.number.locale(language.locale))) \(unitName)"
    }
    return CountedNoun.credits(language).text(count, language)
  }
}

/// How a receipt is worded.
private struct ReceiptWords: Sendable {
  let language: BuyerLanguage

  func paid(_ stars: Int64, _ title: String) -> String {
    switch language {
    case .en: "Payment received: \(stars) ★ for “\(title)”."
    case .ptBR: "Pagamento recebido: \(stars) ★ por “\(title)”."
    case .es: "Pago recibido: \(stars) ★ por «\(title)»."
    case .ru: "Оплата получена: \(stars) ★ за «\(title)»."
    }
  }

  func paidThen(_ stars: Int64, _ title: String, _ day: String) -> String {
    switch language {
    case .en: "Your receipt: \(stars) ★ for “\(title)”, paid on \(day)."
    case .ptBR: "Seu recibo: \(stars) ★ por “\(title)”, pagos em \(day)."
    case .es: "Tu recibo: \(stars) ★ por «\(title)», pagadas el \(day)."
    case .ru: "Ваш чек: \(stars) ★ за «\(title)», оплачено \(day)."
    }
  }

  func added(_ credits: String, _ bonus: String?) -> String {
    switch language {
    case .en: "Added: \(credits)" + (bonus.map { " and a bonus of \($0)" } ?? "") + "."
    case .ptBR: "Adicionamos \(credits)" + (bonus.map { " e um bônus de \($0)" } ?? "") + "."
    case .es: "Añadimos \(credits)" + (bonus.map { " y un bono de \($0)" } ?? "") + "."
    case .ru: "Начислено: \(credits)" + (bonus.map { " и бонус: \($0)" } ?? "") + "."
    }
  }

  func usableUntil(_ day: String) -> String {
    switch language {
    case .en: "They can be used until \(day)."
    case .ptBR: "Valem até \(day)."
    case .es: "Se pueden usar hasta el \(day)."
    case .ru: "Их можно потратить до \(day)."
    }
  }

  func paidUntil(_ day: String) -> String {
    switch language {
    case .en: "Your subscription is paid until \(day)."
    case .ptBR: "Sua assinatura está paga até \(day)."
    case .es: "Tu suscripción está pagada hasta el \(day)."
    case .ru: "Подписка оплачена до \(day)."
    }
  }

  func balance(_ credits: String) -> String {
    switch language {
    case .en: "Your balance: \(credits)."
    case .ptBR: "Seu saldo: \(credits)."
    case .es: "Tu saldo: \(credits)."
    case .ru: "Баланс: \(credits)."
    }
  }

  func refunded(_ day: String) -> String {
    switch language {
    case .en: "The Stars went back to you on \(day)."
    case .ptBR: "As Stars voltaram para você em \(day)."
    case .es: "Las Stars volvieron a ti el \(day)."
    case .ru: "Stars вернулись вам \(day)."
    }
  }

  func transaction(_ id: String) -> String {
    switch language {
    case .en: "Transaction ID: \(id)"
    case .ptBR: "ID da transação: \(id)"
    case .es: "ID de la transacción: \(id)"
    case .ru: "ID операции: \(id)"
    }
  }

  var questions: String {
    switch language {
    case .en: "Questions about this payment: /paysupport"
    case .ptBR: "Dúvidas sobre este pagamento: /paysupport"
    case .es: "Preguntas sobre este pago: /paysupport"
    case .ru: "Вопросы об этой оплате: /paysupport"
    }
  }
}

extension Transaction {
  /// Confirms a payment to its buyer, once.
  func sayReceipt(of paymentID: Int64, in scope: WorkspaceScope, at: Date) async throws {
    guard let found = try await Receipt.of(payment: paymentID, in: scope, self) else { return }
    try await say(
      .receipt, about: String(paymentID), to: found.customerID, botID: found.botID,
      found.receipt.text(found.language, timeZone: found.timeZone), in: scope, at: at)
  }
}
