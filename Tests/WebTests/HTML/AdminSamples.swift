import Foundation

@testable import Web

/// Asking to be let in, and those who decide about it.
extension Samples {
  private static func site(_ language: Language) throws -> SiteFrame {
    try GoldenTests.site.get().frame(.pilot, language)
  }

  private static func admin(_ language: Language = .en, done: Done? = nil) -> Frame {
    var frame = frame(language)
    frame.workspace = nil
    frame.timeZone = .gmt
    frame.isAdmin = true
    frame.done = done
    return frame
  }

  private static let applicationFacts = ApplicationFacts(
    bot: "figurinhas_lab_bot", segment: .aiBot, stars: 12_000, cost: hostile,
    contact: "ana@estudio.example", pain: hostile)

  private static let talk: [ApplicationTalk] = [
    .init(kind: .note, writer: "eve@estars.example", at: ago(3 * day), body: hostile),
    .init(kind: .question, writer: "eve@estars.example", at: ago(2 * day), body: "How many?"),
    .init(kind: .answer, writer: nil, at: ago(day), body: hostile),
    .init(kind: .decision, writer: "eve@estars.example", at: ago(hour), body: "Welcome."),
  ]

  private static func row(
    _ id: Int64, _ state: ApplicationState, code: String? = nil, duplicates: Bool = false
  ) -> AdminApplicationsView.Row {
    .init(
      id: id, bot: "figurinhas_lab_bot", segment: .aiBot, stars: 12_000, state: state, code: code,
      receivedAt: ago(Double(id) * hour), hasDuplicates: duplicates)
  }

  private static let history: [RuleChange] = [
    RuleChange(
      id: 4, at: ago(hour), actor: "eve@estars.example", action: "application.declined",
      facts: [.init(name: "reason", before: nil, after: "poor_fit")]),
    RuleChange(
      id: 3, at: ago(day), actor: "eve@estars.example", action: "workspace.suspended",
      reason: hostile, facts: [.init(name: "stage", before: "pilot", after: "suspended")]),
  ]

  private static let business = BusinessRow(
    id: 5, name: "Figurinhas Lab", slug: "figurinhas-lab", segment: .aiBot, stage: .pilot,
    createdAt: ago(9 * day), bots: 2, owners: 1,
    drills: .init(finishedAt: ago(day), passed: 10, failed: 0),
    health: [
      SideHealth(side: .live, verifiedAt: ago(hour)),
      SideHealth(side: .test, verifiedAt: nil),
    ])

  private static let unwell = BusinessRow(
    id: 4, name: hostile, slug: "hostile", segment: .miniApp, stage: .suspended,
    createdAt: ago(40 * day), bots: 0, owners: 0,
    drills: .init(finishedAt: ago(day), passed: 7, failed: 3),
    health: [
      SideHealth(
        side: .live, verifiedAt: ago(day), verificationProblems: 2, openMismatches: 1,
        failingJobs: 3, webhookTroubles: 1)
    ])

  static let applicationPages: [GoldenTests.Page] = [
    .init(name: "application-new") { _ in
      try NewApplicationView(stamp: "a-stamp").render(in: site(.en))
    },
    .init(name: "application-new-refused-pt") { _ in
      try NewApplicationView(
        draft: .init(
          bot: hostile, segment: "ai_bot", stars: "x", cost: "", contact: "a", pain: hostile,
          code: hostile,
          problems: [
            FormProblem(field: "bot", kind: .botUsername),
            FormProblem(field: "stars", kind: .whole(min: 0, max: 1_000_000_000)),
            FormProblem(field: "cost", kind: .missing),
            FormProblem(field: "contact", kind: .contact(min: 3)),
            FormProblem(field: "code", kind: .invitationCode),
          ]), stamp: "a-stamp"
      ).render(in: site(.ptBR))
    },
    .init(name: "application-new-again") { _ in
      try NewApplicationView(stamp: "a-stamp", notice: .again).render(in: site(.en))
    },
    .init(name: "application-new-sent-before-pt") { _ in
      try NewApplicationView(stamp: "a-stamp", notice: .sentBefore("a-token")).render(
        in: site(.ptBR))
    },
    .init(name: "application-new-throttled") { _ in
      try NewApplicationView(stamp: "a-stamp", notice: .throttled(seconds: 7200)).render(
        in: site(.en))
    },
    .init(name: "application-new-removed-pt") { _ in
      try NewApplicationView(stamp: "a-stamp", notice: .removed).render(in: site(.ptBR))
    },
    .init(name: "application-asked-pt") { _ in
      try ApplicationView(
        token: "a-token", state: .asked, receivedAt: ago(3 * day), facts: applicationFacts,
        talk: talk.filter { $0.kind != .note }, answer: hostile, problem: .tooLong, now: now
      ).render(in: site(.ptBR))
    },
    .init(name: "application-declined") { _ in
      try ApplicationView(
        token: "a-token", state: .declined, receivedAt: ago(3 * day), decline: .noCapacity,
        facts: applicationFacts, problem: .unconfirmed, now: now
      ).render(in: site(.en))
    },
    .init(name: "application-received") { _ in
      try ApplicationView(token: "a-token", state: .received, hasCode: true, now: now)
        .render(in: site(.en))
    },
  ]

