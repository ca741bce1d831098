import EStars
import Foundation

/// Numbers as people type them.
enum Typed {
  /// Digits may stand in groups of three; a sign or a fraction is no whole number.
  static func whole(_ text: String, _ range: ClosedRange<Int64>) -> Int64? {
    let text = text.trimmingCharacters(in: .whitespaces)
    let isNumber = text.wholeMatch(of: /[0-9]+|[0-9]{1,3}(?:[., \u{a0}][0-9]{3})+/) != nil
    guard isNumber, let value = Int64(text.filter(\.isNumber)), range.contains(value) else {
      return nil
    }
    return value
  }

  /// An amount of money with at most six places after the point or comma, in millionths.
  static func micros(_ text: String, max: Int64) -> Int64? {
    let text = text.trimmingCharacters(in: .whitespaces).replacing(",", with: ".")
    guard let match = text.wholeMatch(of: /([0-9]{1,9})(?:\.([0-9]{1,6}))?/),
      let whole = Int64(match.output.1)
    else { return nil }
    let places = String(match.output.2 ?? "")
    let rest = Int64(places + String(repeating: "0", count: 6 - places.count)) ?? 0
    let value = whole * 1_000_000 + rest
    return value <= max ? value : nil
  }

  /// The key of a rule, a tier or a feature.
  static func isKey(_ text: String, max: Int) -> Bool {
    text.count <= max && text.wholeMatch(of: /[a-z0-9][a-z0-9_-]*/) != nil
  }

  /// What is wrong with a line of text that must be there.
  static func problem(with text: String, in field: String, max: Int) -> FormProblem? {
    if text.isEmpty { return FormProblem(field: field, kind: .missing) }
    return text.unicodeScalars.count > max
      ? FormProblem(field: field, kind: .tooLong(max: max)) : nil
  }
}

extension ActionDraft {
  /// An empty form.
  init(_ names: RuleNames) {
    self.init(tiers: names.tiers.map { Tier(key: $0.key, title: $0.title) })
  }

  init(_ rules: ActionRules, version: Int64, _ names: RuleNames, _ language: Language) {
    func text(_ units: Int?) -> String { units.map(String.init) ?? "" }
    let cost = ActionRules.decimal(micros: rules.unitCostMicros)
    self.init(
      key: rules.key, title: rules.title, price: String(rules.priceCredits),
      unitCost: rules.unitCostMicros == 0
        ? "" : language == .ptBR ? cost.replacing(".", with: ",") : cost,
      currency: rules.costCurrency, maxUnits: String(rules.maxUnits),
      required: rules.requiredEntitlement ?? "", unmetered: rules.unmeteredEntitlement ?? "",
      isOpenInOutage: rules.outagePolicy == .open, outageCap: String(rules.outageCapUnits),
      tiers: names.tiers.map { tier in
        let allowance = rules.allowances[tier.key] ?? .init()
        return Tier(
          key: tier.key, title: tier.title, perDay: text(allowance.perDay),
          perMonth: text(allowance.perMonth), lifetime: text(allowance.lifetime),
          free: allowance.freeUnits == 0 ? "" : String(allowance.freeUnits),
          period: .init(rawValue: allowance.freePeriod.rawValue) ?? .month)
      }, version: version)
  }

  /// - Parameter key: of the action that is edited; nil: the form names it.
  init(_ form: [String: String], key: String?, _ names: RuleNames) {
    func typed(_ name: String) -> String {
      (form[name] ?? "").replacing("\0", with: "").trimmingCharacters(in: .whitespacesAndNewlines)
    }
    self.init(
      key: key ?? typed("key"), title: typed("title"), price: typed("price"),
      unitCost: typed("cost"), currency: typed("currency").uppercased(), maxUnits: typed("max"),
      required: typed("required"), unmetered: typed("unmetered"),
      isOpenInOutage: form["outage"] == "open", outageCap: typed("cap"),
      tiers: names.tiers.map { tier in
        Tier(
          key: tier.key, title: tier.title, perDay: typed("day:\(tier.key)"),
          perMonth: typed("month:\(tier.key)"), lifetime: typed("life:\(tier.key)"),
          free: typed("free:\(tier.key)"),
          period: .init(rawValue: form["period:\(tier.key)"] ?? "") ?? .month)
      }, reason: typed("reason"), version: form["version"].flatMap { Int64($0) } ?? 0)
  }

