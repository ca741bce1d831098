/// A plan as a column of the comparison.
struct PlanColumn: Sendable, Equatable {
  struct Feature: Sendable, Equatable {
    var title: String
    var isIncluded: Bool
  }

  /// What its tier may do with an action that some plan's tier is limited in.
  struct Bound: Sendable, Equatable {
    var action: String
    var allowance: AllowanceRow
  }

  var key: String
  var title: String
  var kind: PlanDraft.Kind
  var tier: String
  /// nil where nothing is paid in Stars.
  var stars: Int64?
  /// nil = as many as they like.
  var credits: Int64?
  var rollover: Int64
  var trialDays: Int
  var trialCredits: Int64
  var graceDays: Int
  var isHidden = false
  var isWithdrawn = false
  /// The same features and bounds in all columns of a comparison.
  var features: [Feature]
  var bounds: [Bound]
}

/// A line of the comparison: one fact, a cell for each plan.
struct PlanLine: Sendable {
  struct Cell: Sendable {
    var words: String
    /// Draws a dot before the words.
    var state: String?
  }

  let label: String
  var cells: [Cell]

  /// A plan's cell by itself.
  func line(_ index: Int) -> [String: TemplateValue] {
    ["label": .text(label)].merging(Self.model(cells[index])) { own, _ in own }
  }

  fileprivate static func model(_ cell: Cell) -> [String: TemplateValue] {
    ["words": .text(cell.words), "state": .optional(cell.state)]
  }

  /// Credits, features, bounds, terms and price of plans that are compared.
  static func all(_ plans: [PlanColumn], _ page: PageContext) -> [PlanLine] {
    let (t, format) = (page.strings, page.format)
    func line(_ label: String, _ words: (PlanColumn) -> String) -> PlanLine {
      PlanLine(label: label, cells: plans.map { Cell(words: words($0)) })
    }
    let nothing = "–"
    var lines = [
      line(t["plans.column_credits"]) { plan in
        plan.credits.map(format.number) ?? t["plans.unlimited"]
      }
    ]
    for (index, feature) in (plans.first?.features ?? []).enumerated() {
      lines.append(
        PlanLine(
          label: feature.title,
          cells: plans.map { plan in
            let isIncluded = plan.features[index].isIncluded
            return Cell(
              words: t[isIncluded ? "plans.included" : "plans.not_included"],
              state: isIncluded ? "good" : "unknown")
          }))
    }
    for (index, bound) in (plans.first?.bounds ?? []).enumerated() {
      lines.append(line(bound.action) { $0.bounds[index].allowance.words(page) })
    }
    func count(_ key: Strings.Key, _ value: Int64) -> String {
      t(key, count: value, ["n": format.number(value)])
    }
    lines.append(line(t["plans.column_tier"]) { $0.tier })
    lines.append(
      line(t["plans.column_rollover"]) { plan in
        plan.rollover == 0 || plan.credits == nil
          ? nothing : t("plans.at_most", ["credits": format.credits(plan.rollover)])
      })
    lines.append(
      line(t["plans.column_trial"]) { plan in
        guard plan.trialDays > 0 else { return nothing }
        let days = count("plans.days", Int64(plan.trialDays))
        return plan.trialCredits == 0 ? days : "\(days), \(format.credits(plan.trialCredits))"
      })
    lines.append(
      line(t["plans.column_grace"]) { plan in
        plan.kind == .free || plan.graceDays == 0
          ? nothing : count("plans.days", Int64(plan.graceDays))
      })
    lines.append(
      line(t["plans.column_price"]) { plan in
        plan.stars.map(format.stars) ?? t[.init("plans.price_\(plan.kind.rawValue)")]
      })
    return lines
  }
}

/// Plans side by side: what each brings, what it costs.
struct PlansView: Sendable, Equatable {
  /// Those in force, in the operator's order.
  var plans: [PlanColumn]
  var withdrawn: [PlanColumn] = []
  var mayEdit: Bool

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    return page.page(
      .plans, title: t["nav.plans"], place: .plans,
      [
        "new": mayEdit ? .text(Links.newPlan(page.slug)) : .none,
        "comparison": plans.isEmpty
          ? .none
          : .record([
            "plans": .records(plans) { head($0, page) },
            "lines": .records(PlanLine.all(plans, page)) { line in
              [
                "label": .text(line.label),
                "cells": .records(Array(zip(plans, line.cells))) { plan, cell in
                  PlanLine.model(cell).merging(["plan": .text(plan.title)]) { own, _ in own }
                },
              ]
            },
          ]),
        "withdrawn": withdrawn.isEmpty
          ? .none : .record(["rows": .records(withdrawn) { head($0, page) }]),
      ])
  }

  private func head(_ plan: PlanColumn, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "name": .text(plan.title), "key": .text(plan.key),
      "href": .text(Links.plan(page.slug, plan.key)),
      "kind": .text(t[.init("plans.kind_\(plan.kind.rawValue)")]),
      "hidden": plan.isHidden ? .text(t["plans.hidden_word"]) : .none,
    ]
  }
}
