import Foundation

/// What erasing a customer takes away and what it leaves, before it is done.
struct ErasureView: Sendable, Equatable {
  /// What is to be settled first, by its number.
  enum Obstacle: Sendable, Equatable {
    case subscription(Int64)
    case refund(Int64)
  }

  var customer: CustomerLabel
  var messages: Int64
  var supportCases: Int64
  var openCheckouts: Int64
  var payments: Int64
  /// Left in the first unit; negative: a debt.
  var credits: Int64
  var obstacle: Obstacle?
  /// The box that says so was not ticked.
  var isUnsure = false

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, format) = (page.strings, page.format)
    let name = page.name(of: customer)
    let problems = FormProblems(
      rows: isUnsure ? [.init(field: "sure", words: t["erasure.problem_unsure"])] : [])
    func line(_ key: Strings.Key, _ count: Int64) -> String {
      t(key, count: count, ["n": format.number(count)])
    }
    let goes =
      [t["erasure.goes_name"]]
      + (messages > 0 ? [line("erasure.goes_messages", messages)] : [])
      + (supportCases > 0 ? [line("erasure.goes_cases", supportCases)] : [])
      + [t["erasure.goes_notes"]]
      + (openCheckouts > 0 ? [line("erasure.goes_checkouts", openCheckouts)] : [])
      + (credits > 0 ? [line("erasure.goes_credits", credits)] : [])
    let stays =
      [t["erasure.stays_ledger"]]
      + (payments > 0 ? [line("erasure.stays_payments", payments)] : [])
      + [t["erasure.stays_bot"]]
    return page.page(
      .erasure, title: t("erasure.title", ["name": name]), place: .customers,
      trail: [
        (title: t["nav.customers"], href: Links.customers(page.slug)),
        (title: name, href: Links.customer(page.slug, customer.id)),
      ],
      [
        "goes": .records(goes) { ["words": .text($0)] },
        "stays": .records(stays) { ["words": .text($0)] },
        "number": .text(t("customer.unnamed", ["n": String(customer.id)])),
        "obstacle": .optional(obstacle) { model($0, page) },
        "form": obstacle != nil
          ? .none
          : [
            "action": .text(Links.erasure(page.slug, customer.id)), "summary": problems.model,
            "problem": problems.words("sure"), "button": .text(t("erasure.do", ["name": name])),
          ],
        "back": .text(Links.customer(page.slug, customer.id)),
      ])
  }

  private func model(_ obstacle: Obstacle, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    switch obstacle {
    case .subscription(let id):
      return [
        "words": .text(t["erasure.obstacle_subscription"]),
        "link": .text(t["erasure.to_subscription"]),
        "href": .text(Links.subscription(page.slug, id)),
      ]
    case .refund(let id):
      return [
        "words": .text(t["erasure.obstacle_refund"]), "link": .text(t["erasure.to_refund"]),
        "href": .text(Links.refund(page.slug, id)),
      ]
    }
  }
}
