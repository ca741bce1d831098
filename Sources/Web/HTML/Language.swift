import Foundation

/// The languages the product speaks.
enum Language: String, Sendable, Equatable, CaseIterable {
  case en
  case ptBR = "pt-BR"

  /// How dates are written: day before month and a 24-hour clock in both, so that an operator who
  /// switches languages never misreads a date.
  var locale: Locale { Locale(identifier: self == .en ? "en_GB" : "pt_BR") }

  var thousandsSeparator: String { self == .en ? "," : "." }
}
