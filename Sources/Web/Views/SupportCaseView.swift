import Foundation

/// One support case: what was said, what it is about, and what can be done.
struct SupportCaseView: Sendable, Equatable {
  struct Agent: Sendable, Equatable {
    var id: Int64
    var name: String
  }

  struct TemplateChoice: Sendable, Equatable {
    /// The key, and the language where it is not the buyer's.
    var value: String
    var title: String
  }

  /// What may be done about it; nil for who may only read.
  struct Desk: Sendable, Equatable {
    var agents: [Agent]
    var assignedTo: Int64?
    /// The reader, who can take it with one click.
    var me: Int64
    var templates: [TemplateChoice] = []
    var formKey: String
    var reply = ""
    var replyProblems: [FormProblem] = []
    var note = ""
    var noteProblems: [FormProblem] = []
    var chosenTemplate = ""
  }

  enum Warning: String, Sendable, CaseIterable {
    /// It was closed while the reader wrote.
    case closed
    /// The buyer wrote while the reader looked.
    case newWords = "new_words"
    /// Whom it was to go to does not answer buyers.
    case notAMember = "not_a_member"
  }

  /// The buyer at a glance.
  struct Glance: Sendable, Equatable {
    /// Negative: owed.
    var available: Int64
    var held: Int64
    var hasPurchased: Bool
    /// What the buyer is spoken to in, such as `pt-br`.
    var language: String
  }

  var row: SupportCaseRow
  var source: SupportSource
  /// Without the @.
  var botUsername: String
  var firstAnsweredAt: Date?
  var closedAt: Date?
  var closedBy: String?
  var refundID: Int64?
  var glance: Glance
  var payment: PaymentRow?
  /// What the payment moved, newest first.
  var strip: [StripRow] = []
  /// Newest first, as they are read from the table.
  var messages: [SupportMessageRow]
  var paging = Paging()
  var desk: Desk?
  var warning: Warning?
  var audit: [PaymentView.AuditLine] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, format) = (page.strings, page.format)
    let path = Links.supportCase(page.slug, row.id)
    var facts = row.model(page)
    facts["source"] = .text(t[.init("support.source_\(source.rawValue)")])
    facts["bot"] = .text("@" + botUsername)
    facts["waits"] = .optional(row.waitsSince) { ["time": format.time($0)] }
    facts["answered"] = .optional(firstAnsweredAt) { ["time": format.time($0)] }
    facts["closed"] = .optional(closedAt) {
      ["time": format.time($0), "by": .text(closedBy ?? "eStars")]
    }
    facts["refund"] = .optional(refundID.map { Links.refund(page.slug, $0) })
    return page.page(
      .supportCase, title: row.subject, place: .support,
      trail: [(title: t["nav.support"], href: Links.supportCases(page.slug))],
      [
        "warning": .optional(warning.map { t[.init("support.warning_\($0.rawValue)")] }),
        "case": .record(facts),
        "messages": .records(Array(messages.reversed())) { $0.model(row.customer, page) },
        "paging": paging.model(path: path),
        "glance": .record(model(glance, page)),
        "payment": .optional(payment) { $0.model(page) },
        "timeline": strip.isEmpty
          ? .none : .record(["strip": page.strip(strip, showsOwnPayment: false)]),
        "desk": .optional(desk) { model($0, page) },
        "audit": PaymentView.audit(audit, page),
      ])
  }

  private func model(_ glance: Glance, _ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "available": .text(format.credits(glance.available)), "debt": .flag(glance.available < 0),
      "held": glance.held == 0
        ? .none : .text(t("customer.held", count: glance.held, ["n": format.number(glance.held)])),
      "purchased": .text(t[glance.hasPurchased ? "customers.bought" : "customers.not_yet"]),
      "purchased_class": .text(glance.hasPurchased ? "good" : "unknown"),
      "language": .text(page.buyerLanguage(glance.language)),
    ]
  }

  private func model(_ desk: Desk, _ page: PageContext) -> [String: TemplateValue] {
    let path = Links.supportCase(page.slug, row.id)
    return [
      "key": .text(desk.formKey),
      "reply": row.state == .closed ? .none : .record(replyForm(desk, path, page)),
      "note": .record(noteForm(desk, path, page)),
      "assignment": .record(assignment(desk, path, page)),
      // Older pages do not show what was said last, and a closure says that it was read.
      "closure": row.state == .closed || !paging.isFirst
        ? .none
        : .record([
          "action": .text(path + "/closure"), "seen": .text(String(messages.first?.id ?? 0)),
        ]),
      "reopening": row.state == .closed ? .text(path + "/reopening") : .none,
    ]
  }

  private func replyForm(
    _ desk: Desk, _ path: String, _ page: PageContext
  ) -> [String: TemplateValue] {
    let t = page.strings
    let field = FormField(
      id: "reply", label: t["support.reply"],
      hint: t(
        "support.reply_hint", ["name": page.name(of: row.customer), "bot": "@" + botUsername]),
      value: desk.reply, kind: .area(rows: 6, max: 4096))
    return [
      "action": .text(path + "/replies"),
      "summary": desk.replyProblems.summary(page, of: [field]),
      "fields": .records([field]) { $0.model(desk.replyProblems, page) },
      "templates": desk.templates.isEmpty
        ? .none
        : .record([
          "choices": .records(desk.templates) { choice in
            [
              "value": .text(choice.value), "words": .text(choice.title),
              "selected": .flag(choice.value == desk.chosenTemplate),
            ]
          }
        ]),
    ]
  }

  private func noteForm(
    _ desk: Desk, _ path: String, _ page: PageContext
  ) -> [String: TemplateValue] {
    let t = page.strings
    let field = FormField(
      id: "note", label: t["support.note"], hint: t["support.note_hint"], value: desk.note,
      kind: .area(rows: 3, max: 4096))
    return [
      "action": .text(path + "/notes"), "open": .flag(!desk.noteProblems.isEmpty),
      "summary": desk.noteProblems.summary(page, of: [field]),
      "fields": .records([field]) { $0.model(desk.noteProblems, page) },
    ]
  }

  private func assignment(
    _ desk: Desk, _ path: String, _ page: PageContext
  ) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "action": .text(path + "/assignment"),
      "agents": .list(
        [
          [
            "value": "", "words": .text(t["support.nobody"]),
            "selected": .flag(desk.assignedTo == nil),
          ]
        ]
          + desk.agents.map { agent in
            [
              "value": .text(String(agent.id)), "words": .text(agent.name),
              "selected": .flag(agent.id == desk.assignedTo),
            ]
          }),
      "mine": desk.assignedTo == desk.me ? .none : .text(String(desk.me)),
    ]
  }
}
