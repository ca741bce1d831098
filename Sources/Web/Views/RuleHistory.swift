import Foundation

/// One change of a rule, as the audit log has it: who, when, and every fact before and after.
struct RuleChange: Sendable, Equatable {
  struct Fact: Sendable, Equatable {
    /// The log's own name, such as `price_credits` or `units_per_day:pro`.
    var name: String
    var before: String?
    var after: String?
  }

  var id: Int64
  var at: Date
  var actor: String
  /// The log's own name, such as `action.edited`.
  var action: String
  /// What it was about, where the page is about more than one thing.
  var subject: String?
  var reason: String?
  var facts: [Fact]
}

/// Turns audit facts into words.
struct RuleWords: Sendable {
  let page: PageContext
  /// Titles of tiers and entitlements by their keys.
  var tiers: [String: String] = [:]
  var entitlements: [String: String] = [:]

  func history(_ changes: [RuleChange]) -> TemplateValue {
    guard !changes.isEmpty else { return .none }
    return ["rows": .records(changes, model)]
  }

  /// What somebody did, in words; the log's own name where there are none.
  static func did(_ action: String, _ strings: Strings) -> String {
    let key = Strings.Key("audit.\(action.replacing(".", with: "_"))")
    return strings.keys.contains(key) ? strings[key] : action
  }

  func model(_ change: RuleChange) -> [String: TemplateValue] {
    [
      "time": page.format.time(change.at), "actor": .text(change.actor),
      "did": .text(Self.did(change.action, page.strings)), "about": .optional(change.subject),
      "reason": .optional(change.reason),
      "changes": change.facts.isEmpty
        ? .none
        : .record([
          "lines": .records(change.facts) { fact in
            [
              "what": .text(label(fact.name)),
              "before": .text(fact.before.map { value($0, of: fact.name) } ?? "–"),
              "after": .text(fact.after.map { value($0, of: fact.name) } ?? "–"),
            ]
          }
        ]),
    ]
  }

  private func label(_ name: String) -> String {
    let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
    let key = Strings.Key("rule.\(parts[0])")
    let words = page.strings.keys.contains(key) ? page.strings[key] : parts[0]
    return parts.count < 2
      ? words : "\(tiers[parts[1]] ?? entitlements[parts[1]] ?? parts[1]): \(words)"
  }

  private func value(_ value: String, of name: String) -> String {
    let base = name.split(separator: ":")[0]
    switch base {
    case "required_entitlement", "unmetered_entitlement", "entitlement":
      return entitlements[value] ?? value
    case "outage_policy":
      return words("rule.outage_\(value)", value)
    case "free_period": return words("rule.period_\(value)", value)
    case "unit_cost": return page.format.decimal(value)
    case "tier": return tiers[value] ?? value
    case "entitlements":
      return value.split(separator: ", ").map { entitlements[String($0)] ?? String($0) }
        .joined(separator: ", ")
    case "role": return words("role.\(value)", value)
    case "is_on", "in_chat": return words("rule.is_hidden_\(value)", value)
    case "muted_until":
      return (try? Date(value, strategy: .iso8601)).map(page.format.exact) ?? value
    case "is_hidden", "plan_kind", "one_per_customer", "auto_approves", "four_eyes_stars",
      "refund_debt_policy", "both_sides", "resets":
      return words("rule.\(base)_\(value)", value)
    case "credits_per_cycle" where value == "unlimited": return page.strings["plans.unlimited"]
    case "title", "body", "paid_sources", "description", "title_in", "description_in",
      "name":
      return value
    case "available_to": return words("packs.audience_\(value)", value)
    case "listing": return words("rule.listing_\(value)", value)
    case "entitlement_days" where value == "good": return page.strings["packs.for_good"]
    case "usd_per_100_stars", "currency_per_usd", "credit_cost": return page.format.decimal(value)
    default: return Int64(value).map(page.format.number) ?? value
    }
  }

  private func words(_ key: Strings.Key, _ raw: String) -> String {
    page.strings.keys.contains(key) ? page.strings[key] : raw
  }
}

extension Formatting {
  /// `0.45 BRL` with the reader's decimal sign.
  func decimal(_ text: String) -> String {
    language == .ptBR ? text.replacing(".", with: ",") : text
  }
}