  /// The rules that the form describes; they mean nothing where there are problems.
  func rules(_ problems: inout [FormProblem]) -> ActionRules {
    var found: [FormProblem] = []
    func whole(_ text: String, _ field: String, _ range: ClosedRange<Int64>) -> Int64 {
      if let value = Typed.whole(text, range) { return value }
      found.append(
        FormProblem(field: field, kind: .whole(min: range.lowerBound, max: range.upperBound)))
      return range.lowerBound
    }
    let quota = 0...Int64(Limits.quotaUnits)
    func optional(_ text: String, _ field: String) -> Int? {
      text.isEmpty ? nil : Int(whole(text, field, quota))
    }
    if let problem = Typed.problem(with: title, in: "title", max: 60) { found.append(problem) }
    // “new” is the address of the empty form.
    if !Typed.isKey(key, max: 48) || key == "new" {
      found.append(FormProblem(field: "key", kind: .key(max: 48)))
    }
    let micros = unitCost.isEmpty ? 0 : Typed.micros(unitCost, max: Limits.unitCostMicros)
    if micros == nil { found.append(FormProblem(field: "cost", kind: .cost)) }
    if currency.wholeMatch(of: /[A-Z]{3}/) == nil {
      found.append(FormProblem(field: "currency", kind: .currency))
    }
    let rules = ActionRules(
      key: key, title: title, priceCredits: whole(price, "price", 0...Limits.priceCredits),
      unitCostMicros: micros ?? 0, costCurrency: currency,
      maxUnits: Int(whole(maxUnits, "max", 1...Int64(Limits.units))),
      requiredEntitlement: required.isEmpty ? nil : required,
      unmeteredEntitlement: unmetered.isEmpty ? nil : unmetered,
      outagePolicy: isOpenInOutage ? .open : .closed,
      outageCapUnits: isOpenInOutage ? whole(outageCap, "cap", quota) : 0,
      allowances: Dictionary(
        tiers.map { tier in
          (
            tier.key,
            ActionRules.Allowance(
              perDay: optional(tier.perDay, "day:\(tier.key)"),
              perMonth: optional(tier.perMonth, "month:\(tier.key)"),
              lifetime: optional(tier.lifetime, "life:\(tier.key)"),
              freeUnits: optional(tier.free, "free:\(tier.key)") ?? 0,
              freePeriod: .init(rawValue: tier.period.rawValue) ?? .month)
          )
        }
      ) { first, _ in first })
    if reason.unicodeScalars.count > Limits.noteCharacters {
      found.append(FormProblem(field: "reason", kind: .tooLong(max: Limits.noteCharacters)))
    }
    problems += found
    return rules
  }
}

extension ActionRow {
  init(_ rules: ActionRules, _ names: RuleNames, _ catalog: Catalog) {
    self.init(
      key: rules.key, title: rules.title, price: rules.priceCredits,
      unitCost: rules.unitCostMicros == 0
        ? nil : "\(ActionRules.decimal(micros: rules.unitCostMicros)) \(rules.costCurrency)",
      brings: Brings(price: rules.priceCredits, catalog),
      required: names.title(of: rules.requiredEntitlement),
      unmetered: names.title(of: rules.unmeteredEntitlement),
      allowances: names.tiers.map {
        AllowanceRow(rules.allowances[$0.key] ?? .init(), of: $0.title)
      },
      isWithdrawn: rules.withdrawnAt != nil)
  }
}

extension AllowanceRow {
  init(_ allowance: ActionRules.Allowance, of tier: String) {
    self.init(
      tier: tier, perDay: allowance.perDay, perMonth: allowance.perMonth,
      lifetime: allowance.lifetime, freeUnits: allowance.freeUnits,
      freePeriod: .init(rawValue: allowance.freePeriod.rawValue) ?? .month)
  }
}

extension ActionRow.Brings {
  /// From the packs that everybody may buy.
  init?(price: Int64, _ catalog: Catalog) {
    let perCredit = catalog.listed.filter { $0.audience != .admins }
      .map { Double($0.stars) / Double($0.credits + $0.bonusCredits) }
    guard price > 0, let least = perCredit.min(), let most = perCredit.max() else { return nil }
    func tenths(_ stars: Double) -> Int64 { Int64((stars * Double(price) * 10).rounded()) }
    self.init(least: tenths(least), most: tenths(most))
  }
}

extension RuleChange {
  init(_ entry: AuditEntry, showsSubject: Bool = false) {
    let names = Set(entry.before.keys).union(entry.after.keys).sorted()
    self.init(
      id: entry.id, at: entry.at, actor: entry.actor.name, action: entry.action,
      subject: showsSubject ? entry.subject : nil, reason: entry.reason,
      facts: names.map {
        Fact(name: $0, before: entry.before[$0], after: entry.after[$0])
      })
  }
}
