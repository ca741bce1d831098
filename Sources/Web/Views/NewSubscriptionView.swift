/// Giving a customer a plan by agreement, or the trial of one.
struct NewSubscriptionView: Sendable, Equatable {
  /// Why it was not given.
  enum Problem: String, Sendable, CaseIterable {
    case plan, days, missing, long, suspended
    case trialUsed = "trial_used"
    case alreadySubscribed = "already_subscribed"
    /// A trial lasts as long as its plan says.
    case trialDays = "trial_days"

    var field: String {
      switch self {
      case .plan, .trialUsed, .alreadySubscribed, .suspended: "plan"
      case .days, .trialDays: "days"
      case .missing, .long: "reason"
      }
    }
  }

  struct Offer: Sendable, Equatable {
    var key: String
    var title: String
    /// nil: given by agreement.
    var trialDays: Int?
  }

  struct Draft: Sendable, Equatable {
    var plan = ""
    /// The number of the bot.
    var bot = ""
    /// Empty = no end.
    var days = ""
    var reason = ""
    var problems: [Problem] = []
  }

  var customer: CustomerLabel
  /// What the customer has.
  var present: SubscriptionRow?
  var offers: [Offer]
  /// By their numbers.
  var bots: [PlanView.Option]
  var draft = Draft()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, name) = (page.strings, page.name(of: customer))
    let path = Links.customer(page.slug, customer.id)
    let fields = fields(page)
    let problems = draft.problems.map { problem in
      FormProblems.Row(
        field: problem.field, words: t[.init("new_subscription.problem_\(problem.rawValue)")])
    }
    return page.page(
      .subscriptionNew, title: t("new_subscription.title", ["name": name]), place: .customers,
      trail: [
        (title: t["nav.customers"], href: Links.customers(page.slug)), (title: name, href: path),
      ],
      [
        "present": .optional(present) { row in
          [
            "words": .text(t("new_subscription.has", ["plan": row.planTitle])),
            "href": .text(Links.subscription(page.slug, row.id)),
          ]
        },
        "plans": .text(Links.plans(page.slug)),
        "form": offers.isEmpty || bots.isEmpty
          ? .none
          : .record([
            "action": .text(path + "/subscriptions"),
            "summary": FormProblems(
              rows: problems.map { row in
                let label = fields.first { $0.id == row.field }?.label ?? ""
                return .init(field: row.field, words: "\(label): \(row.words)")
              }
            ).model,
            "fields": .records(fields) { field in
              var model = field.model([], page)
              if let problem = problems.first(where: { $0.field == field.id }) {
                let hint = field.hint.map { _ in "\(field.id)-hint " } ?? ""
                model["problem"] = .text(problem.words)
                model["described"] = .text("\(hint)\(field.id)-problem")
              }
              return model
            },
          ]),
      ])
  }

  private func fields(_ page: PageContext) -> [FormField] {
    let (t, format) = (page.strings, page.format)
    let plans = offers.map { offer in
      let words =
        offer.trialDays.map { days in
          t(
            "new_subscription.trial", count: Int64(days),
            ["plan": offer.title, "n": format.number(Int64(days))])
        } ?? offer.title
      return (value: offer.key, label: words)
    }
    var fields = [
      FormField(
        id: "plan", label: t["subscription.plan"], hint: t["new_subscription.plan_hint"],
        value: draft.plan, kind: .choice(plans))
    ]
    if bots.count > 1 {
      fields.append(
        FormField(
          id: "bot", label: t["payment.bot"], hint: t["new_subscription.bot_hint"],
          value: draft.bot, kind: .choice(bots.map { ($0.key, $0.title) })))
    }
    return fields + [
      FormField(
        id: "days", label: t["new_subscription.days"], hint: t["new_subscription.days_hint"],
        value: draft.days, kind: .text(max: 5, isNumber: true)),
      FormField(
        id: "reason", label: t["grant.reason"], hint: t["subscription.reason_hint"],
        value: draft.reason, kind: .area(rows: 2, max: 500)),
    ]
  }
}
