import Foundation

/// The languages the product speaks.
enum Language: String, Sendable, Equatable, CaseIterable {
  case en
  case ptBR = "pt-BR"

  /// How dates are written: day before month and a 24-hour clock in both, so that an operator who
  /// switches languages never misreads a date.
  var locale: Locale { Locale(identifier: self == .en ? "en_GB" : "pt_BR") }

  /// Where the site speaks it: before every path.
  var sitePrefix: String { self == .en ? "" : "/pt-br" }

  /// Its folder below `content/`.
  var contentFolder: String { self == .en ? "en" : "pt-br" }

  var thousandsSeparator: String { self == .en ? "," : "." }
}
