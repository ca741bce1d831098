import Foundation

@testable import Web

extension Samples {
  static let shop = BotLabel(id: 7_000_000_001, username: "figurinhas_bot")
  static let studio = BotLabel(id: 7_000_000_002, username: "estudio_bot")

  static let events: [EventRow] = EventState.allCases.enumerated().map { index, state in
    EventRow(
      id: Int64(900 - index), kind: index == 1 ? "event.test" : "payment.completed",
      customer: [ana, nil, mallory, maria][index], bot: index == 1 ? studio : shop, state: state,
      tries: index * 1000, createdAt: ago(Double(index) * hour + minute))
  }

  static let delivered = EventView(
    event: events[1],
    body: #"{"id":"evt_899","kind":"payment.completed","data":{"resume":"</pre><script>"}}"#,
    nextAt: nil, deliveredAt: ago(minute),
    tries: [
      .init(number: 3, at: ago(minute), answer: .status(204), milliseconds: 1_204),
      .init(number: 2, at: ago(2 * minute), answer: .status(500), milliseconds: 12),
      .init(
        number: 1, at: ago(3 * minute), answer: .problem(.addressPrivate), milliseconds: 0),
    ], hasAddress: true, mayReplay: true, warning: nil,
    audit: [
      .init(at: ago(minute), actor: "owner@estudio.example", action: "event.replayed", detail: nil)
    ])

  static let waiting = EventView(
    event: events[0], body: "{}", nextAt: ago(-hour), deliveredAt: nil,
    tries: [
      .init(number: 1, at: ago(minute), answer: .problem(.noAnswer), milliseconds: 10_000)
    ], hasAddress: true, mayReplay: false, warning: nil, audit: [])

  static let skipped = EventView(
    event: events[3], body: "{}", nextAt: nil, deliveredAt: nil, tries: [], hasAddress: false,
    mayReplay: true, warning: .noAddress, audit: [])

  static let noAddress = EventAddressView(
    bot: shop, present: nil, mayChange: true, audit: [])

  static let address: EventAddressView = {
    var view = noAddress
    view.present = .init(
      url: "https://bot.estudio.example/eventos?a=1&b=2", fingerprint: "00ff",
      previousUntil: ago(-23 * hour))
    view.audit = [
      .init(
        at: ago(hour), actor: "owner@estudio.example", action: "event_address.rotated", detail: nil)
    ]
    return view
  }()

  static let newSecret: EventAddressView = {
    var view = address
    view.secret = "ess_0123456789"
    view.present?.previousUntil = nil
    return view
  }()

  static let refusedAddress: EventAddressView = {
    var view = address
    view.typed = hostile
    view.problem = .private
    view.warning = .changed
    return view
  }()

  static let viewedAddress: EventAddressView = {
    var view = address
    view.mayChange = false
    return view
  }()
}