  static let adminPages: [GoldenTests.Page] = [
    .init(name: "admin") {
      AdminView(
        numbers: .init(
          received: 3, asked: 1,
          expansions: [.init(business: 5, name: hostile, askedAt: ago(hour))],
          stages: [.pilot: 4, .suspended: 1], admins: 2),
        system: .init(
          schema: "0008_pilots.sql", schemaAt: ago(day), databaseMegabytes: 1200,
          databaseVersion: "15.14", answerMilliseconds: 3,
          jobs: [.init(kind: "ledger.verify", late: 2, failing: 1, oldest: ago(hour))],
          journalDebits: 1)
      ).render(with: $0, in: admin())
    },
    .init(name: "admin-quiet-pt") {
      AdminView(
        numbers: .init(received: 0, asked: 0, admins: 1),
        system: .init(
          schema: "0008_pilots.sql", schemaAt: ago(day), databaseMegabytes: 12,
          databaseVersion: "15.14", answerMilliseconds: 1)
      ).render(with: $0, in: admin(.ptBR))
    },
    .init(name: "admin-applications") {
      AdminApplicationsView(
        rows: [
          row(1, .received, code: hostile), row(2, .asked, duplicates: true), row(3, .received),
        ], paging: Paging(nextCursor: "3", isFirst: true)
      ).render(with: $0, in: admin(done: .applicationRemoved))
    },
    .init(name: "admin-applications-none-pt") {
      AdminApplicationsView(show: .declined, rows: []).render(with: $0, in: admin(.ptBR))
    },
    .init(name: "admin-application") {
      var view = AdminApplicationView(
        row: row(2, .asked, code: "Meetup", duplicates: true), facts: applicationFacts,
        language: .ptBR)
      view.talk = talk
      view.draft.slug = "figurinhas-lab"
      view.duplicates = [
        .init(
          kind: .application, name: hostile, state: .declined, at: ago(9 * day),
          href: "/admin/applications/1"),
        .init(kind: .bot, name: "@shop_bot · Figurinhas Lab", href: "/admin/workspaces/5"),
        .init(kind: .person, name: "Ana", href: "/admin/operators/3"),
      ]
      return view.render(with: $0, in: admin())
    },
    .init(name: "admin-application-refused-pt") {
      var view = AdminApplicationView(
        row: row(2, .received), facts: applicationFacts, language: .en)
      view.draft = .init(
        form: .approval, slug: hostile, name: hostile,
        problems: [FormProblem(field: "slug", kind: .reservedSlug)])
      return view.render(with: $0, in: admin(.ptBR))
    },
    .init(name: "admin-application-late") {
      var view = AdminApplicationView(
        row: row(2, .declined), facts: applicationFacts, language: .en)
      view.draft.isLate = true
      view.decidedAt = ago(hour)
      view.decidedBy = "eve@estars.example"
      view.decline = .poorFit
      view.history = history
      return view.render(with: $0, in: admin(done: .declined))
    },
    .init(name: "admin-application-approved-pt") {
      var view = AdminApplicationView(
        row: row(2, .approved), facts: applicationFacts, language: .ptBR)
      view.decidedAt = ago(hour)
      view.decidedBy = "eve@estars.example"
      view.workspace = (5, hostile)
      return view.render(with: $0, in: admin(.ptBR))
    },
    .init(name: "invitation-codes") {
      InvitationCodesView(
        rows: zip(1..., InvitationCodesView.State.allCases).map { number, state in
          .init(
            id: Int64(number), name: number == 1 ? hostile : "Meetup", madeBy: "eve@estars.example",
            madeAt: ago(day), expiresAt: now.addingTimeInterval(9 * day), uses: 1, maxUses: 20,
            state: state)
        }, paging: Paging(nextCursor: "4", isFirst: true)
      ).render(with: $0, in: admin(done: .codeRevoked))
    },
    .init(name: "invitation-codes-refused-pt") {
      InvitationCodesView(
        rows: [],
        draft: .init(
          name: "", uses: "0", days: hostile,
          problems: [
            FormProblem(field: "name", kind: .missing),
            FormProblem(field: "uses", kind: .whole(min: 1, max: 1000)),
          ])
      ).render(with: $0, in: admin(.ptBR))
    },
    .init(name: "admin-workspaces") {
      AdminWorkspacesView(
        rows: [business, unwell], paging: Paging(nextCursor: "4", isFirst: true)
      ).render(with: $0, in: admin())
    },
    .init(name: "admin-workspaces-none-pt") {
      AdminWorkspacesView(rows: [], stage: .open, query: hostile)
        .render(with: $0, in: admin(.ptBR))
    },
    .init(name: "admin-workspace") {
      var view = AdminWorkspaceView(row: business)
      view.application = 2
      view.bots = [
        .init(username: "shop_bot", environment: .sandbox, isConnected: true),
        .init(username: "old_bot", environment: .live, isConnected: false),
      ]
      view.owners = [
        .init(id: 3, name: hostile, email: "ana@estudio.example", hasSecondFactor: true)
      ]
      view.run = passedRun
      view.expansion = .init(
        id: 8, state: .asked, askedAt: ago(hour), askedBy: "ana@estudio.example", body: hostile)
      view.visits = [
        .init(
          admin: "eve@estars.example", beganAt: ago(hour), endsAt: now, reason: hostile)
      ]
      view.openVisit = (now.addingTimeInterval(hour), "figurinhas-lab", "figurinhas-lab-test")
      view.history = history
      return view.render(with: $0, in: admin(done: .resumed))
    },
    .init(name: "admin-workspace-suspended-pt") {
      var view = AdminWorkspaceView(row: unwell)
      view.suspendedAt = ago(day)
      view.suspensionReason = hostile
      view.invitation = .init(
        madeBy: "eve@estars.example", expiresAt: now.addingTimeInterval(6 * day))
      view.expansion = .init(
        id: 8, state: .declined, askedAt: ago(9 * day), askedBy: "ana@estudio.example", body: "",
        decidedAt: ago(day), decidedBy: "eve@estars.example", answer: hostile)
      view.draft = .init(
        form: .resumption, reason: "",
        problems: [FormProblem(field: "reason", kind: .missing)], isLate: true)
      return view.render(with: $0, in: admin(.ptBR))
    },
    .init(name: "admin-operators") {
      AdminOperatorsView(
        rows: [
          .init(
            id: 1, name: "Eve", email: "eve@estars.example", isAdmin: true, hasSecondFactor: true,
            createdAt: ago(90 * day), lastSeenAt: ago(minute)),
          .init(
            id: 2, name: hostile, email: "ana@estudio.example", isAdmin: false,
            hasSecondFactor: false, createdAt: ago(day), lastSeenAt: nil,
            places: [
              .init(name: hostile, id: 5, role: .owner), .init(name: "Other", id: 7, role: .viewer),
            ]),
        ], paging: Paging(nextCursor: "2", isFirst: true)
      ).render(with: $0, in: admin())
    },
    .init(name: "admin-operators-none-pt") {
      AdminOperatorsView(rows: [], query: hostile).render(with: $0, in: admin(.ptBR))
    },
    .init(name: "admin-operator") {
      AdminOperatorView(
        row: .init(
          id: 2, name: "Ana", email: "ana@estudio.example", isAdmin: false, hasSecondFactor: true,
          createdAt: ago(day), lastSeenAt: nil,
          places: [.init(name: hostile, id: 5, role: .owner)]), history: history
      ).render(with: $0, in: admin())
    },
    .init(name: "admin-operator-admin-pt") {
      AdminOperatorView(
        row: .init(
          id: 1, name: "Eve", email: "eve@estars.example", isAdmin: true, hasSecondFactor: true,
          createdAt: ago(90 * day), lastSeenAt: ago(minute)), isTooHigh: true
      ).render(with: $0, in: admin(.ptBR))
    },
    .init(name: "admin-gates-pt") { AdminGatesView().render(with: $0, in: admin(.ptBR)) },
    .init(name: "admin-audit") {
      AdminAuditView(
        actors: ["eve@estars.example"], actions: ["workspace.suspended"], kinds: ["workspace"],
        lines: history.map { .init(change: $0, kind: "workspace", subject: "5") },
        paging: Paging(nextCursor: "3", isFirst: true)
      ).render(with: $0, in: admin())
    },
    .init(name: "admin-audit-none-pt") {
      AdminAuditView(
        filter: .init(actor: hostile, from: "2026-02-31"),
        problems: [FormProblem(field: "from", kind: .day)], lines: []
      ).render(with: $0, in: admin(.ptBR))
    },
    .init(name: "admin-secret-invitation") {
      AdminSecretView(
        kind: .invitation(business: 5, name: hostile),
        text: "https://estars.example/invitations/secret"
      ).render(with: $0, in: admin())
    },
    .init(name: "admin-secret-code-pt") {
      AdminSecretView(kind: .code(name: "Meetup"), text: "ABCD-EFGH-IJKL-MNOP")
        .render(with: $0, in: admin(.ptBR))
    },
    .init(name: "admin-secret-reset") {
      AdminSecretView(
        kind: .reset(operator: 2, name: hostile), text: "https://estars.example/resets/secret"
      ).render(with: $0, in: admin())
    },
    .init(name: "audit-visited") {
      var frame = frame()
      frame.isAdmin = true
      frame.visitEndsAt = now.addingTimeInterval(hour)
      return AuditView(
        lines: [
          .init(
            change: RuleChange(
              id: 9, at: ago(minute), actor: "eve@estars.example", action: "workspace.visited",
              reason: hostile,
              facts: [.init(name: "until", before: nil, after: "2026-11-22T08:00:00Z")]),
            isOurs: true, kind: "workspace", subject: "5")
        ]
      ).render(with: $0, in: frame)
    },
  ]

