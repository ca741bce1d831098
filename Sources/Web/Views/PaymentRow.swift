extension PaymentRow {
  func model(_ page: PageContext) -> [String: TemplateValue] {
    [
      "charge": .record(page.payment(key)),
      "who": .record(page.customer(customer)),
      "pack": .text(packTitle ?? page.strings["payment.no_pack"]),
      "stars": .text(page.format.stars(stars)),
      "fiat": .optional(fiat.map(page.format.money)),
      "state": .text(page.strings[.init("payment_state.\(state.rawValue)")]),
      "state_class": .text(state.rawValue),
      "time": page.format.time(paidAt),
    ]
  }
}
