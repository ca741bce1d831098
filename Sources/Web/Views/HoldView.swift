/// One hold that a bot made, and what its release would do.
struct HoldView: Sendable, Equatable {
  enum Problem: String, Sendable, CaseIterable { case missing, long }

  struct Form: Sendable, Equatable {
    var reason = ""
    var problem: Problem?
  }

  /// What a release gives back.
  struct Release: Sendable, Equatable {
    var balanceBefore: Int64
    /// Units that count in quotas; nil where the action has no limits.
    var quotaUnits: Int64?
  }

  var id: Int64
  var hold: HoldRow
  var customer: CustomerLabel
  /// Without the @.
  var botUsername: String
  var ref: String?
  /// nil: it is closed.
  var release: Release?
  /// nil: the reader's role may not release it.
  var form: Form?
  /// It was closed while the reader looked.
  var wasClosed = false
  var audit: [PaymentView.AuditLine] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    var facts = hold.model(page)
    facts["who"] = .record(page.customer(customer))
    facts["bot"] = .text("@" + botUsername)
    facts["ref"] = .optional(ref)
    return page.page(
      .hold,
      title: t("hold.title", ["what": hold.title(page), "name": page.name(of: customer)]),
      place: .holds, trail: [(title: t["nav.holds"], href: Links.holds(page.slug))],
      [
        "warning": wasClosed ? .text(t["hold.was_closed"]) : .none,
        "hold": .record(facts),
        "release": .optional(release) { model($0, page) },
        "audit": PaymentView.audit(audit, page),
      ])
  }

  private func model(_ release: Release, _ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    var rows: [TemplateValue] = [
      [
        "what": .text(t["hold.back"]),
        "quantity": .text(page.signedAmount(hold.credits, hold.unit)),
      ]
    ]
    if let units = release.quotaUnits {
      rows.append([
        "what": .text(t["hold.quota_back"]), "quantity": .text(format.signed(units)),
      ])
    }
    return [
      "rows": .list(rows),
      "balance": .text(
        t(
          "refund.balance",
          [
            "before": format.number(release.balanceBefore),
            "after": format.number(release.balanceBefore + hold.credits),
          ])),
      "form": .optional(form) { form in
        let problem = form.problem.map { t[.init("hold.reason_\($0.rawValue)")] }
        return [
          "action": .text(Links.hold(page.slug, id) + "/release"),
          "reason": .text(form.reason),
          "problem": .optional(problem),
          "summary": .optional(problem) { words in
            ["rows": [["href": "#reason", "words": .text(words)]]]
          },
          "button": .text(
            hold.credits == 0
              ? t["hold.release"]
              : t("hold.release_credits", ["credits": page.amount(hold.credits, hold.unit)])),
        ]
      },
    ]
  }
}
