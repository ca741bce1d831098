import Foundation

@testable import Web

extension Samples {
  /// 100 Stars bring 1.30 dollars of 80 roubles each; ten credits cost 15.
  static let rates = RatesLabel(
    currency: "RUB", usdMicrosPer100Stars: 1_300_000, currencyMicrosPerUSD: 80_000_000,
    creditCostMicros: 1_500_000)

  static let packs: [PackRow] = [
    PackRow(
      sku: "test", title: "Test", emoji: "🔧", audience: .admins, state: .onSale,
      figures: MarginFigures(
        stars: 1, credits: 1, bonus: 0, revenue: 1, cost: 1_500_000, starsPerCredit: 10,
        isJudged: false)),
    PackRow(
      sku: "try", title: "Try", emoji: "🎁", audience: .firstPurchase, state: .onSale,
      figures: MarginFigures(
        stars: 49, credits: 5, bonus: 4, revenue: 51, cost: 13_500_000, margin: 278,
        starsPerCredit: 54),
      discounts: [
        .init(
          figures: MarginFigures(
            stars: 44, credits: 5, bonus: 4, percent: 10, revenue: 46, cost: 13_500_000,
            margin: 241, starsPerCredit: 49)),
        .init(
          figures: MarginFigures(
            stars: 5, credits: 5, bonus: 4, percent: 90, revenue: 5, cost: 13_500_000,
            margin: -63, starsPerCredit: 6, isLoss: true)),
        .init(
          figures: MarginFigures(
            stars: 12, credits: 5, bonus: 4, percent: 75, revenue: 12, cost: 13_500_000,
            margin: -11, starsPerCredit: 13, isLoss: true), isWithdrawn: true),
      ]),
    PackRow(
      sku: "gift", title: hostile, emoji: "", audience: .everyone, state: .hidden,
      figures: MarginFigures(
        stars: 1_125, credits: 1_000_000, bonus: 25_000, revenue: 1_170,
        cost: 1_537_500_000_000, margin: -100, starsPerCredit: 0, isLoss: true)),
    PackRow(
      sku: "old", title: longName, emoji: "⭐", audience: .everyone, state: .withdrawn,
      figures: MarginFigures(
        stars: 75, credits: 10, bonus: 0, revenue: 78, cost: 0, margin: nil, starsPerCredit: 75)),
  ]

  static let packDraft = PackDraft(
    sku: "try", title: "Try", description: "5 credits and 4 more.", emoji: "🎁", credits: "5",
    bonus: "4", stars: "49", audience: .firstPurchase, days: "90",
    grants: [
      .init(key: "hd_quality", title: "HD quality", days: "30"),
      .init(key: "beta", title: hostile, days: "0"), .init(key: "pro", title: "Pro"),
    ],
    words: [
      .init(language: "en"),
      .init(language: "pt-br", title: "Experimente", description: "5 créditos e mais 4."),
      .init(language: "xx", title: hostile, description: hostile),
    ], version: 9)

  static let packHistory: [RuleChange] = [
    RuleChange(
      id: 12, at: ago(3 * hour), actor: "ana@estudio.example", action: "pack.edited",
      facts: [
        .init(name: "price_stars", before: "59", after: "1049"),
        .init(name: "available_to", before: "everyone", after: "first_purchase"),
        .init(name: "listing", before: "hidden", after: "listed"),
        .init(name: "entitlement_days:hd_quality", before: nil, after: "30"),
        .init(name: "entitlement_days:beta", before: "7", after: "good"),
        .init(name: "title:pt-br", before: nil, after: "Experimente"),
      ]),
    RuleChange(
      id: 9, at: ago(5 * day), actor: hostile, action: "pack.discount_added",
      facts: [.init(name: "discount_percent", before: nil, after: "10")]),
  ]

  static let pack = PackView(
    row: packs[1], draft: packDraft, rates: rates, figures: [], mayEdit: true,
    history: packHistory, paging: Paging(nextCursor: "9", isFirst: true))

  static let ratesPage = RatesView(
    draft: .init(usd: "1.30", currency: "RUB", fx: "80.00", cost: "1.50", version: 3),
    rates: rates, rows: Array(packs.prefix(3)), mayEdit: true, wasSaved: true,
    history: [
      RuleChange(
        id: 3, at: ago(day), actor: "ana@estudio.example", action: "rates.edited",
        facts: [
          .init(name: "currency", before: "BRL", after: "RUB"),
          .init(name: "currency_per_usd", before: "5.40", after: "80.00"),
        ])
    ])