  /// Words that are chosen by a value.
  static let applicationWords: [String] =
    ApplicationState.allCases.map { "application_state.\($0)" }
    + ApplicationDecline.allCases.flatMap {
      ["decline.\($0.rawValue)", "rule.application_reason_\($0.rawValue)"]
    }
    + ApplicationTalk.Kind.allCases.map { "application_talk.\($0)" }
    + ["bot", "segment", "stars", "cost", "contact", "pain"].flatMap {
      ["apply.\($0)", "apply.\($0)_hint", "apply.\($0)_kept"]
    }
    + BotSegment.allCases.map { "apply.segment_\($0.rawValue)" }
    + PageContext.AdminPlace.allCases.map { "admin.nav_\($0.rawValue)" }
    + AdminApplicationsView.Show.allCases.map { "applications.show_\($0)" }
    + AdminApplicationView.Form.allCases.flatMap {
      ["application.do_\($0)", "application.about_\($0)"]
    }
    + AdminApplicationView.Duplicate.Kind.allCases.map { "application.duplicate_\($0)" }
    + ["note", "question", "approval_words", "decline_words"].flatMap {
      ["application.field_\($0)", "application.hint_\($0)"]
    }
    + InvitationCodesView.State.allCases.map { "invitation_codes.state_\($0.rawValue)" }
    + BusinessStage.allCases.map { "stage.\($0)" }
    + AdminWorkspaceView.Form.allCases.flatMap { ["business.do_\($0)", "business.about_\($0)"] }
    + AdminWorkspaceView.Form.allCases.filter { $0 != .invitation }.flatMap {
      ["business.reason_\($0)", "business.hint_\($0)"]
    }
    + ["verification", "mismatches", "jobs", "webhooks"].map { "business.health_\($0)" }
    + ExpansionRow.State.allCases.map { "expansion.state_\($0)" }
    + ["database", "schema", "late", "failing", "journal"].map { "admin.system_\($0)" }
}
