/// One plan: the form that settles it, and how it came to be.
struct PlanView: Sendable, Equatable {
  struct Option: Sendable, Equatable {
    var key: String
    var title: String
  }

  /// What a plan is besides its form; nil: a new one is being made.
  struct Present: Sendable, Equatable {
    var key: String
    var title: String
    var isWithdrawn = false
    /// Subscriptions that run by it.
    var running: Int64 = 0
  }

  var present: Present?
  var draft: PlanDraft
  var problems: [FormProblem] = []
  /// Lowest first.
  var tiers: [Option]
  var features: [Option]
  var mayEdit: Bool
  /// The plan at a glance, for those who may not edit.
  var column: PlanColumn?
  /// Newest first.
  var history: [RuleChange] = []
  var paging = Paging()
  /// What others changed since the form was made; the form shows what was typed all the same.
  var changedMeanwhile: [RuleChange] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let words = RuleWords(page: page, tiers: titles(tiers), entitlements: titles(features))
    let path = present.map { Links.plan(page.slug, $0.key) } ?? Links.plans(page.slug)
    return page.page(
      .plan, title: present?.title ?? t["plans.new"], place: .plans,
      trail: [(title: t["nav.plans"], href: Links.plans(page.slug))],
      [
        "plan": .optional(present) { head($0, page) },
        "form": mayEdit ? .record(form(page, path)) : .none,
        "read_only": mayEdit
          ? .none
          : .optional(column) { column in
            ["lines": .records(PlanLine.all([column], page)) { $0.line(0) }]
          },
        "meanwhile": words.history(changedMeanwhile),
        "switch": mayEdit
          ? .optional(present) { plan in
            page.withdrawalForm(isWithdrawn: plan.isWithdrawn, path) { noun in
              (t[.init("plans.do_\(noun)")], t[.init("plans.hint_\(noun)")])
            }
          } : .none,
        "history": words.history(history),
        "has_history": .flag(present != nil),
        "paging": paging.model(path: path),
      ])
  }

  private func titles(_ options: [Option]) -> [String: String] {
    Dictionary(options.map { ($0.key, $0.title) }) { first, _ in first }
  }

  private func head(_ plan: Present, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "key": .text(plan.key),
      "state": .text(t[plan.isWithdrawn ? "plans.withdrawn" : "plans.in_force"]),
      "state_class": .text(plan.isWithdrawn ? "declined" : "good"),
      "kind": .text(t[.init("plans.kind_\(draft.kind.rawValue)")]),
      "running": draft.kind == .free
        ? .none
        : .record([
          "words": .text(
            t("plans.running", count: plan.running, ["n": page.format.number(plan.running)])),
          "href": .text(Links.with(Links.subscriptions(page.slug), [("plan", plan.key)])),
        ]),
    ]
  }

  private func form(_ page: PageContext, _ path: String) -> [String: TemplateValue] {
    let t = page.strings
    let reason = page.reasonField(draft.reason, isNew: present == nil)
    let groups = [
      "naming": naming(t), "terms": terms(t), "cycle": cycle(t), "trial": trial(t),
      "reason": [reason],
    ]
    let languages = names(page)
    let all = groups.values.flatMap(\.self) + languages.flatMap(\.fields)
    return [
      "action": .text(path), "version": .text(String(draft.version)),
      "summary": problems.summary(page, of: all + [FormField(features: t["plans.features"])]),
      "features": .records(features) { feature in
        [
          "id": .text("feature:\(feature.key)"), "label": .text(feature.title),
          "checked": .flag(draft.features.contains(feature.key)),
        ]
      },
      "has_trial": .flag(groups["trial"]?.isEmpty == false),
      "features_problem": .optional(problems.words(for: "features", page)),
      "hidden": .flag(draft.isHidden),
      "names": .records(languages) { language in
        [
          "title": .text(language.title), "open": .flag(language.isOpen),
          "fields": .list(language.fields.map { .record($0.model(problems, page)) }),
        ]
      },
      "button": .text(t[present == nil ? "plans.create" : "plans.save"]),
    ].merging(
      groups.mapValues { .list($0.map { .record($0.model(problems, page)) }) }
    ) { own, _ in own }
  }

  private func naming(_ t: Strings) -> [FormField] {
    let title = FormField(
      id: "title", label: t["plans.title"], hint: t["plans.title_hint"], value: draft.title,
      kind: .text(max: 32))
    let description = FormField(
      id: "description", label: t["plans.description"], hint: t["plans.description_hint"],
      value: draft.description, kind: .area(rows: 2, max: 255))
    guard present == nil else { return [title, description] }
    return [
      title,
      FormField(
        id: "key", label: t["plans.key"], hint: t["plans.key_hint"], value: draft.key,
        kind: .text(max: 32)),
      description,
    ]
  }

  private func terms(_ t: Strings) -> [FormField] {
    var fields = [
      FormField(
        id: "tier", label: t["plans.tier"], hint: t["plans.tier_hint"], value: draft.tier,
        kind: .choice(tiers.map { (value: $0.key, label: $0.title) }))
    ]
    if present == nil {
      fields.insert(
        FormField(
          id: "kind", label: t["plans.kind"], hint: t["plans.kind_hint"],
          value: draft.kind.rawValue,
          kind: .choice(
            PlanDraft.Kind.allCases.map { ($0.rawValue, t[.init("plans.kind_\($0.rawValue)")]) })),
        at: 0)
    }
    if present == nil || draft.kind == .recurring {
      fields.append(
        FormField(
          id: "stars", label: t["plans.stars"], hint: t["plans.stars_hint"], value: draft.stars,
          kind: .text(max: 7, isNumber: true)))
    }
    if let present, !present.isWithdrawn {
      fields.append(
        FormField(
          id: "place", label: t["plans.place"], hint: t["plans.place_hint"], value: draft.place,
          kind: .text(max: 3, isNumber: true)))
    }
    return fields
  }

  private func cycle(_ t: Strings) -> [FormField] {
    [
      FormField(
        id: "credits", label: t["plans.credits"], hint: t["plans.credits_hint"],
        value: draft.credits, kind: .text(max: 14, isNumber: true)),
      FormField(
        id: "rollover", label: t["plans.rollover"], hint: t["plans.rollover_hint"],
        value: draft.rollover, kind: .text(max: 14, isNumber: true)),
      FormField(
        id: "grace", label: t["plans.grace"], hint: t["plans.grace_hint"], value: draft.grace,
        kind: .text(max: 3, isNumber: true)),
    ]
  }

  private func trial(_ t: Strings) -> [FormField] {
    guard present == nil || draft.kind == .recurring else { return [] }
    return [
      FormField(
        id: "trial_days", label: t["plans.trial_days"], hint: t["plans.trial_days_hint"],
        value: draft.trialDays, kind: .text(max: 3, isNumber: true)),
      FormField(
        id: "trial_credits", label: t["plans.trial_credits"], hint: t["plans.trial_credits_hint"],
        value: draft.trialCredits, kind: .text(max: 14, isNumber: true)),
    ]
  }

  private struct LanguageFields {
    let title: String
    let isOpen: Bool
    let fields: [FormField]
  }

  private func names(_ page: PageContext) -> [LanguageFields] {
    let t = page.strings
    func fields(_ name: NameDraft, _ id: String) -> [FormField] {
      [
        FormField(
          id: "title:\(id)", label: t["plans.title"], value: name.title, kind: .text(max: 32)),
        FormField(
          id: "description:\(id)", label: t["plans.description"], value: name.description,
          kind: .area(rows: 2, max: 255)),
      ]
    }
    func group(_ title: String, _ fields: [FormField]) -> LanguageFields {
      LanguageFields(
        title: title,
        isOpen: fields.contains { field in problems.contains { $0.field == field.id } },
        fields: fields)
    }
    let language = FormField(
      id: "language", label: t["plans.language"], hint: t["plans.language_hint"],
      value: draft.other.language, kind: .text(max: 5))
    return draft.names.map { name in
      group(page.name(ofLanguage: name.language), fields(name, name.language))
    } + [group(t["plans.another_language"], [language] + fields(draft.other, "other"))]
  }
}

extension FormField {
  /// Names the set of boxes in a list of problems.
  fileprivate init(features label: String) {
    self.init(id: "features", label: label, value: "", kind: .text(max: 0))
  }
}
