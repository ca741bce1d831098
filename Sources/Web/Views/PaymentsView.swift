import Foundation

/// Payments, newest first.
struct PaymentsView: Sendable, Equatable {
  /// What is shown; nil = any.
  struct Filter: Sendable, Equatable {
    var period: PeriodChoice?
    /// Of a custom period: ISO days, as they were typed.
    var from = ""
    var to = ""
    var state: PaymentState?
    var product: PaymentProduct?
    var sku: String?
    var botID: Int64?
    /// Our number of a customer.
    var customer: Int64?
    /// A Telegram id or a charge id, as it was typed.
    var text = ""
  }

  static let periods: [PeriodChoice] = [.today, .week, .month, .custom]

  var filter = Filter()
  var bots: [BotLabel] = []
  /// Whose they are, where the address says so.
  var customer: CustomerLabel?
  /// What could not be read of what was typed.
  var problem: Problem?
  var rows: [PaymentRow]
  var paging = Paging()

  enum Problem: String, Sendable, CaseIterable {
    case dates
    /// Days of one's own were chosen, and none was named.
    case undated
    case nobody

    var isOfDates: Bool { self != .nobody }
  }

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, path) = (page.strings, Links.payments(page.slug))
    return page.page(
      .payments, title: t["nav.payments"], place: .payments,
      [
        "action": .text(path),
        "periods": options(Self.periods, filter.period) { t[$0.key] },
        "states": options(PaymentState.allCases, filter.state) {
          t[.init("payment_state.\($0.rawValue)")]
        },
        "products": options(PaymentProduct.allCases, filter.product) {
          t[.init("payments.product_\($0.rawValue)")]
        },
        "bots": .records(bots) { bot in
          [
            "value": .text(String(bot.id)), "words": .text("@" + bot.username),
            "selected": .flag(bot.id == filter.botID),
          ]
        },
        "from": .text(filter.from), "to": .text(filter.to), "text": .text(filter.text),
        "sku": .optional(filter.sku),
        "customer_id": .optional(filter.customer.map(String.init)),
        "dates_problem": words(problem, t) { $0.isOfDates },
        "who_problem": words(problem, t) { !$0.isOfDates },
        "only": .list(only(page)),
        "filtered": filter == Filter() ? .none : .record(["clear": .text(path)]),
        "failed_href": .text(Links.with(Links.checkouts(page.slug), [("state", "failed")])),
        "rejected_href": .text(Links.with(Links.checkouts(page.slug), [("state", "rejected")])),
        "results": rows.isEmpty ? .none : .record(["rows": .records(rows) { $0.model(page) }]),
        "paging": paging.model(path: path, query: query()),
      ])
  }

  private func words(
    _ problem: Problem?, _ t: Strings, where isShown: (Problem) -> Bool
  ) -> TemplateValue {
    .optional(
      problem.flatMap { isShown($0) ? t[.init("payments.problem_\($0.rawValue)")] : nil })
  }

  private func options<Choice: RawRepresentable<String> & Equatable>(
    _ choices: [Choice], _ chosen: Choice?, words: (Choice) -> String
  ) -> TemplateValue {
    .records(choices) {
      [
        "value": .text($0.rawValue), "words": .text(words($0)), "selected": .flag($0 == chosen),
      ]
    }
  }

  private func query(
    without customer: Bool = false, sku: Bool = false
  ) -> [(name: String, value: String?)] {
    [
      ("period", filter.period?.rawValue), ("from", filter.from), ("to", filter.to),
      ("state", filter.state?.rawValue), ("product", filter.product?.rawValue),
      ("sku", sku ? nil : filter.sku), ("bot", filter.botID.map(String.init)),
      ("customer", customer ? nil : filter.customer.map(String.init)), ("q", filter.text),
    ]
  }

  /// What a link has narrowed the list to, each with a way out.
  private func only(_ page: PageContext) -> [TemplateValue] {
    let (t, path) = (page.strings, Links.payments(page.slug))
    var parts: [TemplateValue] = []
    if let customer {
      parts.append([
        "words": .text(t("payments.only_customer", ["name": page.name(of: customer)])),
        "all": .text(Links.with(path, query(without: true))),
        "all_words": .text(t["payments.of_all"]),
      ])
    }
    if let sku = filter.sku {
      parts.append([
        "words": .text(t("payments.only_sku", ["sku": sku])),
        "all": .text(Links.with(path, query(sku: true))),
        "all_words": .text(t["payments.of_every_sku"]),
      ])
    }
    return parts
  }
}

/// What a payment may have been for.
enum PaymentProduct: String, Sendable, CaseIterable { case pack, plan }
