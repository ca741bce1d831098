import Foundation

@testable import Web

/// Pages of support cases and of the templates to answer from.
enum SupportSamples {
  static let rows: [SupportCaseRow] = [
    SupportCaseRow(
      id: 31, customer: Samples.ana, subject: "Where are my credits?", topic: .creditsMissing,
      state: .open, isOverdue: true, assignee: nil, openedAt: Samples.ago(3 * Samples.day),
      waitsSince: Samples.ago(2 * Samples.day), lastMessageAt: Samples.ago(Samples.hour)),
    SupportCaseRow(
      id: 32, customer: Samples.mallory, subject: Samples.hostile, topic: .refund, state: .open,
      assignee: Samples.hostile, openedAt: Samples.ago(Samples.hour),
      waitsSince: Samples.ago(Samples.hour), lastMessageAt: Samples.ago(Samples.hour)),
    SupportCaseRow(
      id: 33, customer: Samples.fox, subject: Samples.rightToLeft, topic: .access, state: .waiting,
      assignee: "Bia Santos", openedAt: Samples.ago(5 * Samples.day), waitsSince: nil,
      lastMessageAt: Samples.ago(4 * Samples.day)),
    SupportCaseRow(
      id: 1_234_567, customer: Samples.erased, subject: Samples.longName, topic: .other,
      state: .closed, openedAt: Samples.ago(90 * Samples.day), waitsSince: nil,
      lastMessageAt: Samples.ago(80 * Samples.day)),
  ]

  static let list = SupportCasesView(
    pressure: .init(
      cases: 12, overdue: 3, points: 1_044,
      byProduct: [
        .init(name: "Start", cases: 8, points: 900),
        .init(name: Samples.hostile, cases: 3, points: 100), .init(name: "", cases: 1, points: 44),
      ],
      bySegment: [
        .init(name: "ai_bot", cases: 10, points: 1_000),
        .init(name: "mini_app", cases: 2, points: 44),
      ]), sla: .init(minutes: "480"), maySetSLA: true, rows: rows,
    paging: Paging(nextCursor: "1~2"))

  static let messages: [SupportMessageRow] = [
    SupportMessageRow(
      id: 5, author: .operator, authorName: "bia@estudio.example",
      body: "Hi Ana,\nwe looked at it.", at: Samples.ago(Samples.hour),
      delivery: MessageRow(
        state: .blocked, problem: .telegram("Forbidden: bot was blocked by the <user>"),
        at: Samples.ago(Samples.hour))),
    SupportMessageRow(
      id: 4, author: .operator, authorName: "bia@estudio.example", isNote: true,
      body: "A lot expired at night.", at: Samples.ago(2 * Samples.hour)),
    SupportMessageRow(
      id: 3, author: .system, isNote: true, body: "One invoice was paid again.",
      at: Samples.ago(3 * Samples.hour)),
    SupportMessageRow(
      id: 2, author: .buyer, body: Samples.hostile + "\n\n" + Samples.rightToLeft,
      at: Samples.ago(2 * Samples.day)),
    SupportMessageRow(
      id: 1, author: .buyer, body: "Where are my credits?", attachment: .photo,
      at: Samples.ago(3 * Samples.day)),
  ]

  static let desk = SupportCaseView.Desk(
    agents: [.init(id: 3, name: "Bia Santos"), .init(id: 4, name: Samples.hostile)],
    assignedTo: 4, me: 3,
    templates: [
      .init(value: "credits:en", title: "Where your credits went"),
      .init(value: "hostile:en", title: Samples.hostile),
    ], formKey: "0F5C-key")

  static let view = SupportCaseView(
    row: rows[0], source: .buyer, botUsername: "figurinhas_bot",
    firstAnsweredAt: Samples.ago(Samples.hour), refundID: 7,
    glance: .init(available: -3, held: 2, hasPurchased: true, language: "pt-br"),
    payment: Samples.payments[1], strip: Array(Samples.strip[0...3]), messages: messages,
    paging: Paging(nextCursor: "1"), desk: desk,
    audit: [
      .init(at: Samples.ago(Samples.hour), actor: "bia@estudio.example", action: "support.replied"),
      .init(at: Samples.ago(Samples.day), actor: "@figurinhas_bot", action: "support.opened"),
    ])

  static let opening = NewSupportCaseView(
    customer: Samples.mallory, payments: Samples.payments,
    bots: [.init(id: 77_001, username: "figurinhas_bot"), .init(id: 2, username: "servico_bot")],
    key: "form:0F5C", payment: NewSupportCaseView.value(of: Samples.hostileKey), topic: .refund,
    botID: 77_001)