  static let staff = StaffView(
    rows: [
      .init(
        telegramID: 5_001_001, name: "", customer: ana, addedBy: "ana@estudio.example",
        addedAt: ago(2 * day)),
      .init(telegramID: 77, name: hostile, addedBy: "", addedAt: ago(60 * day)),
      .init(telegramID: 78, name: "", addedBy: hostile, addedAt: ago(hour)),
    ], mayEdit: true,
    history: [
      RuleChange(
        id: 4, at: ago(hour), actor: hostile, action: "staff.added", subject: "78", facts: [])
    ])

  static let catalogPages: [GoldenTests.Page] =
    packPages + [
      .init(name: "rates") { ratesPage.render(with: $0, in: frame()) },
      .init(name: "rates-refused-pt") {
        var view = ratesPage
        view.wasSaved = false
        view.draft.currency = hostile
        view.problems = [
          .init(field: "usd", kind: .rate), .init(field: "currency", kind: .currency),
          .init(field: "cost", kind: .cost),
        ]
        view.changedMeanwhile = view.history
        return view.render(with: $0, in: frame(.ptBR))
      },
      .init(name: "rates-read-only") {
        var view = ratesPage
        view.mayEdit = false
        view.rows = []
        view.history = []
        return view.render(with: $0, in: frame())
      },
      .init(name: "staff") { staff.render(with: $0, in: frame()) },
      .init(name: "staff-refused-pt") {
        var view = staff
        view.draft = .init(
          telegramID: hostile, name: "x",
          problems: [
            .init(field: "telegram_id", kind: .telegramID), .init(field: "name", kind: .taken),
          ])
        return view.render(with: $0, in: frame(.ptBR))
      },
      .init(name: "staff-none") {
        StaffView(rows: [], mayEdit: false).render(with: $0, in: frame())
      },
    ]

  private static let packPages: [GoldenTests.Page] = [
    .init(name: "packs") {
      PacksView(rows: packs, rates: rates, mayEdit: true).render(with: $0, in: frame())
    },
    .init(name: "packs-pt") {
      PacksView(rows: packs, rates: rates, mayEdit: false).render(with: $0, in: frame(.ptBR))
    },
    .init(name: "packs-none") {
      PacksView(rows: [], rates: rates, mayEdit: true).render(with: $0, in: frame())
    },
    .init(name: "pack") { pack.render(with: $0, in: frame()) },
    .init(name: "pack-refused-pt") {
      var view = pack
      view.draft.stars = hostile
      view.draft.other = .init(language: "?", title: "x")
      view.problems = [
        .init(field: "stars", kind: .whole(min: 1, max: 100_000)),
        .init(field: "title:xx", kind: .tooLong(max: 32)),
        .init(field: "days:beta", kind: .whole(min: 0, max: 3_650)),
        .init(field: "language", kind: .language),
      ]
      view.discount = hostile
      view.discountProblems = [.init(field: "percent", kind: .whole(min: 1, max: 90))]
      view.changedMeanwhile = [packHistory[0]]
      return view.render(with: $0, in: frame(.ptBR))
    },
    .init(name: "pack-calculated") {
      var view = pack
      view.figures = [packs[2].figures]
      view.isTrial = true
      return view.render(with: $0, in: frame())
    },
    .init(name: "pack-withdrawn") {
      var view = pack
      view.row = packs[3]
      return view.render(with: $0, in: frame())
    },
    .init(name: "pack-read-only-pt") {
      var view = pack
      view.mayEdit = false
      view.history = []
      return view.render(with: $0, in: frame(.ptBR))
    },
    .init(name: "pack-new") {
      PackView(
        row: nil, draft: PackDraft(words: [.init(language: "pt-br")]),
        problems: [
          .init(field: "title", kind: .missing), .init(field: "sku", kind: .key(max: 28)),
        ], rates: rates, figures: [],
        units: [.init(number: "1", name: "credits"), .init(number: "2", name: hostile)],
        mayEdit: true
      ).render(with: $0, in: frame())
    },
  ]
}
