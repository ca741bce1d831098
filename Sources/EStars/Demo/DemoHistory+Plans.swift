import Foundation

extension DemoHistory {
  /// An invoice of a plan, by which every month of it is paid.
  struct PlanInvoice: Sendable {
    let bot: Int
    let plan: String
    /// Its permanent key.
    let key: String
    let openedAt: Date
  }

  /// Telegram's word of a renewal.
  enum Word: Sendable { case canceled, failed }

  enum PlanDeed: Sendable {
    case payment(PlanInvoice, chargeID: String, isFirst: Bool, periodEndsAt: Date)
    /// The number orders a person's words as their updates would be.
    case renewal(PlanInvoice, Word, number: Int64)
    /// A period or its grace has ended.
    case aging
    case trial(String, key: String)
    /// An operator lets a cheaper plan follow.
    case downgrade(String)
    /// An operator gives a plan by agreement.
    case gift(String)
  }

  /// What this person does with plans.
  ///
  /// - Parameter arrival: When she first came.
  func plans(of index: Int, _ person: DemoWorkspace.Person, since arrival: Date) -> [Event] {
    var events: [Event] = []
    if let story = DemoSubscriber.story(seed: seed, index: index) {
      var subscriber = DemoSubscriber(index: index, person: person, story: story, self)
      events = subscriber.lived(since: Int64(arrival.timeIntervalSince1970))
    }
    // One house has an agreement with the studio.
    if index == DemoWorkspace.people.count {
      events.append(
        Event(
          at: until.addingTimeInterval(-1800), person: index, number: 2_000_000,
          deed: .plan(.gift("enterprise"))))
    }
    return events
  }
}
