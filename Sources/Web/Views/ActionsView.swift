import Foundation

/// What one tier may do with an action.
struct AllowanceRow: Sendable, Equatable {
  enum Period: String, Sendable, CaseIterable { case day, month, lifetime }

  var tier: String
  /// Units; nil = no limit.
  var perDay: Int?
  var perMonth: Int?
  var lifetime: Int?
  var freeUnits = 0
  var freePeriod = Period.month

  func words(_ page: PageContext) -> String {
    let (t, format) = (page.strings, page.format)
    func part(_ key: Strings.Key, _ units: Int?) -> String? {
      units.map { t(key, ["n": format.number(Int64($0))]) }
    }
    let parts = [
      part("actions.per_day", perDay), part("actions.per_month", perMonth),
      part("actions.per_lifetime", lifetime),
      freeUnits > 0 ? part(.init("actions.free_\(freePeriod.rawValue)"), freeUnits) : nil,
    ].compactMap { $0 }
    return parts.isEmpty ? t["actions.unlimited"] : parts.joined(separator: ", ")
  }
}

/// An action at a glance.
struct ActionRow: Sendable, Equatable {
  /// Stars that a unit brings, in tenths: bought in the cheapest way and in the dearest.
  struct Brings: Sendable, Equatable {
    var least: Int64
    var most: Int64
  }

  var key: String
  var title: String
  var price: Int64
  /// `0.45 BRL`; nil: not entered.
  var unitCost: String?
  var brings: Brings?
  /// What it needs, by title.
  var required: String?
  /// What makes it cost nothing, by title.
  var unmetered: String?
  /// One for every tier of the workspace.
  var allowances: [AllowanceRow]
  var isWithdrawn = false

  func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    let isLimited = Set(allowances.map { $0.words(page) }) != [t["actions.unlimited"]]
    return [
      "href": .text(Links.action(page.slug, key)), "name": .text(title), "key": .text(key),
      "price": .text(price == 0 ? t["actions.no_price"] : format.credits(price)),
      "cost": .text(unitCost.map(format.decimal) ?? "–"),
      "brings": .text(brings.map { words($0, format) } ?? "–"),
      "required": .optional(required.map { t("actions.needs", ["name": $0]) }),
      "unmetered": .optional(unmetered.map { t("actions.unmetered", ["name": $0]) }),
      "unlimited": .flag(!isLimited),
      "allowances": isLimited
        ? .records(allowances) {
          ["tier": .text($0.tier), "words": .text($0.words(page))]
        } : .none,
      "state": .text(t[isWithdrawn ? "actions.withdrawn" : "actions.in_force"]),
      "state_class": .text(isWithdrawn ? "declined" : "good"),
    ]
  }

  private func words(_ brings: Brings, _ format: Formatting) -> String {
    func tenths(_ value: Int64) -> String { format.decimal("\(value / 10).\(value % 10)") }
    let range =
      brings.least == brings.most
      ? tenths(brings.least) : "\(tenths(brings.least))–\(tenths(brings.most))"
    return range + "\u{a0}★"
  }
}

/// The three pages of usage rules.
enum RulesTab: String, Sendable, CaseIterable {
  case actions, tiers, entitlements

  static func model(_ current: RulesTab, _ page: PageContext) -> TemplateValue {
    .records(allCases) { tab in
      [
        "title": .text(page.strings[.init("rules_tab.\(tab.rawValue)")]),
        "href": .text("/w/\(page.slug)/\(tab.rawValue)"), "current": .flag(tab == current),
      ]
    }
  }
}

/// Usage rules: every action with its price, cost and limits.
struct ActionsView: Sendable, Equatable {
  var rows: [ActionRow]
  var mayEdit: Bool

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    return page.page(
      .actions, title: page.strings["nav.actions"], place: .actions,
      [
        "tabs": RulesTab.model(.actions, page),
        "results": rows.isEmpty ? .none : .record(["rows": .records(rows) { $0.model(page) }]),
        "new": mayEdit ? .text(Links.newAction(page.slug)) : .none,
      ])
  }
}
