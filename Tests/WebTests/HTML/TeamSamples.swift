import Foundation

@testable import Web

extension Samples {
  static let members: [MemberRow] = [
    MemberRow(
      id: 1, name: "Ana Souza", email: "ana@estudio.example", role: .owner, hasSecondFactor: true,
      joinedAt: ago(80 * day), lastSeenAt: ago(minute), isReader: true),
    MemberRow(
      id: 2, name: hostile, email: "\"<b>\"@estudio.example", role: .support,
      hasSecondFactor: false, joinedAt: ago(day), lastSeenAt: nil),
    MemberRow(
      id: 3, name: longName, email: String(repeating: "m", count: 60) + "@estudio.example",
      role: .viewer, hasSecondFactor: false, joinedAt: ago(3 * day), lastSeenAt: ago(hour)),
  ]

  static let auditLines: [AuditView.Line] = [
    .init(
      change: RuleChange(
        id: 9, at: ago(minute), actor: "ana@estudio.example", action: "team.role_changed",
        facts: [
          .init(name: "role", before: "viewer", after: "support"),
          .init(name: "unassigned_cases", before: nil, after: "1200"),
          .init(name: "both_sides", before: "no", after: "yes"),
          .init(name: "resets", before: nil, after: "totp"),
        ]), kind: "operator", subject: "bo@estudio.example"),
    .init(
      change: RuleChange(
        id: 8, at: ago(hour), actor: "refund.settle", action: "refund.confirmed", facts: []),
      isOurs: true, kind: "refund", subject: "31"),
    .init(
      change: RuleChange(
        id: 7, at: ago(day), actor: hostile, action: "of_a.later_release", reason: hostile,
        facts: [.init(name: "of_a_later_release", before: hostile, after: nil)]),
      kind: "of_a_later_release", subject: hostile),
    .init(
      change: RuleChange(
        id: 6, at: ago(9 * day), actor: "ana@estudio.example", action: "rates.edited",
        facts: [.init(name: "usd_per_100_stars", before: "1.30", after: "1.25")]),
      kind: "rates", subject: "4"),
  ]

  static var account: AccountView {
    AccountView(email: "ana@estudio.example", name: "Ana Souza", locale: .en)
  }

  private static func own(_ language: Language = .en) -> Frame {
    var frame = frame(language)
    frame.workspace = nil
    frame.timeZone = .gmt
    return frame
  }

  static let teamPages: [GoldenTests.Page] =
    accountPages + [
      GoldenTests.Page(name: "team") {
        TeamView(
          members: members,
          invitations: [
            .init(
              id: 4, name: hostile, role: .manager, madeBy: "ana@estudio.example",
              expiresAt: now.addingTimeInterval(6 * day))
          ], draft: .init(), mayInviteToBoth: true
        ).render(with: $0, in: frame())
      },
      GoldenTests.Page(name: "team-refused-pt") {
        TeamView(
          members: [members[0]],
          draft: .init(
            name: "", role: .viewer, hasBothSides: false,
            problems: [
              FormProblem(field: "name", kind: .name(max: 80)),
              FormProblem(field: "role", kind: .gone),
            ])
        ).render(with: $0, in: frame(.ptBR))
      },
      GoldenTests.Page(name: "team-viewer") {
        TeamView(members: members).render(with: $0, in: frame())
      },
      GoldenTests.Page(name: "member") {
        MemberView(
          member: members[1], mayEdit: true, ownsBothSides: true, resets: .offered,
          history: [auditLines[0].change]
        ).render(with: $0, in: frame())
      },
      GoldenTests.Page(name: "member-last-owner-pt") {
        MemberView(member: members[0], mayEdit: true, warning: .lastOwner)
          .render(with: $0, in: frame(.ptBR))
      },
      GoldenTests.Page(name: "member-unconfirmed") {
        MemberView(member: members[2], mayEdit: true, resets: .notYours, warning: .unconfirmed)
          .render(with: $0, in: frame())
      },
      GoldenTests.Page(name: "member-viewer-pt") {
        MemberView(member: members[0], mayEdit: false).render(with: $0, in: frame(.ptBR))
      },
      GoldenTests.Page(name: "secret-invitation") {
        SecretView(
          kind: .invitation(name: hostile), text: "https://estars.example/invitations/secret"
        ).render(with: $0, in: frame())
      },
      GoldenTests.Page(name: "secret-reset-pt") {
        SecretView(
          kind: .reset(memberID: 2, name: "Bo"), text: "https://estars.example/resets/secret"
        ).render(with: $0, in: frame(.ptBR))
      },
      GoldenTests.Page(name: "audit") {
        AuditView(
          actors: ["ana@estudio.example", hostile],
          actions: ["team.invited", "of_a.later_release"],
          kinds: ["refund", "of_a_later_release"], lines: auditLines,
          paging: Paging(nextCursor: "6", isFirst: true)
        ).render(with: $0, in: frame())
      },
      GoldenTests.Page(name: "audit-none-pt") {
        AuditView(
          filter: .init(
            actor: hostile, action: "gone", kind: "pack", subject: hostile, from: "2026-11-31",
            until: "2026-11-30"), problems: [FormProblem(field: "from", kind: .day)],
          kinds: ["pack"], lines: []
        ).render(with: $0, in: frame(.ptBR))
      },
      GoldenTests.Page(name: "gates") { GatesView().render(with: $0, in: frame()) },
      GoldenTests.Page(name: "gates-pt") { GatesView().render(with: $0, in: frame(.ptBR)) },
    ]

