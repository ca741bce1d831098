import Foundation

/// An amount of the workspace's currency.
struct Money: Sendable, Equatable {
  var micros: Int64
  /// ISO 4217.
  var currency: String
}

extension Formatting {
  func money(_ money: Money) -> String { self.money(micros: money.micros, money.currency) }

  /// `R$ 5,27`, `$5.27`, `5.27 EUR`: to hundredths, half up.
  func money(micros: Int64, _ currency: String) -> String {
    let hundredths = (micros.magnitude + 5_000) / 10_000
    let (whole, rest) = hundredths.quotientAndRemainder(dividingBy: 100)
    let sign = micros < 0 && hundredths > 0 ? "−" : ""
    return sign
      + money(
        number(Int64(clamping: whole)) + decimalSeparator + String(String(100 + rest).dropFirst()),
        currency)
  }

  /// An amount as it is written with its currency, whose space does not break. `Public/margins.js`
  /// does the same.
  func money(_ amount: String, _ currency: String) -> String {
    switch (currency, language) {
    case ("BRL", .ptBR): "R$\u{a0}\(amount)"
    case ("BRL", .en): "R$\(amount)"
    case ("USD", .ptBR): "US$\u{a0}\(amount)"
    case ("USD", .en): "$\(amount)"
    default: "\(amount)\u{a0}\(currency)"
    }
  }

  /// `12.3%` of a part in tenths of a percent.
  func percent(tenths: Int64) -> String {
    let (whole, rest) = tenths.magnitude.quotientAndRemainder(dividingBy: 10)
    let sign = tenths < 0 ? "−" : ""
    return sign + number(Int64(whole)) + (rest == 0 ? "" : decimalSeparator + String(rest))
      + "%"
  }

  /// A part of a whole, rounded half up to a tenth; `–` where there is no whole.
  func share(_ part: Int64, of whole: Int64) -> String {
    whole > 0 ? percent(tenths: (2_000 * part + whole) / (2 * whole)) : "–"
  }

  /// `21 Nov 2026`, or `15–21 Nov` said as two days.
  func days(_ first: String, _ last: String) -> String {
    first == last ? day(isoDay: first) : "\(day(isoDay: first)) – \(day(isoDay: last))"
  }
}
