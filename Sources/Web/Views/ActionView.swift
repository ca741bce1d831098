import Foundation

/// The rules of an action as they stand in a form: everything as it was typed.
struct ActionDraft: Sendable, Equatable {
  /// What one tier may do; empty = no limit.
  struct Tier: Sendable, Equatable {
    var key: String
    var title: String
    var perDay = ""
    var perMonth = ""
    var lifetime = ""
    var free = ""
    var period = AllowanceRow.Period.month
  }

  var key = ""
  var title = ""
  var price = "1"
  var unitCost = ""
  var currency = "BRL"
  var maxUnits = "1000"
  /// Keys of entitlements; empty = none.
  var required = ""
  var unmetered = ""
  var isOpenInOutage = false
  var outageCap = "0"
  var tiers: [Tier]
  var reason = ""
  /// The number of the latest change when the form was made.
  var version: Int64 = 0
}

/// One action: its rules, the form that changes them, and how they came to be.
struct ActionView: Sendable, Equatable {
  struct Option: Sendable, Equatable {
    var key: String
    var title: String
  }

  /// nil: a new one is being made.
  var row: ActionRow?
  var draft: ActionDraft
  var problems: [FormProblem] = []
  var entitlements: [Option]
  var mayEdit: Bool
  /// Newest first.
  var history: [RuleChange] = []
  var paging = Paging()
  /// What others changed since the form was made; the form shows what was typed all the same.
  var changedMeanwhile: [RuleChange] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let words = RuleWords(
      page: page, tiers: titles(draft.tiers.map { ($0.key, $0.title) }),
      entitlements: titles(entitlements.map { ($0.key, $0.title) }))
    let path = row.map { Links.action(page.slug, $0.key) } ?? Links.actions(page.slug)
    return page.page(
      .action, title: row?.title ?? t["actions.new"], place: .actions,
      trail: [(title: t["nav.actions"], href: Links.actions(page.slug))],
      [
        "action": .optional(row) { $0.model(page) },
        "form": mayEdit ? .record(form(page, path)) : .none,
        "read_only": .flag(!mayEdit),
        "meanwhile": words.history(changedMeanwhile),
        "switch": mayEdit
          ? .optional(row) { row in
            page.withdrawalForm(isWithdrawn: row.isWithdrawn, path) { noun in
              (t[.init("actions.do_\(noun)")], t[.init("actions.hint_\(noun)")])
            }
          } : .none,
        "history": words.history(history),
        "has_history": .flag(row != nil),
        "paging": paging.model(path: path),
      ])
  }

  private func titles(_ pairs: [(String, String)]) -> [String: String] {
    Dictionary(pairs) { first, _ in first }
  }

  private func form(_ page: PageContext, _ path: String) -> [String: TemplateValue] {
    let t = page.strings
    let reason = page.reasonField(draft.reason, isNew: row == nil)
    let groups = [
      "naming": naming(t), "money": money(t), "rights": rights(t), "outage": outage(t),
      "reason": [reason],
    ]
    return [
      "action": .text(path), "version": .text(String(draft.version)),
      "summary": problems.summary(page, of: groups.values.flatMap(\.self)),
      "tiers": .records(draft.tiers) { grid($0, page) },
      "button": .text(t[row == nil ? "actions.create" : "actions.save"]),
    ].merging(
      groups.mapValues { .list($0.map { .record($0.model(problems, page)) }) }
    ) { own, _ in own }
  }

  private func naming(_ t: Strings) -> [FormField] {
    let title = FormField(
      id: "title", label: t["actions.title"], hint: t["actions.title_hint"], value: draft.title,
      kind: .text(max: 60))
    guard row == nil else { return [title] }
    return [
      title,
      FormField(
        id: "key", label: t["actions.key"], hint: t["actions.key_hint"], value: draft.key,
        kind: .text(max: 48)),
    ]
  }

  private func money(_ t: Strings) -> [FormField] {
    [
      FormField(
        id: "price", label: t["actions.price_label"], hint: t["actions.price_hint"],
        value: draft.price, kind: .text(max: 14, isNumber: true)),
      FormField(
        id: "cost", label: t["actions.cost_label"], hint: t["actions.cost_hint"],
        value: draft.unitCost, kind: .text(max: 16, isNumber: true)),
      FormField(
        id: "currency", label: t["actions.currency"], value: draft.currency, kind: .text(max: 3)),
      FormField(
        id: "max", label: t["actions.max"], hint: t["actions.max_hint"], value: draft.maxUnits,
        kind: .text(max: 10, isNumber: true)),
    ]
  }

  private func rights(_ t: Strings) -> [FormField] {
    let choices =
      [(value: "", label: t["actions.nothing"])]
      + entitlements.map { (value: $0.key, label: $0.title) }
    return [
      FormField(
        id: "required", label: t["actions.required"], hint: t["actions.required_hint"],
        value: draft.required, kind: .choice(choices)),
      FormField(
        id: "unmetered", label: t["actions.unmetered_label"], hint: t["actions.unmetered_hint"],
        value: draft.unmetered, kind: .choice(choices)),
    ]
  }

  private func outage(_ t: Strings) -> [FormField] {
    [
      FormField(
        id: "outage", label: t["actions.outage"], hint: t["actions.outage_hint"],
        value: draft.isOpenInOutage ? "open" : "closed",
        kind: .choice(["closed", "open"].map { ($0, t[.init("rule.outage_\($0)")]) })),
      FormField(
        id: "cap", label: t["actions.cap"], hint: t["actions.cap_hint"], value: draft.outageCap,
        kind: .text(max: 14, isNumber: true)),
    ]
  }

  /// A row of the grid: tier by period.
  private func grid(_ tier: ActionDraft.Tier, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let cells = [
      ("day", tier.perDay, "actions.column_day"), ("month", tier.perMonth, "actions.column_month"),
      ("life", tier.lifetime, "actions.column_lifetime"),
      ("free", tier.free, "actions.column_free"),
    ]
    return [
      "tier": .text(tier.title),
      "cells": .records(cells) { cell in
        let (column, value, label) = cell
        let id = "\(column):\(tier.key)"
        let problem = problems.words(for: id, page)
        return [
          "id": .text(id), "value": .text(value), "column": .text(t[.init(label)]),
          "label": .text("\(tier.title): \(t[.init(label)])"), "problem": .optional(problem),
        ]
      },
      "period_id": .text("period:\(tier.key)"),
      "period_label": .text("\(tier.title): \(t["actions.column_period"])"),
      "periods": .records(AllowanceRow.Period.allCases) { period in
        [
          "value": .text(period.rawValue), "selected": .flag(period == tier.period),
          "words": .text(t[.init("rule.period_\(period.rawValue)")]),
        ]
      },
    ]
  }
}
