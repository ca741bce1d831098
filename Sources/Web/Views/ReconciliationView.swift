import Foundation

/// Whether Telegram's books, the payments and the ledger agree, and where the Stars stand.
struct ReconciliationView: Sendable, Equatable {
  struct Standing: Sendable, Equatable {
    /// nil: no bot was compared yet.
    var balance: Int64?
    var withdrawable: Int64?
    var balanceAt: Date?
    var held: Int64
    var liabilityCredits: Int64
    var liabilityStars: Int64
    /// Whole units of the currency.
    var liabilityMoney: Int64
    var deliveryMoney: Int64
    var currency: String
    var exposure: Int64
  }

  struct BotLine: Sendable, Equatable {
    var bot: BotLabel
    /// The newest comparison, and the newest that came to its end.
    var latest: ReconciliationRow?
    var compared: ReconciliationRow?
    var open: Int64
    /// It is not connected, so nobody can ask Telegram about it.
    var isConnected = true
  }

  var standing: Standing
  var bots: [BotLine]
  var showsOpen: Bool
  var rows: [MismatchRow]
  var paging = Paging()
  /// Whether what has one safe answer is put right without a click.
  var mendsItself: Bool
  var maySetRule: Bool
  var mayCompare: Bool
  var recent: [ReconciliationRow]

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, path) = (page.strings, Links.reconciliation(page.slug))
    let query = [(name: "show", value: showsOpen ? nil : Optional("all"))]
    let underWay = bots.compactMap(\.latest).filter(\.isUnderWay)
    return page.page(
      .reconciliation, title: t["nav.reconciliation"], place: .reconciliation,
      [
        "progress": underWay.isEmpty
          ? .none
          : .record([
            "href": .text(Links.with(path, query)),
            "rows": .records(underWay) { ["words": .text($0.progress(page))] },
          ]),
        "figures": .list(figures(page)),
        "bots": bots.isEmpty
          ? .none : .record(["rows": .records(bots) { line($0, page) }]),
        "compare_all": mayCompare && bots.filter(\.isConnected).count > 1
          ? .record(["action": .text(path + "/runs")]) : .none,
        "tabs": .list([
          tab(t["reconciliation.open"], path, showsOpen),
          tab(t["reconciliation.all"], Links.with(path, [("show", "all")]), !showsOpen),
        ]),
        "results": rows.isEmpty ? .none : .record(["rows": .records(rows) { $0.model(page) }]),
        "none": .text(t[.init(showsOpen ? "reconciliation.none_open" : "reconciliation.none")]),
        "none_hint": .text(
          t[
            .init(showsOpen ? "reconciliation.none_open_hint" : "reconciliation.none_hint")]),
        "paging": paging.model(path: path, query: query),
        "rule": .text(t[.init("reconciliation.rule_\(mendsItself ? "on" : "off")")]),
        "rule_form": maySetRule
          ? .record([
            "action": .text(path + "/rule"), "value": .text(mendsItself ? "0" : "1"),
            "button": .text(t[.init("reconciliation.turn_\(mendsItself ? "off" : "on")")]),
          ]) : .none,
        "recent": recent.isEmpty
          ? .none : .record(["rows": .records(recent) { $0.model(page) }]),
      ])
  }

  private func tab(_ title: String, _ href: String, _ isCurrent: Bool) -> TemplateValue {
    ["title": .text(title), "href": .text(href), "current": .flag(isCurrent)]
  }

  private func figures(_ page: PageContext) -> [TemplateValue] {
    let (t, format, now) = (page.strings, page.format, standing)
    let unknown = t["reconciliation.unknown"]
    let money = { (value: Int64) in format.money(format.number(value), now.currency) }
    return [
      figure(
        t["reconciliation.withdrawable"], now.withdrawable.map(format.stars) ?? unknown,
        t["reconciliation.withdrawable_note"], tone: .stars),
      figure(
        t["reconciliation.balance"], now.balance.map(format.stars) ?? unknown,
        now.balanceAt.map {
          t("reconciliation.balance_note", ["at": format.relative($0)])
        } ?? t["reconciliation.balance_never"], tone: .stars),
      figure(
        t["reconciliation.held"], format.stars(now.held), t["reconciliation.held_note"],
        tone: .quiet),
      figure(
        t["reconciliation.liability"], format.credits(now.liabilityCredits),
        t(
          "reconciliation.liability_note",
          [
            "stars": format.stars(now.liabilityStars), "money": money(now.liabilityMoney),
            "cost": money(now.deliveryMoney),
          ]), tone: .use),
      figure(
        t["reconciliation.exposure"], format.stars(now.exposure),
        t["reconciliation.exposure_note"], tone: .back),
    ]
  }

  private func figure(
    _ label: String, _ value: String, _ note: String, tone: Tone
  ) -> TemplateValue {
    [
      "label": .text(label), "value": .text(value), "note": .text(note),
      "tone": .text(tone.rawValue),
    ]
  }

  private func line(_ line: BotLine, _ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    let nothing = "–"
    let verdict = verdict(line, t, format)
    return [
      "bot": .text("@" + line.bot.username), "href": .text(Links.bot(page.slug, line.bot.id)),
      "state": .text(verdict.words), "state_class": .text(verdict.dot),
      "movements": .text(line.compared.map { format.number($0.total) } ?? nothing),
      "matched": .text(line.compared.map { format.number($0.matched) } ?? nothing),
      "balance": .text(line.compared?.balance.map(format.stars) ?? nothing),
      "books": .text(line.compared?.books.map(format.stars) ?? nothing),
      "compared": .optional(line.compared) { ["time": format.time($0.at)] },
      "never": .text(nothing),
      "problem": .optional(line.latest?.state == .failed ? line.latest?.problem?.words(t) : nil),
      "form": mayCompare && line.isConnected && line.latest?.isUnderWay != true
        ? .record([
          "action": .text(Links.reconciliation(page.slug) + "/runs"),
          "bot_id": .text(String(line.bot.id)),
        ]) : .none,
    ]
  }

  private func verdict(
    _ line: BotLine, _ t: Strings, _ format: Formatting
  ) -> (words: String, dot: String) {
    if line.latest?.isUnderWay == true { return (t["reconciliation.state_running"], "requested") }
    if line.latest?.state == .failed { return (t["reconciliation.state_failed"], "bad") }
    guard let compared = line.compared else { return (t["reconciliation.never"], "unknown") }
    if line.open > 0 {
      return (t("reconciliation.differs", count: line.open, ["n": format.number(line.open)]), "bad")
    }
    if compared.balance != compared.books { return (t["reconciliation.balance_differs"], "bad") }
    return (t["reconciliation.agrees"], "good")
  }
}
