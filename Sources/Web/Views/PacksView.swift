import Foundation

/// A pack at a glance.
struct PackRow: Sendable, Equatable {
  enum Audience: String, Sendable, CaseIterable {
    case everyone
    case firstPurchase = "first_purchase"
    case admins
  }
  enum State: String, Sendable, CaseIterable { case onSale, hidden, withdrawn }

  /// A discount: what it costs, and whether anybody can still have it.
  struct Discount: Sendable, Equatable {
    var figures: MarginFigures
    var isWithdrawn = false
  }

  var sku: String
  var title: String
  var emoji: String
  var audience: Audience
  var state: State
  var figures: MarginFigures
  /// Smallest first.
  var discounts: [Discount] = []

  func model(_ currency: String, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "href": .text(Links.pack(page.slug, sku)), "name": .text(title), "emoji": .text(emoji),
      "sku": .text(sku),
      "credits": .text(page.format.number(figures.credits)),
      "bonus": .text(figures.bonus == 0 ? "–" : "+" + page.format.number(figures.bonus)),
      "audience": .text(t[.init("packs.audience_\(audience.rawValue)")]),
      "state": .text(t[.init("packs.state_\(state.rawValue)")]),
      "state_class": .text(
        state == .onSale ? "good" : state == .hidden ? "requested" : "declined"),
    ].merging(figures.model(currency, page)) { own, _ in own }
  }
}

/// Everything on sale: what it costs, what it brings, and the prices of all discounts.
struct PacksView: Sendable, Equatable {
  var rows: [PackRow]
  var rates: RatesLabel
  var mayEdit: Bool

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    return page.page(
      .packs, title: page.strings["nav.packs"], place: .packs,
      [
        "tabs": CatalogTab.model(.packs, page),
        "rates": .record(rates.model(page)),
        "results": rows.isEmpty
          ? .none : .record(["rows": .records(rows) { $0.model(rates.currency, page) }]),
        "discounts": discounts(page),
        "new": mayEdit ? .text(Links.newPack(page.slug)) : .none,
      ])
  }

  /// A column for each pack that has a discount, a row for each percentage.
  private func discounts(_ page: PageContext) -> TemplateValue {
    let columns = rows.filter { row in
      row.state != .withdrawn && row.discounts.contains { !$0.isWithdrawn }
    }
    guard !columns.isEmpty else { return .none }
    let onOffer = columns.map { row in row.discounts.filter { !$0.isWithdrawn }.map(\.figures) }
    let percents = Set(onOffer.flatMap { $0.map(\.percent) }).sorted()
    func cells(_ figures: (Int) -> MarginFigures?) -> TemplateValue {
      .records(Array(columns.enumerated())) { index, row in
        let found = figures(index)
        return [
          "pack": .text(row.title),
          "price": .text(found.map { page.format.stars($0.stars) } ?? "–"),
          "loss": .flag(found?.isLoss ?? false),
        ]
      }
    }
    let full: [String: TemplateValue] = [
      "discount": .text(page.strings["margin.full_price"]),
      "cells": cells { columns[$0].figures },
    ]
    let off = percents.map { percent -> [String: TemplateValue] in
      [
        "discount": .text(page.strings("margin.off", ["n": String(percent)])),
        "cells": cells { index in onOffer[index].first { $0.percent == percent } },
      ]
    }
    return .record([
      "columns": .records(columns) { ["pack": .text($0.title)] },
      "rows": .list(([full] + off).map { .record($0) }),
    ])
  }
}
