import EStars
import Foundation
import HTTPTypes

/// What the bots were told.
enum EventsController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    let (scope, pool, query) = (visit.scope, visit.platform.pool, visit.inbound.query)
    let filter = EventFilter(
      state: query["state"].flatMap(Event.State.init(rawValue:)),
      botID: query["bot"].flatMap { Int64($0) },
      kind: query["kind"].flatMap(Event.Kind.init(rawValue:)))
    let before = query["after"].flatMap { Int64($0) }
    var events = try await Event.recent(
      filter, before: before, limit: Limits.pageSize + 1, in: scope, pool)
    let hasMore = events.count > Limits.pageSize
    if hasMore { events.removeLast() }
    let people = try await Customer.named(events.compactMap(\.customerID), in: scope, pool)
    let bots = try await Bot.all(in: scope, pool).map(BotLabel.init)
    let names = Dictionary(uniqueKeysWithValues: bots.map { ($0.id, $0) })
    let view = EventsView(
      filter: .init(
        state: filter.state.flatMap { .init(rawValue: $0.rawValue) }, botID: filter.botID,
        kind: filter.kind?.rawValue),
      bots: bots, kinds: Event.Kind.allCases.map(\.rawValue),
      rows: events.map { event in
        EventRow(event, event.customerID.flatMap { people[$0] }, names[event.botID])
      },
      paging: Paging(
        nextCursor: hasMore ? events.last.map { String($0.id) } : nil, isFirst: before == nil))
    return try await visit.page(view.render)
  }

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    try await page(visit, warning: nil)
  }

  fileprivate static func page(
    _ visit: Visit, warning: EventView.Warning?
  ) async throws -> Reply {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    guard let event = try await Event.find(id: visit.inbound.id("event"), in: scope, pool) else {
      throw Refusal.notFound
    }
    let customer: Customer? =
      if let id = event.customerID { try await Customer.find(id: id, in: scope, pool) } else { nil }
    let bot = try await visit.platform.directory.bot(event.botID)
    let address = try await EventAddress.of(bot: event.botID, in: scope, pool)
    let audit = try await AuditEntry.about("event", String(event.id), in: scope, pool)
    let view = EventView(
      event: EventRow(event, customer, bot.map(BotLabel.init)),
      body: event.body(telegramID: customer?.telegramID),
      nextAt: event.nextAt.flatMap { $0 > Date() ? visit.shown($0) : nil },
      deliveredAt: event.deliveredAt.map(visit.shown),
      tries: try await event.deliveries(in: scope, pool).map { delivery in
        EventView.Try(delivery, at: visit.shown(delivery.at))
      },
      hasAddress: address != nil, mayReplay: visit.membership.role >= .manager, warning: warning,
      audit: audit.map(PaymentView.AuditLine.init))
    var reply = try await visit.page(view.render)
    if warning != nil { reply.status = .conflict }
    return reply
  }
}

/// Sending an event again.
enum EventReplayController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let id = try visit.inbound.id("event")
    do {
      try await Event.replay(id, by: visit.actor, in: visit.scope, visit.platform.pool)
    } catch EventReplayProblem.noEvent {
      throw Refusal.notFound
    } catch EventReplayProblem.noAddress {
      return try await EventsController.page(visit, warning: .noAddress)
    }
    return .seeOther(Links.event(visit.workspace.slug, id))
  }
}

extension BotLabel {
  init(_ bot: Bot) { self.init(id: bot.id, username: bot.username) }
}

extension EventRow {
  init(_ event: Event, _ customer: Customer?, _ bot: BotLabel?) {
    self.init(
      id: event.id, kind: event.kind, customer: customer.map(CustomerLabel.init),
      bot: bot ?? BotLabel(id: event.botID, username: String(event.botID)),
      state: EventState(rawValue: event.state.rawValue) ?? .skipped, tries: event.attempts,
      createdAt: event.createdAt)
  }
}

extension Visit {
  /// Sending goes by our own clock; the pages of a test side show the side's.
  func shown(_ ours: Date) -> Date { ours.addingTimeInterval(Double(scope.clockOffsetSeconds)) }
}

extension EventView.Try {
  init(_ delivery: EventDelivery, at: Date) {
    self.init(
      number: delivery.attempt, at: at,
      answer: delivery.status.map { .status($0) }
        ?? .problem(delivery.error.flatMap(EventProblem.init(rawValue:)) ?? .noAnswer),
      milliseconds: delivery.milliseconds)
  }
}
