import EStars
import Foundation

extension PackDraft {
  /// An empty form.
  init(_ features: [Entitlement]) {
    self.init(
      grants: features.map { Grant(key: $0.key, title: $0.title) }, words: [NameDraft]([]))
  }

  init(_ rules: PackRules, version: Int64, _ features: [Entitlement]) {
    let terms = Dictionary(rules.terms.map { ($0.entitlement, $0) }) { first, _ in first }
    self.init(
      sku: rules.sku, title: rules.title, description: rules.description, emoji: rules.emoji,
      credits: String(rules.credits), bonus: String(rules.bonusCredits),
      stars: String(rules.stars), audience: .init(rules.audience), isHidden: rules.isHidden,
      days: rules.creditsValidDays.map(String.init) ?? "", unit: String(rules.creditUnit),
      grants: features.map { feature in
        let term = terms[feature.key]
        return Grant(
          key: feature.key, title: feature.title,
          days: term.map { $0.days.map(String.init) ?? "0" } ?? "")
      }, words: [NameDraft](rules.names), version: version)
  }

  /// - Parameter present: the pack that is edited; nil: the form names a new one.
  init(_ form: [String: String], _ present: PackRules?, _ features: [Entitlement]) {
    func typed(_ name: String) -> String {
      (form[name] ?? "").replacing("\0", with: "").trimmingCharacters(in: .whitespacesAndNewlines)
    }
    self.init(
      sku: present?.sku ?? typed("sku"), title: typed("title"), description: typed("description"),
      emoji: typed("emoji"), credits: typed("credits"), bonus: typed("bonus"),
      stars: typed("stars"), audience: .init(rawValue: typed("audience")) ?? .everyone,
      isHidden: form["listing"] == "hidden", days: typed("days"),
      unit: present.map { String($0.creditUnit) } ?? form["unit"] ?? "1",
      grants: features.map {
        Grant(key: $0.key, title: $0.title, days: typed("days:\($0.key)"))
      },
      words: [NameDraft](present?.names ?? [], typed: typed),
      other: NameDraft(typed("language"), "other", typed: typed),
      reason: typed("reason"), version: form["version"].flatMap { Int64($0) } ?? 0)
  }

  /// The rules that the form describes; they mean nothing where there are problems.
  func rules(_ problems: inout [FormProblem], _ units: [CreditUnit]) -> PackRules {
    var found: [FormProblem] = []
    func whole(_ text: String, _ field: String, _ range: ClosedRange<Int64>) -> Int64 {
      if let value = Typed.whole(text, range) { return value }
      found.append(
        FormProblem(field: field, kind: .whole(min: range.lowerBound, max: range.upperBound)))
      return range.lowerBound
    }
    found += [
      Typed.problem(with: title, in: "title", max: 32),
      Typed.problem(with: description, in: "description", max: 255),
    ].compactMap { $0 }
    if present(sku: sku) == nil {
      found.append(FormProblem(field: "sku", kind: .key(max: Limits.skuCharacters)))
    }
    if emoji.unicodeScalars.count > 16 {
      found.append(FormProblem(field: "emoji", kind: .tooLong(max: 16)))
    }
    let counted = units.first { String($0.number) == unit }
    if counted == nil { found.append(FormProblem(field: "unit", kind: .gone)) }
    let rules = PackRules(
      sku: sku, title: title, description: description, emoji: emoji,
      creditUnit: counted?.number ?? 1,
      credits: whole(credits, "credits", 1...Limits.packCredits),
      bonusCredits: bonus.isEmpty ? 0 : whole(bonus, "bonus", 0...Limits.packCredits),
      stars: whole(stars, "stars", 1...Limits.packStars), audience: .init(audience),
      creditsValidDays: days.isEmpty ? nil : Int(whole(days, "days", 1...Limits.packDays)),
      isHidden: isHidden,
      terms: grants.filter { !$0.days.isEmpty }.map { grant in
        let days = whole(grant.days, "days:\(grant.key)", 0...Limits.packDays)
        return Pack.Term(entitlement: grant.key, days: days == 0 ? nil : Int(days))
      }, names: words.names(and: other, &found))
    if reason.unicodeScalars.count > Limits.noteCharacters {
      found.append(FormProblem(field: "reason", kind: .tooLong(max: Limits.noteCharacters)))
    }
    problems += found
    return rules
  }

  /// The sku where it can be one; “new” is the address of the empty form.
  private func present(sku: String) -> String? {
    Typed.isKey(sku, max: Limits.skuCharacters) && sku != "new" ? sku : nil
  }
}

extension PackRow.Audience {
  init(_ audience: Pack.Audience) { self = .init(rawValue: audience.rawValue) ?? .admins }
}

extension Pack.Audience {
  fileprivate init(_ audience: PackRow.Audience) {
    self = .init(rawValue: audience.rawValue) ?? .admins
  }
}

extension MarginFigures {
  init(
    stars: Int64, credits: Int64, bonus: Int64, percent: Int = 0, isJudged: Bool, at rates: Rates
  ) {
    let margin = Margin(stars: stars, credits: credits + bonus, at: rates)
    self.init(
      stars: stars, credits: credits, bonus: bonus, percent: percent, revenue: margin.revenue,
      cost: margin.costMicros, margin: isJudged ? margin.percent : nil,
      starsPerCredit: margin.starsPerCreditTenths, isJudged: isJudged,
      isLoss: isJudged && margin.isLoss)
  }

  /// The price and those of its discounts.
  static func all(of rules: PackRules, at rates: Rates) -> [MarginFigures] {
    let percents = [0] + rules.discounts.map(\.percent)
    return percents.map { percent in
      MarginFigures(
        stars: percent == 0
          ? rules.stars : Pack.discounted(stars: rules.stars, percent: percent),
        credits: rules.credits, bonus: rules.bonusCredits, percent: percent,
        isJudged: rules.isJudged, at: rates)
    }
  }
}

extension RatesLabel {
  init(_ rates: Rates) {
    self.init(
      currency: rates.currency, usdMicrosPer100Stars: rates.usdMicrosPer100Stars,
      currencyMicrosPerUSD: rates.currencyMicrosPerUSD,
      creditCostMicros: rates.creditCostMicros)
  }
}

extension PackRow {
  init(_ rules: PackRules, at rates: Rates) {
    let figures = MarginFigures.all(of: rules, at: rates)
    self.init(
      sku: rules.sku, title: rules.title, emoji: rules.emoji, audience: .init(rules.audience),
      state: rules.withdrawnAt != nil ? .withdrawn : rules.isHidden ? .hidden : .onSale,
      figures: figures[0],
      discounts: zip(rules.discounts, figures.dropFirst()).map {
        Discount(figures: $1, isWithdrawn: $0.withdrawnAt != nil)
      })
  }
}
