import Foundation

/// The chats in which operators read alerts.
struct AlertChatsView: Sendable, Equatable {
  struct Row: Sendable, Equatable {
    var botID: Int64
    var botUsername: String
    var chatID: Int64
    var title: String
    var linkedBy: String
    var linkedAt: Date
    /// The last message to it; nil: none yet.
    var last: MessageRow?
  }

  struct Bot: Sendable, Equatable {
    var id: Int64
    var username: String
  }

  enum Problem: String, Sendable, CaseIterable {
    case bot
    case tooMany = "too_many"
  }

  var rows: [Row]
  /// Bots that may speak; empty: there is none.
  var bots: [Bot]
  var mayEdit: Bool
  /// Makes a test message one, however often its form is sent.
  var formKey: String
  var problem: Problem?

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let problems = FormProblems(
      rows: problem.map {
        [.init(field: "bot", words: t[.init("alert_chats.problem_\($0.rawValue)")])]
      }
        ?? [])
    return page.page(
      .alertChats, title: t["alert_chats.title"], place: .alerts,
      trail: [(title: t["nav.alerts"], href: Links.alerts(page.slug))],
      [
        "tabs": AlertTab.model(.chats, page),
        "results": rows.isEmpty
          ? .none : .record(["rows": .records(rows) { model($0, page) }]),
        "form": mayEdit && !bots.isEmpty
          ? .record([
            "action": .text(Links.alertChats(page.slug)), "summary": problems.model,
            "problem": problems.words("bot"),
            "bots": .records(bots) {
              ["value": .text(String($0.id)), "label": .text("@" + $0.username)]
            },
          ]) : .none,
        "no_bot": bots.isEmpty ? .text(Links.bots(page.slug)) : .none,
      ])
  }

  private func model(_ row: Row, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let path = "\(Links.alertChats(page.slug))/\(row.botID)/\(row.chatID)"
    return [
      "title": .text(row.title.isEmpty ? String(row.chatID) : row.title),
      "kind": .text(t[row.chatID < 0 ? "alert_chats.group" : "alert_chats.person"]),
      "bot": .text("@" + row.botUsername),
      "by": .text(row.linkedBy),
      "linked": .record(["time": page.format.time(row.linkedAt)]),
      "last": .optional(row.last) { $0.model(page) },
      "forms": mayEdit
        ? .record([
          "test": .text(path + "/test"), "removal": .text(path + "/removal"),
          "key": .text(formKey),
          "about": .text(t("alert_chats.unlink_about", ["bot": "@" + row.botUsername])),
        ]) : .none,
    ]
  }
}

/// A code that links a chat. It is shown in this one answer.
struct AlertCodeView: Sendable, Equatable {
  var botUsername: String
  var code: String
  var minutes: Int
  /// Telegram's own address opens the bot; a sandbox has none.
  var isAtTelegram: Bool

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let bot = "https://t.me/\(botUsername)"
    return page.page(
      .alertCode, title: t["alert_chats.code_title"], place: .alerts,
      trail: [
        (title: t["nav.alerts"], href: Links.alerts(page.slug)),
        (title: t["alert_chats.title"], href: Links.alertChats(page.slug)),
      ],
      [
        "words": .text(
          t("alert_chats.code_words", ["bot": "@" + botUsername, "minutes": String(minutes)])),
        "person": .text("/start \(code)"),
        "group": .text("/start@\(botUsername) \(code)"),
        "links": isAtTelegram
          ? .record([
            "person": .text("\(bot)?start=\(code)"),
            "group": .text("\(bot)?startgroup=\(code)"),
          ]) : .none,
        "back": .text(Links.alertChats(page.slug)),
      ])
  }
}