  private static let accountPages: [GoldenTests.Page] = [
    GoldenTests.Page(name: "login-totp") {
      LoginTOTPView(csrf: "c", next: "/w/x").render(with: $0, language: .en)
    },
    GoldenTests.Page(name: "login-totp-wrong-pt") {
      LoginTOTPView(csrf: "c", problem: .wrongCode).render(with: $0, language: .ptBR)
    },
    GoldenTests.Page(name: "login-totp-throttled") {
      LoginTOTPView(csrf: "c", problem: .tryLater(seconds: 61)).render(with: $0, language: .en)
    },
    GoldenTests.Page(name: "login-reset") {
      LoginView(failure: .reset).render(with: $0, language: .en)
    },
    GoldenTests.Page(name: "invitation") {
      InvitationView(
        token: "a-b", workspace: hostile, role: "support", invitedBy: "ana@estudio.example"
      ).render(with: $0, language: .en)
    },
    GoldenTests.Page(name: "invitation-refused-pt") {
      InvitationView(
        token: "a-b", workspace: "Figurinhas Lab", role: "owner", invitedBy: hostile,
        draft: .init(
          email: hostile, name: hostile,
          problems: [
            FormProblem(field: "email", kind: .email),
            FormProblem(field: "password", kind: .password(min: 10)),
            FormProblem(field: "again", kind: .differs),
          ])
      ).render(with: $0, language: .ptBR)
    },
    GoldenTests.Page(name: "invitation-known") {
      InvitationView(
        token: "a-b", workspace: "Figurinhas Lab", role: "viewer", invitedBy: "a@b.example",
        known: .init(email: "bo@estudio.example", csrf: "c")
      ).render(with: $0, language: .en)
    },
    GoldenTests.Page(name: "invitation-gone") {
      LinkGoneView(kind: .invitation).render(with: $0, language: .en)
    },
    GoldenTests.Page(name: "reset-gone-pt") {
      LinkGoneView(kind: .reset).render(with: $0, language: .ptBR)
    },
    GoldenTests.Page(name: "reset-password") {
      ResetView(token: "a-b", kind: .password, email: "ana@estudio.example")
        .render(with: $0, language: .en)
    },
    GoldenTests.Page(name: "reset-totp-pt") {
      ResetView(
        token: "a-b", kind: .totp, email: "ana@estudio.example",
        problems: [FormProblem(field: "password", kind: .wrongPassword)]
      ).render(with: $0, language: .ptBR)
    },
    GoldenTests.Page(name: "account") {
      var view = account
      view.notice = .saved
      return view.render(with: $0, in: own())
    },
    GoldenTests.Page(name: "account-refused-pt") {
      var view = account
      view.name = ""
      view.problems = [FormProblem(field: "name", kind: .name(max: 80))]
      view.passwordProblems = [
        FormProblem(field: "present", kind: .wrongPassword),
        FormProblem(field: "again", kind: .differs),
      ]
      return view.render(with: $0, in: own(.ptBR))
    },
    GoldenTests.Page(name: "account-totp") {
      AccountTOTPView(state: .off, isRequired: true).render(with: $0, in: own())
    },
    GoldenTests.Page(name: "account-totp-setup") {
      AccountTOTPView(
        state: .setup(
          secret: "MZXW6YTBOIMZXW6YTBOI", address: "otpauth://totp/eStars:ana?secret=MZXW6YTBOI"),
        form: .confirmation, problems: [FormProblem(field: "code", kind: .wrongCode)]
      ).render(with: $0, in: own())
    },
    GoldenTests.Page(name: "account-totp-on-pt") {
      AccountTOTPView(
        state: .on(since: ago(9 * day), recoveryCodesLeft: 1), form: .removal,
        problems: [FormProblem(field: "password", kind: .wrongPassword)]
      ).render(with: $0, in: own(.ptBR))
    },
    GoldenTests.Page(name: "account-totp-removed") {
      AccountTOTPView(state: .off, wasRemoved: true).render(with: $0, in: own())
    },
    GoldenTests.Page(name: "recovery-codes") {
      RecoveryCodesView(codes: ["abcd-efgh-ijkl-mnop", "2345-6723-4567-2345"], isNew: true)
        .render(with: $0, in: own())
    },
    GoldenTests.Page(name: "recovery-codes-renewed-pt") {
      RecoveryCodesView(codes: ["abcd-efgh-ijkl-mnop"], isNew: false)
        .render(with: $0, in: own(.ptBR))
    },
    GoldenTests.Page(name: "account-sessions") {
      AccountSessionsView(rows: [
        .init(
          id: 1, userAgent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", address: "192.0.2.1",
          createdAt: ago(hour), lastSeenAt: ago(minute), isThisOne: true),
        .init(
          id: 2, userAgent: hostile, address: "2001:db8::1", createdAt: ago(2 * day),
          lastSeenAt: ago(3 * hour), isThisOne: false),
        .init(
          id: 3, userAgent: "", address: "unknown", createdAt: ago(day), lastSeenAt: ago(hour),
          isThisOne: false),
      ]).render(with: $0, in: own())
    },
    GoldenTests.Page(name: "account-sessions-alone-pt") {
      AccountSessionsView(rows: [
        .init(
          id: 1, userAgent: "Firefox", address: "192.0.2.1", createdAt: ago(hour),
          lastSeenAt: ago(minute), isThisOne: true)
      ]).render(with: $0, in: own(.ptBR))
    },
  ]

  /// Words that are chosen by a value.
  static let teamWords: [String] =
    WorkspacesView.Role.allCases.map { "team.may_\($0)" }
    + MemberView.Warning.allCases.map { "team.warning_\($0.rawValue)" }
    + ResetView.Kind.allCases.flatMap {
      [
        "team.reset_\($0)", "reset.title_\($0)", "reset.about_\($0)", "reset.do_\($0)",
        "rule.resets_\($0)",
      ]
    } + LinkGoneView.Kind.allCases.map { "link_gone.\($0)" }
    + AccountTab.allCases.map { "account_tab.\($0)" }
    + AccountView.Notice.allCases.map { "account.notice_\($0)" }
    + GatesView.Gate.allCases.flatMap { ["gates.name_\($0.rawValue)", "gates.why_\($0.rawValue)"] }
    + ["invited", "invitation_revoked", "joined", "role_changed", "removed", "reset_made"].map {
      "audit.team_\($0)"
    }
    + [
      "password_changed", "password_reset", "totp_on", "totp_off", "totp_reset",
      "recovery_codes_renewed", "recovery_code_used",
    ].map { "audit.operator_\($0)" }
}
