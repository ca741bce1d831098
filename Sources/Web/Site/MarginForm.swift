import EStars
import Foundation

extension MarginDraft {
  /// What is not in the query stays as it was.
  mutating func take(_ query: [String: String]) {
    func take(_ name: String, _ field: WritableKeyPath<MarginDraft, String>) {
      guard let typed = query[name] else { return }
      self[keyPath: field] = String(
        typed.replacing("\0", with: "").trimmingCharacters(in: .whitespacesAndNewlines).prefix(40))
    }
    take("stars", \.stars)
    take("credits", \.credits)
    take("bonus", \.bonus)
    take("cost", \.cost)
    take("per", \.per)
    take("usd", \.usd)
    take("currency", \.currency)
    take("fx", \.fx)
    currency = currency.uppercased()
  }

  /// What the form describes; it means nothing where there are problems.
  func offer(in language: Language, _ problems: inout [FormProblem]) -> MarginOffer {
    var found: [FormProblem] = []
    func whole(_ text: String, _ field: String, _ range: ClosedRange<Int64>) -> Int64 {
      if let value = Typed.whole(text, range) { return value }
      found.append(
        FormProblem(field: field, kind: .whole(min: range.lowerBound, max: range.upperBound)))
      return range.lowerBound
    }
    func micros(_ text: String, _ field: String, _ range: ClosedRange<Int64>) -> Int64 {
      if let value = Typed.micros(text, max: range.upperBound, in: language),
        range.contains(value)
      {
        return value
      }
      found.append(FormProblem(field: field, kind: range.contains(0) ? .cost : .rate))
      return range.lowerBound
    }
    let stars = whole(stars, "stars", 1...Limits.packStars)
    let credits = whole(credits, "credits", 1...Limits.packCredits)
    let bonus = bonus.isEmpty ? 0 : whole(bonus, "bonus", 0...Limits.packCredits)
    let price = micros(cost, "cost", Rates.costRange)
    let basis = Basis(rawValue: per)
    if basis == nil { found.append(FormProblem(field: "per", kind: .gone)) }
    let usd = micros(usd, "usd", Rates.usdRange)
    if !Rates.isCurrency(currency) { found.append(FormProblem(field: "currency", kind: .currency)) }
    let rates = Rates(
      currency: currency, usdMicrosPer100Stars: usd,
      currencyMicrosPerUSD: micros(fx, "fx", Rates.currencyRange), creditCostMicros: 0)
    problems += found
    let cost = CreditCost(micros: price, forCredits: (basis ?? .credit).credits(credits + bonus))
    return MarginOffer(stars: stars, credits: credits, bonus: bonus, cost: cost, rates: rates)
  }
}

extension MarginDraft.Basis {
  func credits(_ pack: Int64) -> Int64 {
    switch self {
    case .credit: 1
    case .ten: 10
    case .pack: pack
    }
  }
}

/// A pack that somebody thinks about, what its credits cost, and the rates.
struct MarginOffer: Sendable, Equatable {
  var stars: Int64
  var credits: Int64
  var bonus: Int64
  let cost: CreditCost
  let rates: Rates

  var margin: Margin { margin(stars: stars) }

  private func margin(stars: Int64) -> Margin {
    Margin(stars: stars, credits: credits + bonus, costing: cost, at: rates)
  }

  /// The lowest price in Stars that does not lose; nil where none that Telegram takes does.
  var breakEvenStars: Int64? {
    guard !margin(stars: Limits.packStars).isLoss else { return nil }
    var (low, high): (Int64, Int64) = (1, Limits.packStars)
    while low < high {
      let middle = (low + high) / 2
      if margin(stars: middle).isLoss { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension Typed {
  /// An amount of money as a language writes it, in millionths: thousands may be in groups, and a lone
  /// point or comma that groups nothing is the decimal one, whichever it is.
  static func micros(_ text: String, max: Int64, in language: Language) -> Int64? {
    let text = text.trimmingCharacters(in: .whitespaces)
    let grouped =
      switch language {
      case .en: text.wholeMatch(of: /[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]{1,6})?/) != nil
      case .ptBR: text.wholeMatch(of: /[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]{1,6})?/) != nil
      }
    return micros(
      grouped ? text.replacing(language.thousandsSeparator, with: "") : text, max: max)
  }
}

extension MarginView {
  /// The page for what was typed.
  init(_ draft: MarginDraft, on content: MarginContent, in language: Language) {
    var problems: [FormProblem] = []
    let offer = draft.offer(in: language, &problems)
    self.init(content: content, draft: draft, problems: problems)
    guard problems.isEmpty else { return }
    result = Result(
      currency: offer.rates.currency, pack: offer.figures, breakEvenStars: offer.breakEvenStars,
      packs: content.packs.rows.map { row in
        var offer = offer
        (offer.stars, offer.credits, offer.bonus) = (row.stars, row.credits, row.bonus)
        return offer.figures
      })
  }
}

extension MarginOffer {
  fileprivate var figures: MarginFigures {
    let margin = margin
    return MarginFigures(
      stars: stars, credits: credits, bonus: bonus, revenue: margin.revenue,
      cost: margin.costMicros, margin: margin.percent, starsPerCredit: margin.starsPerCreditTenths,
      isLoss: margin.isLoss)
  }
}
