import Foundation

enum KeyState: String, Sendable, CaseIterable {
  case active, ending, ended, revoked

  var isUsable: Bool { self == .active || self == .ending }
}

enum KeyScope: String, Sendable, CaseIterable {
  case read, use, sell, support
}

/// One row of the list of keys. The key's own text is known to nobody but its bot.
struct KeyRow: Sendable, Equatable {
  var id: Int64
  /// Empty for a key that the program made.
  var name: String
  /// Without the @.
  var botUsername: String
  var prefix: String
  var scopes: [KeyScope]
  var createdAt: Date
  var lastUsedAt: Date?
  var expiresAt: Date?
  var state: KeyState

  func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "href": .text(Links.key(page.slug, id)),
      "name": .text(name.isEmpty ? t["key.unnamed"] : name),
      "bot": .text("@" + botUsername),
      "prefix": .text(prefix + "…"),
      "scopes": .text(scopes.map { t[.init("key.scope_\($0.rawValue)")] }.joined(separator: ", ")),
      "created": .record(["time": format.time(createdAt)]),
      "used": .optional(lastUsedAt) { ["time": format.time($0)] },
      "ends": .optional(state == .ending ? expiresAt : nil) { ["time": format.time($0)] },
      "state": .text(t[.init("key.state_\(state.rawValue)")]),
      "state_class": .text(state.rawValue),
    ]
  }
}

/// The keys of a workspace, newest first.
struct KeysView: Sendable, Equatable {
  var rows: [KeyRow]
  var mayChange: Bool
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    return page.page(
      .keys, title: page.strings["nav.keys"], place: .keys,
      [
        "new": mayChange ? .text(Links.newKey(page.slug)) : .none,
        "results": rows.isEmpty ? .none : .record(["rows": .records(rows) { $0.model(page) }]),
        "paging": paging.model(path: Links.keys(page.slug)),
      ])
  }
}

/// The form that makes a key.
struct KeyFormView: Sendable, Equatable {
  enum Problem: String, Sendable, CaseIterable { case name, bot, scopes }

  struct Choice: Sendable, Equatable {
    var id: Int64
    /// Without the @.
    var username: String
  }

  var bots: [Choice]
  var name = ""
  var botID: Int64?
  var scopes: Set<KeyScope> = [.read, .use, .sell]
  var problems: [Problem] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let problems = FormProblems(
      rows: problems.map {
        .init(field: $0.rawValue, words: t[.init("key.problem_\($0.rawValue)")])
      })
    return page.page(
      .keyNew, title: t["key.new"], place: .keys,
      trail: [(title: t["nav.keys"], href: Links.keys(page.slug))],
      [
        "add_bot": .text(Links.newBot(page.slug)),
        "form": bots.isEmpty
          ? .none
          : .record([
            "action": .text(Links.keys(page.slug)),
            "summary": problems.model,
            "name": .text(name), "name_problem": problems.words("name"),
            "bot_problem": problems.words("bot"), "scopes_problem": problems.words("scopes"),
            "bots": .records(bots) {
              [
                "id": .text(String($0.id)), "label": .text("@" + $0.username),
                "selected": .flag($0.id == botID),
              ]
            },
            "scopes": .records(KeyScope.allCases) { scope in
              [
                "id": .text(scope.rawValue),
                "label": .text(t[.init("key.scope_\(scope.rawValue)")]),
                "hint": .text(t[.init("key.scope_hint_\(scope.rawValue)")]),
                "checked": .flag(scopes.contains(scope)),
              ]
            },
          ]),
      ])
  }
}

/// One key, and what an owner can do with it.
struct KeyView: Sendable, Equatable {
  static let overlaps = ["0", "3600", "86400"]

  enum Warning: String, Sendable, CaseIterable {
    case unconfirmed
    /// Somebody else was faster.
    case ended
  }

  var key: KeyRow
  var createdBy: String
  var revokedAt: Date?
  var mayChange: Bool
  var warning: Warning?
  var audit: [PaymentView.AuditLine] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let path = Links.key(page.slug, key.id)
    return page.page(
      .key, title: key.name.isEmpty ? t["key.unnamed"] : key.name, place: .keys,
      trail: [(title: t["nav.keys"], href: Links.keys(page.slug))],
      [
        "key": .record(key.model(page)),
        "created_by": .optional(createdBy.isEmpty ? nil : createdBy),
        "revoked": .optional(revokedAt) { ["time": page.format.time($0)] },
        "warning": .optional(warning.map { t[.init("key.\($0.rawValue)")] }),
        "rotation": mayChange && key.state == .active
          ? .record([
            "action": .text(path + "/rotation"),
            "overlaps": .records(Self.overlaps) {
              ["value": .text($0), "label": .text(t[.init("key.overlap_\($0)")])]
            },
          ]) : .none,
        "revocation": mayChange && key.state.isUsable
          ? .record([
            "action": .text(path + "/revocation"), "open": .flag(warning == .unconfirmed),
          ]) : .none,
        "audit": PaymentView.audit(audit, page),
      ])
  }
}

/// A secret that is shown once, as the answer to the form that made it.
struct SecretView: Sendable, Equatable {
  enum Kind: Sendable, Equatable {
    case key(name: String)
    /// A new key in an old one's place, which works until then.
    case rotatedKey(name: String, oldUntil: Date?)
    case relaySecret(botID: Int64, name: String)
    /// A link into the team.
    case invitation(name: String)
    /// A link that resets a member's password or second factor.
    case reset(memberID: Int64, name: String)
  }

  var kind: Kind
  var text: String

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let (place, trail, back): (PageContext.Place, [(title: String, href: String)], String)
    let (title, words, note): (String, String, TemplateValue)
    switch kind {
    case .key(let name):
      (place, back) = (.keys, Links.keys(page.slug))
      trail = [(t["nav.keys"], Links.keys(page.slug))]
      (title, words, note) = (t("secret.key_title", ["name": name]), t["secret.key"], .none)
    case .rotatedKey(let name, let until):
      (place, back) = (.keys, Links.keys(page.slug))
      trail = [(t["nav.keys"], Links.keys(page.slug))]
      (title, words) = (t("secret.key_title", ["name": name]), t["secret.key"])
      note = .text(
        until.map { t("secret.old_until", ["time": page.format.exact($0)]) }
          ?? t["secret.old_ended"])
    case .relaySecret(let id, let name):
      (place, back) = (.bots, Links.bot(page.slug, id))
      trail = [
        (t["nav.bots"], Links.bots(page.slug)), (name, Links.bot(page.slug, id)),
      ]
      (title, words) = (t["secret.relay_title"], t["secret.relay"])
      note = .text(t["secret.relay_note"])
    case .invitation(let name):
      (place, back) = (.team, Links.team(page.slug))
      trail = [(t["nav.team"], Links.team(page.slug))]
      (title, words) = (t("secret.invitation_title", ["name": name]), t["secret.invitation"])
      note = .text(t["secret.invitation_note"])
    case .reset(let id, let name):
      (place, back) = (.team, Links.member(page.slug, id))
      trail = [(t["nav.team"], Links.team(page.slug)), (name, Links.member(page.slug, id))]
      (title, words) = (t("secret.reset_title", ["name": name]), t["secret.reset"])
      note = .text(t["secret.reset_note"])
    }
    return page.page(
      .secret, title: title, place: place, trail: trail,
      [
        "words": .text(words), "note": note, "secret": .text(text), "back": .text(back),
      ])
  }
}