  static let template = ReplyTemplateView(
    key: "not-delivered",
    words: [
      .init(language: "en", title: "Nothing came", body: "Sorry, {name}: {balance}."),
      .init(language: "es"), .init(language: "ru"),
      .init(language: "pt-br", title: "Não chegou", body: "Desculpe, {name}.\n" + Samples.hostile),
    ], mayEdit: true,
    history: [
      RuleChange(
        id: 1, at: Samples.ago(Samples.day), actor: "ana@estudio.example",
        action: "reply_template.edited",
        facts: [.init(name: "body:en", before: "Sorry.", after: "Sorry, {name}: {balance}.")])
    ])

  static let pages: [GoldenTests.Page] = [
    .init(name: "support-cases") { list.render(with: $0, in: Samples.frame()) },
    .init(name: "support-cases-found-pt") {
      var view = list
      view.filter = .init(show: .open, owner: .mine, topic: .refund, isOverdue: true)
      view.sla = .init(
        minutes: "3", problems: [.init(field: "minutes", kind: .whole(min: 5, max: 43_200))])
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "support-cases-none") {
      SupportCasesView(
        filter: .init(show: .closed),
        pressure: .init(cases: 0, overdue: 0, points: 0, byProduct: [], bySegment: []),
        sla: .init(minutes: "45"), maySetSLA: false, rows: []
      ).render(with: $0, in: Samples.frame())
    },
    .init(name: "support-cases-none-found-pt") {
      var view = list
      (view.filter, view.rows) = (.init(show: .all, owner: .nobody), [])
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "support-case") { view.render(with: $0, in: Samples.frame()) },
    .init(name: "support-case-wrong-pt") {
      var view = view
      view.warning = .newWords
      view.desk?.reply = Samples.hostile
      view.desk?.replyProblems = [.init(field: "reply", kind: .tooLong(max: 4_096))]
      view.desk?.noteProblems = [.init(field: "note", kind: .missing)]
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "support-case-closed") {
      var view = view
      view.row = rows[3]
      (view.closedAt, view.closedBy) = (Samples.ago(80 * Samples.day), "bia@estudio.example")
      view.desk?.assignedTo = 3
      return view.render(with: $0, in: Samples.frame())
    },
    .init(name: "support-case-viewer-pt") {
      var view = view
      (view.desk, view.payment, view.strip, view.audit) = (nil, nil, [], [])
      view.glance = .init(available: 0, held: 0, hasPurchased: false, language: "ru")
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "support-case-new") { opening.render(with: $0, in: Samples.frame()) },
    .init(name: "support-case-new-wrong-pt") {
      var view = opening
      view.problems = [.init(field: "note", kind: .missing)]
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "support-case-new-no-bot") {
      var view = opening
      view.bots = []
      return view.render(with: $0, in: Samples.frame())
    },
    .init(name: "reply-templates") {
      ReplyTemplatesView(
        rows: [
          .init(key: "credits", title: "Where your credits went", languages: ["en", "pt-br"]),
          .init(key: "hostile", title: Samples.hostile, languages: ["ru", "es"]),
        ], mayEdit: true
      ).render(with: $0, in: Samples.frame())
    },
    .init(name: "reply-templates-none-pt") {
      ReplyTemplatesView(rows: [], mayEdit: false).render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "reply-template") { template.render(with: $0, in: Samples.frame()) },
    .init(name: "reply-template-new-wrong-pt") {
      var view = template
      (view.key, view.typedKey, view.history) = (nil, "No Key", [])
      view.problems = [
        .init(field: "key", kind: .form(.key(max: 48))),
        .init(field: "body-pt-br", kind: .unknownPlace("nme")),
      ]
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "reply-template-viewer") {
      var view = template
      view.mayEdit = false
      return view.render(with: $0, in: Samples.frame())
    },
  ]

  /// Keys that end in a value.
  static let words: [String] =
    SupportTopic.allCases.map { "support_topic.\($0.rawValue)" }
    + SupportCaseState.allCases.map { "support_state.\($0)" }
    + SupportSource.allCases.map { "support.source_\($0)" }
    + SupportCasesView.Show.allCases.flatMap { show in
      ["show", "hint", "none", "none_hint"].map { "support.\($0)_\(show)" }
    } + SupportCasesView.Owner.allCases.map { "support.owner_\($0)" }
    + SupportCaseView.Warning.allCases.map { "support.warning_\($0.rawValue)" }
    + ReplyTemplateView.places.map { "reply_templates.place_\($0)" }
    + ["en", "pt_br", "es", "ru"].map { "buyer_language.\($0)" }
    + [
      "support_opened", "support_replied", "support_noted", "support_assigned", "support_closed",
      "support_reopened", "support_sla_changed", "reply_template_created", "reply_template_edited",
      "reply_template_removed",
    ].map { "audit.\($0)" }
}
