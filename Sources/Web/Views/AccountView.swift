import Foundation

/// The pages of an operator's own account.
enum AccountTab: String, Sendable, CaseIterable {
  case profile, totp, sessions

  private var path: String {
    switch self {
    case .profile: Links.account
    case .totp: Links.accountTOTP
    case .sessions: Links.accountSessions
    }
  }

  static func model(_ current: AccountTab, _ page: PageContext) -> TemplateValue {
    .records(allCases) { tab in
      [
        "title": .text(page.strings[.init("account_tab.\(tab.rawValue)")]),
        "href": .text(tab.path), "current": .flag(tab == current),
      ]
    }
  }
}

/// What an operator says about themselves, and the password.
struct AccountView: Sendable, Equatable {
  enum Notice: String, Sendable, CaseIterable { case saved, password }

  var email: String
  var name: String
  var locale: Language
  var problems: [FormProblem] = []
  var passwordProblems: [FormProblem] = []
  var notice: Notice?

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let profile = [
      FormField(
        id: "name", label: t["account.name"], hint: t["account.name_hint"], value: name,
        kind: .text(max: 80)),
      FormField(
        id: "locale", label: t["account.language"], value: locale.rawValue,
        kind: .choice(
          Language.allCases.map {
            ($0.rawValue, t[.init("account.language_\($0 == .en ? "en" : "pt_br")")])
          })),
    ]
    let password = [
      FormField(
        id: "present", label: t["account.present_password"], value: "",
        kind: .password(isNew: false)),
      FormField(
        id: "password", label: t["account.new_password"], hint: t["account.password_hint"],
        value: "", kind: .password(isNew: true)),
      FormField(
        id: "again", label: t["account.again"], value: "", kind: .password(isNew: true)),
    ]
    return page.page(
      .account, title: t["account.title"], place: nil,
      [
        "tabs": AccountTab.model(.profile, page),
        "notice": .optional(notice.map { t[.init("account.notice_\($0.rawValue)")] }),
        "email": .text(email),
        "profile": .record(page.form(profile, problems, to: Links.account)),
        "password": .record(page.form(password, passwordProblems, to: Links.accountPassword)),
      ])
  }
}

extension PageContext {
  /// A form of plain fields.
  func form(
    _ fields: [FormField], _ problems: [FormProblem], to action: String
  ) -> [String: TemplateValue] {
    [
      "action": .text(action),
      "summary": problems.summary(self, of: fields, prefix: fields.first?.prefix ?? ""),
      "fields": .list(fields.map { .record($0.model(problems, self)) }),
    ]
  }
}

/// The second factor: off, being set up, or on.
struct AccountTOTPView: Sendable, Equatable {
  enum State: Sendable, Equatable {
    case off
    /// - Parameters:
    ///   - secret: In base32.
    ///   - address: What an authenticator opens.
    case setup(secret: String, address: String)
    case on(since: Date, recoveryCodesLeft: Int)
  }

  /// The form that a problem is about.
  enum Form: Sendable, Equatable { case begin, confirmation, renewal, removal }

  var state: State
  var isRequired = false
  var form: Form?
  var problems: [FormProblem] = []
  var wasRemoved = false

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    var values: [String: TemplateValue] = [
      "tabs": AccountTab.model(.totp, page),
      "notice": wasRemoved ? .text(t["totp.notice_removed"]) : .none,
      "required": isRequired && !isOn ? .text(t["totp.required"]) : .none,
      "off": .none, "setup": .none, "on": .none,
    ]
    let password = FormField(
      id: "password", label: t["account.present_password"], value: "",
      kind: .password(isNew: false))
    let code = FormField(
      id: "code", label: t["totp.code"], hint: t["totp.code_hint_app"], value: "", kind: .code)
    switch state {
    case .off:
      values["off"] = .record(page.form([password], problems(of: .begin), to: Links.accountTOTP))
    case .setup(let secret, let address):
      let form = page.form(
        [code], problems(of: .confirmation), to: Links.accountTOTP + "/confirmation")
      values["setup"] = .record(
        form.merging([
          "secret": .text(Self.groups(secret)), "address": .text(address),
        ]) { _, own in own })
    case .on(let since, let left):
      var (renewal, removal) = (password, [password, code])
      renewal.prefix = "renewal-"
      for index in removal.indices { removal[index].prefix = "removal-" }
      values["on"] = [
        "since": page.format.time(since),
        "left": .text(t("totp.codes_left", count: Int64(left), ["n": String(left)])),
        "renewal": .record(
          page.form(
            [renewal], problems(of: .renewal), to: Links.accountTOTP + "/recovery-codes")),
        "renewal_open": .flag(form == .renewal),
        "removal": .record(
          page.form(removal, problems(of: .removal), to: Links.accountTOTP + "/removal")),
        "removal_open": .flag(form == .removal),
      ]
    }
    return page.page(
      .accountTOTP, title: t["totp.title"], place: nil,
      trail: [(title: t["account.title"], href: Links.account)], values)
  }

  private var isOn: Bool { if case .on = state { true } else { false } }

  private func problems(of form: Form) -> [FormProblem] { form == self.form ? problems : [] }

  /// In fours, as people copy.
  private static func groups(_ secret: String) -> String {
    stride(from: 0, to: secret.count, by: 4)
      .map { String(secret.dropFirst($0).prefix(4)) }.joined(separator: " ")
  }
}

/// Codes that are shown once, as the answer to the form that made them.
struct RecoveryCodesView: Sendable, Equatable {
  var codes: [String]
  /// They came with the second factor itself.
  var isNew: Bool

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    return page.page(
      .recoveryCodes, title: t["totp.codes"], place: nil,
      trail: [
        (title: t["account.title"], href: Links.account),
        (title: t["totp.title"], href: Links.accountTOTP),
      ],
      [
        "words": .text(t[isNew ? "totp.codes_with_totp" : "totp.codes_renewed"]),
        "codes": .records(codes) { ["code": .text($0)] }, "back": .text(Links.accountTOTP),
      ])
  }
}

/// Where an operator is signed in.
struct AccountSessionsView: Sendable, Equatable {
  struct Row: Sendable, Equatable {
    var id: Int64
    var userAgent: String
    var address: String
    var createdAt: Date
    var lastSeenAt: Date
    var isThisOne: Bool
  }

  var rows: [Row]

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    return page.page(
      .accountSessions, title: t["sessions.title"], place: nil,
      trail: [(title: t["account.title"], href: Links.account)],
      [
        "tabs": AccountTab.model(.sessions, page),
        "rows": .records(rows) { row in
          let path = "\(Links.accountSessions)/\(row.id)/revocation"
          return [
            "browser": .text(row.userAgent.isEmpty ? t["sessions.unnamed"] : row.userAgent),
            "address": .text(row.address), "this": .flag(row.isThisOne),
            "created": ["time": page.format.time(row.createdAt)],
            "seen": ["time": page.format.time(row.lastSeenAt)],
            "end": row.isThisOne
              ? .none
              : .record([
                "action": .text(path),
                "label": .text("\(t["sessions.end"]): \(row.userAgent)"),
              ]),
          ]
        },
        "end_others": rows.contains { !$0.isThisOne }
          ? .text(Links.accountSessions + "/revocation") : .none,
      ])
  }
}
