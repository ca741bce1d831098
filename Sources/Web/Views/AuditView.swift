import Foundation

/// The workspace's audit log, with filters.
struct AuditView: Sendable, Equatable {
  struct Line: Sendable, Equatable {
    var change: RuleChange
    var isOurs = false
    /// The log's own name of what it is about, such as `refund`.
    var kind: String
    var subject: String
  }

  /// What was asked for, as it was typed.
  struct Filter: Sendable, Equatable {
    var actor = ""
    var action = ""
    var kind = ""
    var subject = ""
    /// ISO days of the workspace.
    var from = ""
    var until = ""

    var isEmpty: Bool { self == Filter() }

    var query: [(name: String, value: String?)] {
      [
        ("actor", actor), ("action", action), ("kind", kind), ("subject", subject),
        ("from", from), ("until", until),
      ]
    }
  }

  var filter = Filter()
  var problems: [FormProblem] = []
  var actors: [String] = []
  var actions: [String] = []
  var kinds: [String] = []
  /// Who is in the team, by e-mail address: the others have no page.
  var members: [String: Int64] = [:]
  var lines: [Line]
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let path = Links.audit(page.slug)
    let words = RuleWords(page: page)
    return page.page(
      .audit, title: t["nav.audit"], place: .audit,
      [
        "path": .text(path),
        "fields": .list(
          Self.fields(filter, actors: actors, actions: actions, kinds: kinds, page)
            .map { .record($0.model(problems, page)) }),
        "clear": filter.isEmpty ? .none : .text(path),
        "results": lines.isEmpty
          ? .none : .record(["rows": .records(lines) { model($0, words, page) }]),
        "paging": paging.model(path: path, query: filter.query),
      ])
  }

  static func fields(
    _ filter: Filter, actors: [String], actions: [String], kinds: [String], _ page: PageContext
  ) -> [FormField] {
    let t = page.strings
    func choice(
      _ id: String, _ label: String, _ value: String, _ values: [String],
      _ words: (String) -> String
    ) -> FormField {
      // A filter that nothing fits stays to be seen.
      let known = values.contains(value) || value.isEmpty ? values : [value] + values
      return FormField(
        id: id, label: label, value: value,
        kind: .choice(
          [("", t["audit_log.all"])] + known.map { ($0, words($0)) }))
    }
    return [
      choice("actor", t["audit_log.actor"], filter.actor, actors) { $0 },
      choice("action", t["audit_log.action"], filter.action, actions) {
        RuleWords.did($0, t)
      },
      choice("kind", t["audit_log.kind"], filter.kind, kinds) { kind($0, t) },
      FormField(
        id: "subject", label: t["audit_log.subject"], value: filter.subject,
        kind: .text(max: 200)),
      FormField(id: "from", label: t["audit_log.from"], value: filter.from, kind: .day),
      FormField(id: "until", label: t["audit_log.until"], value: filter.until, kind: .day),
    ]
  }

  private func model(
    _ line: Line, _ words: RuleWords, _ page: PageContext
  ) -> [String: TemplateValue] {
    let t = page.strings
    var model = words.model(line.change)
    if line.isOurs, line.change.actor != "eStars" {
      model["actor"] = .text("eStars · \(line.change.actor)")
    }
    model["kind"] = .text(Self.kind(line.kind, t))
    model["subject"] =
      Self.unnamed.contains(line.kind) || line.subject.isEmpty
      ? TemplateValue.none : .text(alertRule(line)?.title(t) ?? line.subject)
    model["href"] = .optional(link(line, page.slug))
    return model
  }

  /// Of these there is one a workspace, or the number means nothing to people.
  private static let unnamed: Set<String> = [
    "workspace", "settings", "carts", "rates", "trial_policy", "invitation", "refund_policy",
  ]

  static func kind(_ name: String, _ strings: Strings) -> String {
    let key = Strings.Key("audit_kind.\(name)")
    return strings.keys.contains(key) ? strings[key] : name
  }

  /// The page of what a line is about, where it has one that its name leads to.
  private func link(_ line: Line, _ slug: String) -> String? {
    let (subject, number) = (line.subject, Int64(line.subject))
    switch line.kind {
    case "alert": return number.map { Links.alert(slug, $0) } ?? Links.alerts(slug)
    case "alert_rule":
      return alertRule(line).map { Links.alertRule(slug, $0) } ?? Links.alertRules(slug)
    case "refund_policy": return Links.refundPolicy(slug)
    case "refund": return number.map { Links.refund(slug, $0) }
    case "customer": return number.map { Links.customer(slug, $0) }
    case "subscription": return number.map { Links.subscription(slug, $0) }
    case "key": return number.map { Links.key(slug, $0) }
    case "bot": return number.map { Links.bot(slug, $0) }
    case "drill_run": return number.map { Links.drillRun(slug, $0) }
    case "expansion_request": return Links.pilot(slug)
    case "event": return number.map { Links.event(slug, $0) }
    case "mismatch": return number.map { Links.mismatch(slug, $0) }
    case "hold": return number.map { Links.hold(slug, $0) }
    case "checkout": return number.map { "\(Links.checkouts(slug))/\($0)" }
    case "support_case": return number.map { Links.supportCase(slug, $0) }
    case "reply_template": return Links.replyTemplate(slug, subject)
    case "pack": return Links.pack(slug, subject)
    case "plan": return Links.plan(slug, subject)
    case "action": return Links.action(slug, subject)
    case "tier": return Links.tiers(slug)
    case "entitlement": return Links.entitlements(slug)
    case "staff": return Links.staff(slug)
    case "rates": return Links.rates(slug)
    case "settings": return Links.settings(slug)
    case "carts": return Links.carts(slug)
    case "trial_policy": return Links.trials(slug)
    case "paywall": return Links.paywall(slug)
    case "operator": return members[subject].map { Links.member(slug, $0) } ?? Links.team(slug)
    case "invitation": return Links.team(slug)
    default: return nil
    }
  }

  /// The kind of alert whose rule a line is about.
  private func alertRule(_ line: Line) -> AlertKind? {
    line.kind == "alert_rule" ? AlertKind(name: line.subject) : nil
  }
}
