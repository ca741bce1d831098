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
      "reason": .optional(change.reason.map { reason($0, of: change.action) }),
      "changes": change.facts.isEmpty
        ? .none : .record(["lines": .records(change.facts) { model($0, of: change.action) }]),
    ]
  }

  /// What appeared is its value alone; what went leads to nothing.
  func model(_ fact: RuleChange.Fact, of action: String) -> [String: TemplateValue] {
    let nothing = "–"
    func said(_ text: String?) -> String? {
      text.flatMap { $0.isEmpty ? nil : value($0, of: fact.name, in: action) }
    }
    let (before, after) = (said(fact.before), said(fact.after))
    // A state is left for the one that the action is named after.
    let isState = fact.name == "state" && fact.after == nil
    let isChange = before != nil && before != after && !isState
    return [
      "what": .text(isState ? page.strings["rule.state_before"] : label(fact.name, in: action)),
      "before": .optional(isChange ? before : nil),
      "after": .text((isState ? before : after) ?? nothing),
    ]
  }
}

extension Formatting {
  /// `0.45`, or `0.45 BRL`, as the reader writes it.
  func decimal(_ text: String) -> String {
    let parts = text.split(separator: " ").map(String.init)
    let amount = (parts.first ?? text).replacing(".", with: decimalSeparator)
    return parts.count == 2 ? money(amount, parts[1]) : amount
  }
}
