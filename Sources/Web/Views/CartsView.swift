import Foundation

/// Abandoned carts: how many came back, what is done about them, and each of them.
struct CartsView: Sendable, Equatable {
  enum Skip: String, Sendable, CaseIterable {
    case switchedOff = "switched_off"
    case paidSince = "paid_since"
    case remindedLately = "reminded_lately"
    case newerCheckout = "newer_checkout"
    case withdrawn
    case notReached = "not_reached"
  }

  struct Recovery: Sendable, Equatable {
    var days: Int
    var carts: Int64
    var reminded: Int64
    var recovered: Int64
    var recoveredAfterReminder: Int64
    var stars: Int64
  }

  struct Row: Sendable, Equatable {
    var checkoutID: Int64
    var customer: CustomerLabel
    var title: String
    var stars: Int64
    var openedAt: Date
    var noticedAt: Date
    var skip: Skip?
    /// What became of the reminder; nil: there is none.
    var reminder: MessageState?
    /// What the reminder asked for, where that was less.
    var offeredStars: Int64?
    var recoveredAt: Date?
    var payment: PaymentKey?
  }

  /// The settings as they stand in the form.
  struct Draft: Sendable, Equatable {
    var minutes: String
    var reminds: Bool
    var discount: String
    var alerts: Bool
    var problems: [FormProblem] = []
  }

  var recovery: Recovery
  var draft: Draft
  /// Discounts that packs have, in percent.
  var discounts: [Int]
  var alertChats: Int
  var mayEdit: Bool
  var isOpen = false
  var rows: [Row]
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    return page.page(
      .carts, title: t["nav.carts"], place: .carts,
      [
        "figures": .list(figures(page)),
        "facts": .list(facts(page)),
        "chats_href": .text(Links.alertChats(page.slug)),
        "no_chat": .flag(draft.alerts && alertChats == 0),
        "form": mayEdit ? .record(form(page)) : .none,
        "results": rows.isEmpty ? .none : .record(["rows": .records(rows) { $0.model(page) }]),
        "paging": paging.model(path: Links.carts(page.slug)),
      ])
  }

  private func figures(_ page: PageContext) -> [TemplateValue] {
    let (t, format) = (page.strings, page.format)
    func figure(_ label: String, _ value: String, _ note: String, _ tone: Tone) -> TemplateValue {
      [
        "label": .text(label), "value": .text(value), "note": .text(note),
        "tone": .text(tone.rawValue),
      ]
    }
    let r = recovery
    return [
      figure(
        t["carts.rate"],
        r.carts == 0 ? "–" : format.percent(Self.percent(r.recovered, of: r.carts)),
        t(
          "carts.rate_note",
          [
            "n": format.number(r.recovered), "carts": format.number(r.carts),
            "days": String(r.days),
          ]),
        .in),
      figure(
        t["carts.reminded"], format.number(r.reminded),
        t(
          "carts.reminded_note", count: r.recoveredAfterReminder,
          ["n": format.number(r.recoveredAfterReminder)]), .use),
      figure(t["carts.stars"], format.stars(r.stars), t["carts.stars_note"], .stars),
    ]
  }

  /// Rounded half up.
  static func percent(_ part: Int64, of whole: Int64) -> Int64 {
    whole == 0 ? 0 : (part * 200 + whole) / (whole * 2)
  }

  private func facts(_ page: PageContext) -> [TemplateValue] {
    let t = page.strings
    let discount = draft.discount == "0" || !draft.reminds
    let reminder =
      !draft.reminds
      ? t["carts.off"]
      : discount ? t["carts.reminds_plain"] : t("carts.reminds_less", ["percent": draft.discount])
    return [
      (t["carts.minutes"], draft.minutes), (t["carts.reminder"], reminder),
      (
        t["carts.alerts"],
        draft.alerts
          ? t("carts.alerts_to", count: Int64(alertChats), ["n": String(alertChats)])
          : t["carts.off"]
      ),
    ].map { ["what": .text($0.0), "value": .text($0.1)] }
  }

  private func form(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    var choices = discounts.map { (value: String($0), label: page.format.percent(-Int64($0))) }
    if draft.discount != "0", !discounts.contains(where: { String($0) == draft.discount }) {
      choices.append((value: draft.discount, label: "−\(draft.discount)%"))
    }
    let fields = [
      FormField(
        id: "minutes", label: t["carts.minutes"], hint: t["carts.hint_minutes"],
        value: draft.minutes, kind: .text(max: 6, isNumber: true)),
      FormField(
        id: "discount", label: t["carts.discount"],
        hint: discounts.isEmpty ? t["carts.hint_no_discount"] : t["carts.hint_discount"],
        value: draft.discount,
        kind: .choice([(value: "0", label: t["carts.no_discount"])] + choices)),
    ]
    return [
      "action": .text(Links.carts(page.slug)), "open": .flag(isOpen),
      "summary": draft.problems.summary(page, of: fields),
      "fields": .list(fields.map { .record($0.model(draft.problems, page)) }),
      "reminds": .flag(draft.reminds), "alerts": .flag(draft.alerts),
    ]
  }
}

extension CartsView.Row {
  fileprivate func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    let (word, dot): (String, String)
    if recoveredAt != nil {
      (word, dot) = (t["carts.state_recovered"], "good")
    } else if let reminder {
      (word, dot) = (t[.init("carts.reminder_\(reminder.rawValue)")], reminder.dot)
    } else if let skip {
      (word, dot) = (t[.init("cart_skip.\(skip.rawValue)")], "ended")
    } else {
      (word, dot) = (t["carts.state_waiting"], "requested")
    }
    return [
      "who": .record(page.customer(customer)), "pack": .text(title),
      "checkout": .text(Links.checkout(page.slug, checkoutID)),
      "stars": .text(format.stars(stars)),
      "offered": .optional(
        offeredStars.flatMap { $0 < stars ? t("carts.offered", ["stars": format.stars($0)]) : nil }),
      "opened": .record(["time": format.time(openedAt)]),
      "noticed": .record(["time": format.time(noticedAt)]),
      "state": .text(word), "state_class": .text(dot),
      "payment": .optional(payment.map { Links.payment(page.slug, $0) }),
      "recovered": .optional(recoveredAt) { ["time": format.time($0)] },
    ]
  }
}
