import Foundation

/// How reminders and alerts about abandoned carts are worded.
struct CartWords: Sendable {
  let language: BuyerLanguage

  /// - Parameter now: What it costs by the reminder's invoice.
  func reminder(_ title: String, stars: Int64, now: Int64) -> String {
    switch language {
    case .en:
      "You chose “\(title)” for \(stars) ★ and have not paid yet. "
        + (now < stars
          ? "For the next 24 hours it is yours for \(now) ★."
          : "It is still here: one tap, and you have it.")
    case .ptBR:
      "Você escolheu “\(title)” por \(stars) ★ e ainda não pagou. "
        + (now < stars
          ? "Nas próximas 24 horas, sai por \(now) ★."
          : "Continua aqui: um toque e é seu.")
    case .es:
      "Elegiste «\(title)» por \(stars) ★ y aún no has pagado. "
        + (now < stars
          ? "Durante las próximas 24 horas es tuyo por \(now) ★."
          : "Sigue aquí: un toque y es tuyo.")
    case .ru:
      "Вы выбрали «\(title)» за \(stars) ★, но ещё не оплатили. "
        + (now < stars
          ? "Ближайшие 24 часа — всего \(now) ★."
          : "Всё готово: одно нажатие, и покупка ваша.")
    }
  }

  /// On the button.
  func pay(_ stars: Int64) -> String {
    switch language {
    case .en: "Pay \(stars) ★"
    case .ptBR, .es: "Pagar \(stars) ★"
    case .ru: "Оплатить \(stars) ★"
    }
  }

  func line(_ name: String, _ title: String, _ stars: Int64, minutes: Int64) -> String {
    switch language {
    case .en: "• \(name): “\(title)”, \(stars) ★, open for \(minutes) min"
    case .ptBR: "• \(name): “\(title)”, \(stars) ★, aberto há \(minutes) min"
    case .es: "• \(name): «\(title)», \(stars) ★, abierto hace \(minutes) min"
    case .ru: "• \(name): «\(title)», \(stars) ★, открыт \(minutes) мин"
    }
  }

  /// - Parameter lines: One a cart; no more than fit into a glance are written out.
  func alert(_ lines: [String], in workspace: String) -> String {
    let rest = lines.count - Self.most
    let head: String
    switch language {
    case .en:
      head =
        lines.count == 1
        ? "\(workspace): a cart was left." : "\(workspace): \(lines.count) carts were left."
    case .ptBR:
      head =
        lines.count == 1
        ? "\(workspace): um carrinho ficou para trás."
        : "\(workspace): \(lines.count) carrinhos ficaram para trás."
    case .es:
      head =
        lines.count == 1
        ? "\(workspace): quedó un carrito sin pagar."
        : "\(workspace): quedaron \(lines.count) carritos sin pagar."
    case .ru: head = "\(workspace): брошенных корзин — \(lines.count)."
    }
    let more = ["en": "and \(rest) more", "pt-br": "e mais \(rest)", "es": "y \(rest) más"]
    return
      ([head] + lines.prefix(Self.most)
      + (rest > 0 ? [more[language.rawValue] ?? "и ещё \(rest)"] : []))
      .joined(separator: "\n")
  }

  private static let most = 10
}
