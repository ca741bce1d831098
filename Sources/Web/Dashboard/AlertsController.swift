import EStars
import Foundation
import HTTPTypes

/// What operators are told of.
enum AlertsController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    let (scope, pool, query) = (visit.scope, visit.platform.pool, visit.inbound.query)
    let kind = query["kind"].flatMap(Alert.Kind.init(rawValue:))
    let before = query["after"].flatMap { Int64($0) }
    let openBefore = query[AlertsView.openCursor].flatMap { Int64($0) }
    async let acknowledged = Alert.goingOn(in: scope, pool)
    async let chats = AlertChat.all(in: scope, pool)
    let open = try await AlertPage(isFirst: openBefore == nil) {
      try await Alert.unacknowledged(before: openBefore, limit: $0, in: scope, pool)
    }
    let over = try await AlertPage(isFirst: before == nil) {
      try await Alert.over(of: kind, before: before, limit: $0, in: scope, pool)
    }
    let words = visit.alertSentence
    let view = AlertsView(
      open: open.alerts.compactMap { AlertRow($0, words) }, openPaging: open.paging,
      acknowledged: try await acknowledged.compactMap { AlertRow($0, words) },
      over: over.alerts.compactMap { AlertRow($0, words) }, paging: over.paging,
      kind: kind.flatMap { AlertKind(name: $0.rawValue) },
      mayEdit: visit.membership.role >= .manager, hasChat: try await !chats.isEmpty)
    return try await visit.page(view.render)
  }

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let words = visit.alertSentence
    guard let alert = try await Alert.find(id: visit.inbound.id("alert"), in: scope, pool),
      let row = AlertRow(alert, words)
    else { throw Refusal.notFound }
    let rules = try await AlertRule.all(in: scope, pool)
    let mutedUntil = rules.first { $0.kind == alert.kind }?.mutedUntil
    let view = AlertView(
      row: row, places: try await visit.places(of: alert), reason: alert.facts["reason"],
      toldAt: alert.toldAt, acknowledgedAt: alert.acknowledgedAt,
      acknowledgedBy: alert.acknowledgedBy, endedAt: alert.endedAt,
      mutedUntil: mutedUntil.flatMap { $0 > scope.now ? $0 : nil },
      mayEdit: visit.membership.role >= .manager,
      earlier: try await alert.earlier(in: scope, pool).compactMap { AlertRow($0, words) })
    return try await visit.page(view.render)
  }
}

/// Saying that one has looked.
enum AlertAcknowledgementController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let id = try visit.inbound.id("alert")
    guard
      try await Alert.acknowledge(id, by: visit.actor, in: visit.scope, visit.platform.pool)
    else { throw Refusal.notFound }
    return .seeOther(Done.alert.on(Links.alerts(visit.workspace.slug)))
  }

  /// All that were on the page.
  @Sendable static func update(_ visit: Visit) async throws -> Reply {
    let form = try visit.inbound.form()
    let (oldest, newest) = (
      form["oldest"].flatMap { Int64($0) }, form["newest"].flatMap { Int64($0) }
    )
    guard let oldest, let newest, oldest <= newest else {
      throw Refusal(.badRequest, "form", "Open the page anew and send its form.")
    }
    try await Alert.acknowledgeAll(
      oldest...newest, by: visit.actor, in: visit.scope, visit.platform.pool)
    return .seeOther(Done.alerts.on(Links.alerts(visit.workspace.slug)))
  }
}

/// Some of a list of alerts, and where it goes on.
private struct AlertPage {
  var alerts: [Alert]
  var paging: Paging

  /// - Parameter load: So many at most, newest first.
  init(isFirst: Bool, _ load: (_ limit: Int) async throws -> [Alert]) async throws {
    alerts = try await load(Limits.pageSize + 1)
    let hasMore = alerts.count > Limits.pageSize
    if hasMore { alerts.removeLast() }
    paging = Paging(nextCursor: hasMore ? alerts.last.map { String($0.id) } : nil, isFirst: isFirst)
  }
}

extension AlertRow {
  /// nil for a kind that has no words here.
  fileprivate init?(_ alert: Alert, _ words: AlertSentence) {
    guard let kind = AlertKind(name: alert.kind.rawValue) else { return nil }
    self.init(
      id: alert.id, kind: kind, words: words.sentence(alert.kind, alert.facts),
      state: AlertState(rawValue: alert.state.rawValue) ?? .over, isMoment: alert.isMoment,
      openedAt: alert.openedAt, lastSeenAt: alert.lastSeenAt, sightings: alert.sightings)
  }
}

extension Visit {
  fileprivate var alertSentence: AlertSentence {
    AlertSentence(language: language == .ptBR ? .ptBR : .en)
  }

  /// Where an operator looks into it.
  fileprivate func places(of alert: Alert) async throws -> [AlertView.Place] {
    let slug = workspace.slug
    let id = alert.subject.split(separator: ":").last.flatMap { Int64($0) } ?? 0
    var places: [AlertView.Place] = []
    switch alert.kind {
    case .paymentsFailing: places.append(.init(kind: .checkouts, href: Links.checkouts(slug)))
    case .repeatedAttempts: places.append(.init(kind: .payments, href: Links.payments(slug)))
    case .largePaymentFailed:
      places.append(.init(kind: .checkout, href: Links.checkout(slug, id)))
    case .newSubscription:
      places.append(.init(kind: .subscription, href: Links.subscription(slug, id)))
    case .webhookSlow, .webhookFailing:
      places.append(
        .init(kind: .bot, name: alert.facts["bot"].map { "@" + $0 }, href: Links.bot(slug, id)))
    case .mismatch:
      places.append(.init(kind: .reconciliation, href: Links.reconciliation(slug)))
    case .ledgerUnverified, .liabilityHigh:
      places.append(.init(kind: .overview, href: Links.overview(slug)))
    case .manyPurchases, .manyUses, .manyRefunds: break
    }
    guard let customerID = alert.facts["customer"].flatMap({ Int64($0) }) else { return places }
    let customer = try await Customer.find(id: customerID, in: scope, platform.pool)
    let name = customer.map(CustomerLabel.init)?.name.trimmingCharacters(in: .whitespaces) ?? ""
    places.append(
      .init(
        kind: .customer, name: name.isEmpty ? nil : name,
        href: Links.customer(slug, customerID)))
    return places
  }
}
