import Foundation

@testable import Web

extension Samples {
  static let subscriptionRows: [SubscriptionRow] = [
    SubscriptionRow(
      id: 31, plan: "pro", planTitle: "Pro", state: .active, renewal: .on, stars: 2000,
      periodEndsAt: ago(-12 * day)),
    SubscriptionRow(
      id: 30, plan: "premium", planTitle: hostile, state: .active, renewal: .on, wish: .cancel,
      stars: 6000, periodEndsAt: ago(-2 * day)),
    SubscriptionRow(
      id: 29, plan: "pro", planTitle: "Pro", state: .trial, renewal: .none, stars: 0,
      periodEndsAt: ago(-3 * day)),
    SubscriptionRow(
      id: 28, plan: "pro", planTitle: longName, state: .grace, renewal: .failed, wish: .allow,
      stars: 2000, periodEndsAt: ago(2 * day)),
    SubscriptionRow(
      id: 27, plan: "enterprise", planTitle: "Enterprise", state: .active, renewal: .none,
      stars: 0),
    SubscriptionRow(
      id: 26, plan: "pro", planTitle: "Pro", state: .expired, renewal: .off, stars: 2000,
      periodEndsAt: ago(50 * day), endedAt: ago(43 * day)),
  ]

  static let subscriptions = SubscriptionsView(
    standings: [
      .init(
        plan: "pro", title: "Pro", tier: "Pro", trials: 4, active: 1204, renewing: 1100,
        inGrace: 9, monthlyStars: 2_200_000),
      .init(
        plan: "premium", title: hostile, tier: hostile, trials: 0, active: 1, renewing: 0,
        inGrace: 0, monthlyStars: 0),
    ],
    rows: zip(subscriptionRows, [ana, mallory, maria, fox, erased, ana]).map {
      .init(subscription: $0, customer: $1)
    }, paging: Paging(nextCursor: "26", isFirst: true))

  static let subscription = SubscriptionView(
    row: subscriptionRows[1], customer: mallory, botUsername: "shop_bot", tier: hostile,
    credits: 2000, startedAt: ago(80 * day), periodStartedAt: ago(28 * day),
    accessEndsAt: ago(-9 * day),
    wish: .init(wish: .cancel, by: hostile, at: ago(2 * hour)),
    renewalError: "Bad Request: " + hostile, nextPlan: hostile,
    firstPayment: PaymentKey(botID: 1, chargeID: String(repeating: "x", count: 140)),
    cycles: [
      .init(
        startsAt: ago(28 * day), endsAt: ago(-2 * day), credits: 2000, carried: 1000,
        payment: PaymentKey(botID: 1, chargeID: "stxSECOND")),
      .init(
        startsAt: ago(58 * day), endsAt: ago(28 * day), credits: 2000, carried: 0,
        refundedAt: ago(50 * day), payment: PaymentKey(botID: 1, chargeID: "stxFIRST")),
    ],
    changes: [
      .init(
        kind: .downgrade, by: hostile, fromPlan: hostile, toPlan: "Pro", reason: "asked",
        at: ago(2 * hour)),
      .init(
        kind: .renew, by: "telegram", fromPlan: "Premium", toPlan: "Premium", reason: "",
        payment: PaymentKey(botID: 1, chargeID: "stxSECOND"), at: ago(28 * day)),
      .init(
        kind: .subscribe, by: "user", toPlan: "Premium", reason: hostile, at: ago(80 * day)),
    ], deeds: [.cancellation, .downgrade], lower: planOptions,
    audit: [
      .init(
        at: ago(2 * hour), actor: "ana@estudio.example", action: "subscription.cancellation",
        detail: hostile)
    ])
}

/// The pages of subscriptions.
enum SubscriptionPages {
  /// Words that go by a value.
  static let words: [String] =
    SubscriptionState.allCases.flatMap {
      ["subscription_state.\($0)", "subscription.about_\($0)"]
    } + SubscriptionRenewal.allCases.map { "renewal.\($0)" }
    + SubscriptionWish.allCases.flatMap {
      ["renewal.asked_\($0)", "subscription.waiting_\($0)"]
    }
    + SubscriptionView.Deed.allCases.flatMap {
      ["subscription.do_\($0)", "subscription.hint_\($0)"]
    }
    + SubscriptionView.Cause.allCases.map { "subscription.ended_by_\($0.rawValue)" }
    + SubscriptionView.Change.Kind.allCases.map { "subscription_change.\($0)" }
    + SubscriptionsView.Filter.allCases.flatMap {
      ["subscriptions.\($0)", "subscriptions.hint_\($0)"]
    }
    + NewSubscriptionView.Problem.allCases.map { "new_subscription.problem_\($0.rawValue)" }
    + ["given", "withdrawn", "trial_started", "cancellation", "reactivation", "downgrade"].map {
      "audit.subscription_\($0)"
    }

  static let pages: [GoldenTests.Page] = [
    .init(name: "subscriptions") {
      Samples.subscriptions.render(with: $0, in: Samples.frame())
    },
    .init(name: "subscriptions-pt") {
      var view = Samples.subscriptions
      (view.filter, view.plan) = (.expired, "pro")
      view.rows = [view.rows[5]]
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "subscriptions-none") {
      SubscriptionsView(standings: [], rows: []).render(with: $0, in: Samples.frame())
    },
    .init(name: "subscription") { Samples.subscription.render(with: $0, in: Samples.frame()) },
    .init(name: "subscription-refused-pt") {
      var view = Samples.subscription
      view.draft = .init(deed: .downgrade, reason: Samples.hostile, plan: "pro", problem: .plan)
      view.renewalError = "estars:no_charge"
      view.wish = nil
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "subscription-moved") {
      var view = Samples.subscription
      view.draft = .init(deed: .cancellation, problem: .moved)
      (view.row, view.wish, view.renewalError, view.nextPlan) = (
        Samples.subscriptionRows[3], nil, nil, nil
      )
      view.renewalEndedBy = .refund
      view.deeds = [.reactivation]
      return view.render(with: $0, in: Samples.frame())
    },
    .init(name: "subscription-read-only-pt") {
      var view = Samples.subscription
      view.deeds = []
      view.audit = []
      view.wish = .init(wish: .allow, by: "bot", at: Samples.ago(Samples.hour))
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "subscription-custom") {
      var view = Samples.subscription
      view.row = Samples.subscriptionRows[4]
      (view.credits, view.accessEndsAt, view.firstPayment) = (nil, nil, nil)
      (view.wish, view.renewalError, view.nextPlan, view.cycles) = (nil, nil, nil, [])
      view.changes = []
      view.deeds = [.end]
      view.draft = .init(deed: .end, problem: .missing)
      return view.render(with: $0, in: Samples.frame())
    },
    .init(name: "subscription-new") {
      NewSubscriptionView(
        customer: Samples.mallory, present: Samples.subscriptionRows[1],
        offers: [
          .init(key: "enterprise", title: Samples.hostile, trialDays: nil),
          .init(key: "pro", title: "Pro", trialDays: 7),
        ],
        bots: [.init(key: "1", title: "@shop_bot"), .init(key: "2", title: "@other_bot")],
        draft: .init(
          plan: "pro", bot: "2", days: Samples.hostile, reason: "",
          problems: [.trialDays, .missing, .trialUsed])
      ).render(with: $0, in: Samples.frame())
    },
    .init(name: "subscription-new-none-pt") {
      NewSubscriptionView(customer: Samples.ana, offers: [], bots: [])
        .render(with: $0, in: Samples.frame(.ptBR))
    },
  ]
}
