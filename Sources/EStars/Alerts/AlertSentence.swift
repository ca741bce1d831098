import Foundation

/// An alert in one sentence, for the chats and for the pages. Workspaces speak English or Portuguese,
/// and so do operators.
public struct AlertSentence: Sendable {
  private let language: BuyerLanguage

  public init(language: BuyerLanguage) { self.language = language }

  private var isPortuguese: Bool { language == .ptBR }

  /// What the chats are told: one line an alert; no more than fit into a glance are written out.
  func message(_ alerts: [Alert], in workspace: String) -> String {
    let rest = alerts.count - Self.most
    let lines = alerts.prefix(Self.most).map { sentence($0.kind, $0.facts) }
    guard lines.count > 1 else { return "\(workspace): \(lines.first ?? "")" }
    let more = rest > 0 ? [isPortuguese ? "e mais \(rest)" : "and \(rest) more"] : []
    return (["\(workspace):"] + lines.map { "• \($0)" } + more).joined(separator: "\n")
  }

  private static let most = 10

  public func sentence(_ kind: Alert.Kind, _ facts: [String: String]) -> String {
    let f = Facts(facts: facts, language: language)
    return isPortuguese ? portuguese(kind, f) : english(kind, f)
  }

  private struct Facts {
    let facts: [String: String]
    let language: BuyerLanguage

    /// As it was written down; nothing where it was not.
    func text(_ name: String) -> String { facts[name] ?? "" }

    func value(_ name: String) -> Int64 { facts[name].flatMap { Int64($0) } ?? 0 }

    func number(_ name: String) -> String {
      value(name).formatted(.number.locale(language.locale))
    }

    func counted(_ name: String, _ one: String, _ many: String) -> String {
      "\(number(name)) \(value(name) == 1 ? one : many)"
    }

    /// `95 s`, `12 min`, `3 h`.
    func time(_ name: String) -> String {
      switch value(name) {
      case ..<120: "\(value(name)) s"
      case ..<7_200: "\(value(name) / 60) min"
      default: "\(value(name) / 3_600) h"
      }
    }
  }

  private func english(_ kind: Alert.Kind, _ f: Facts) -> String {
    switch kind {
    case .paymentsFailing:
      "\(f.number("failed")) of \(f.number("attempts")) payments within the hour came to nothing "
        + "(\(f.number("percent")) %)."
    case .largePaymentFailed:
      "A payment of \(f.number("stars")) ★ for “\(f.text("title"))” failed "
        + "(customer \(f.text("customer")))."
    case .repeatedAttempts:
      "\(f.number("total")) repeated attempts within the hour: "
        + f.counted("updates", "update", "updates") + " delivered again, "
        + f.counted("payments", "second payment", "second payments") + ", "
        + f.counted("taps", "tap", "taps") + " on an invoice that was paid or being paid."
    case .webhookSlow:
      "Updates of @\(f.text("bot")) come late: \(f.number("late")) within ten minutes, the slowest "
        + "after \(f.time("seconds"))."
    case .webhookFailing: englishWebhook(f)
    case .newSubscription:
      "A new subscription: “\(f.text("plan"))” for \(f.number("stars")) ★ "
        + "(customer \(f.text("customer")))."
    case .manyPurchases:
      "Customer \(f.text("customer")) bought \(f.number("count")) times within ten minutes, for "
        + "\(f.number("stars")) ★ in all."
    case .manyUses:
      "Customer \(f.text("customer")) used \(f.number("credits")) credits within ten minutes, in "
        + f.counted("count", "use", "uses") + "."
    case .manyRefunds:
      "Customer \(f.text("customer")) got \(f.counted("count", "refund", "refunds")) within 30 "
        + "days, \(f.number("stars")) ★ in all."
    case .mismatch:
      "\(f.counted("count", "movement", "movements")) of @\(f.text("bot")) "
        + (f.value("count") == 1 ? "does" : "do") + " not agree with Telegram's books."
    case .ledgerUnverified:
      "The check of the ledger found \(f.counted("problems", "problem", "problems"))."
    case .liabilityHigh:
      "Customers hold \(f.number("credits")) credits; your limit is \(f.number("limit"))."
    }
  }

  private func englishWebhook(_ f: Facts) -> String {
    switch f.text("problem") {
    case "token": "Telegram refuses the token of @\(f.text("bot"))."
    case "elsewhere": "Telegram delivers the updates of @\(f.text("bot")) to another address."
    case "error":
      "Telegram cannot deliver updates of @\(f.text("bot")): “\(f.text("words"))”. "
        + "\(f.number("pending")) waiting."
    default:
      "\(f.counted("pending", "update", "updates")) of @\(f.text("bot")) waiting at Telegram."
    }
  }

  private func portuguese(_ kind: Alert.Kind, _ f: Facts) -> String {
    switch kind {
    case .paymentsFailing:
      "\(f.number("failed")) de \(f.number("attempts")) pagamentos não deram certo na última hora "
        + "(\(f.number("percent"))%)."
    case .largePaymentFailed:
      "Um pagamento de \(f.number("stars")) ★ por “\(f.text("title"))” falhou "
        + "(cliente \(f.text("customer")))."
    case .repeatedAttempts:
      "\(f.number("total")) tentativas repetidas na última hora: "
        + f.counted("updates", "atualização entregue", "atualizações entregues") + " de novo, "
        + f.counted("payments", "segundo pagamento", "segundos pagamentos") + ", "
        + f.counted("taps", "toque", "toques") + " em fatura já paga ou em pagamento."
    case .webhookSlow:
      "As atualizações de @\(f.text("bot")) chegam atrasadas: \(f.number("late")) em dez minutos, "
        + "a mais lenta depois de \(f.time("seconds"))."
    case .webhookFailing: portugueseWebhook(f)
    case .newSubscription:
      "Nova assinatura: “\(f.text("plan"))” por \(f.number("stars")) ★ "
        + "(cliente \(f.text("customer")))."
    case .manyPurchases:
      "O cliente \(f.text("customer")) comprou \(f.number("count")) vezes em dez minutos, "
        + "\(f.number("stars")) ★ ao todo."
    case .manyUses:
      "O cliente \(f.text("customer")) gastou \(f.number("credits")) créditos em dez minutos, em "
        + f.counted("count", "uso", "usos") + "."
    case .manyRefunds:
      "O cliente \(f.text("customer")) teve \(f.counted("count", "estorno", "estornos")) em 30 "
        + "dias, \(f.number("stars")) ★ ao todo."
    case .mismatch:
      "\(f.counted("count", "movimento", "movimentos")) de @\(f.text("bot")) não "
        + (f.value("count") == 1 ? "bate" : "batem") + " com os livros do Telegram."
    case .ledgerUnverified:
      "A conferência do razão achou \(f.counted("problems", "problema", "problemas"))."
    case .liabilityHigh:
      "Os clientes têm \(f.number("credits")) créditos; o seu limite é \(f.number("limit"))."
    }
  }

  private func portugueseWebhook(_ f: Facts) -> String {
    switch f.text("problem") {
    case "token": "O Telegram recusa o token de @\(f.text("bot"))."
    case "elsewhere":
      "O Telegram entrega as atualizações de @\(f.text("bot")) em outro endereço."
    case "error":
      "O Telegram não consegue entregar as atualizações de @\(f.text("bot")): "
        + "“\(f.text("words"))”. \(f.number("pending")) na fila."
    default:
      "\(f.counted("pending", "atualização", "atualizações")) de @\(f.text("bot")) na fila do "
        + "Telegram."
    }
  }
}
