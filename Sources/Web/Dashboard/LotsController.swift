import EStars
import Foundation
import Ledger

/// Where every credit of a lot went.
enum LotsController {
  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let customer = try await visit.customer()
    let before = visit.inbound.query["after"].flatMap { Int64($0) }
    guard let unit = Int16(exactly: try visit.inbound.id("unit")),
      let history = try await LotHistory.of(
        Account(customer.id, unit: unit), lot: visit.inbound.id("lot"), before: before,
        limit: EStars.Limits.timelinePageSize, in: scope, pool)
    else { throw Refusal.notFound }
    let units = try await CreditUnit.all(in: scope, pool)
    let catalog = try await visit.platform.directory.catalog(of: visit.workspace.id)
    let grant = try await CreditGrant.byPosting(
      [history.key].compactMap(\.self), in: scope, pool
    ).values.first
    let refund = try await refund(of: history, visit)
    let label = units.label(of: unit)
    let key = LotKey(customer: customer.id, unit: unit, lot: history.id)
    let view = LotView(
      customer: CustomerLabel(customer), key: key, unit: label,
      source: .init(rawValue: history.source.rawValue) ?? .adjustment,
      grantedAt: history.grantedAt, expiresAt: history.expiresAt.unlessNever,
      payment: PaymentKey(history.charge?.botID, history.charge?.chargeID), refund: refund?.id,
      givenBy: grant?.grantedBy ?? refund?.decidedBy, reason: grant?.reason ?? refund?.decisionNote,
      mergedInto: history.mergedInto, fate: LotView.Fate(history, at: scope.now),
      strip: history.movements.flatMap {
        StripRow.rows($0, of: history, key, label, catalog, visit.workspace.slug)
      },
      paging: Paging(
        nextCursor: history.olderThan.map(String.init), isFirst: before == nil))
    return try await visit.page(view.render)
  }

  /// The case that gave credits instead of Stars.
  private static func refund(of lot: LotHistory, _ visit: Visit) async throws -> Refund? {
    guard lot.source == .goodwill, let ref = lot.ref, ref.hasPrefix("refund:"),
      let id = Int64(ref.dropFirst("refund:".count))
    else { return nil }
    return try await Refund.find(id: id, in: visit.scope, visit.platform.pool)
  }
}

extension LotView.Fate {
  /// A lot that has expired counts as expired, whether or not a job has booked it yet.
  init(_ history: LotHistory, at now: Date) {
    let totals = history.totals
    let isDue = history.expiresAt <= now
    self.init(
      granted: totals.granted, joined: totals.joined, used: totals.used,
      forgiven: totals.forgiven, held: totals.held,
      expired: totals.expired + (isDue ? totals.left : 0), takenBack: totals.takenBack,
      paidDebt: totals.paidDebt, passedOn: totals.passedOn, left: isDue ? 0 : totals.left)
  }
}

extension StripRow {
  /// The rows of one movement, newest first: what came, and what of it went on at once.
  static func rows(
    _ movement: LotHistory.Movement, of lot: LotHistory, _ key: LotKey, _ unit: UnitLabel,
    _ catalog: Catalog, _ slug: String
  ) -> [StripRow] {
    func row(_ event: Event, _ amount: Int64, left: Int64) -> StripRow {
      StripRow(
        event: event, amount: amount, at: movement.at, version: movement.version,
        leftAfter: left, creditUnit: unit, ref: nil,
        entryHref: Links.entry(slug, key, version: movement.version))
    }
    var rows: [StripRow] = []
    if movement.passedOn > 0 {
      rows.append(
        row(
          .passedOn(lot: lot.mergedInto ?? lot.id), -movement.passedOn, left: movement.leftAfter))
    }
    if movement.paidDebt > 0 {
      rows.append(
        row(.debtPaid, -movement.paidDebt, left: movement.leftAfter + movement.passedOn))
    }
    var first = row(
      event(movement, of: lot, catalog), movement.amount,
      left: movement.leftAfter + movement.passedOn + movement.paidDebt)
    // The grant's own note names its door, not a bot's work.
    if movement.kind != .credit { first.ref = movement.ref }
    return rows + [first]
  }

  private static func event(
    _ movement: LotHistory.Movement, of lot: LotHistory, _ catalog: Catalog
  ) -> Event {
    let action = catalog.title(of: movement.action)
    return switch movement.kind {
    case .credit where movement.version != lot.id: .joined(lot: movement.version)
    case .credit: .credit(.init(rawValue: lot.source.rawValue) ?? .adjustment)
    case .debit where movement.operation == .commit: .commit(action: action)
    case .debit: .use(action: action ?? "", units: Int64(movement.units ?? 1))
    case .hold where movement.operation == .holdCharge: .refundHold
    case .hold: .hold(action: action)
    case .release where movement.operation == .clawback: .refundHoldEnd
    case .release: .release
    case .clawback: .clawback
    case .forgive: .forgiveness
    case .expire: .expiry
    }
  }
}
