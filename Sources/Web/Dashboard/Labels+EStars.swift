import EStars
import Foundation

/// From the product's values to those that views draw.
extension CustomerLabel {
  init(_ customer: Customer) {
    self.init(
      id: customer.id,
      name: [customer.firstName, customer.lastName].filter { !$0.isEmpty }.joined(separator: " "),
      username: customer.username.isEmpty ? nil : customer.username,
      telegramID: customer.erasedAt == nil ? customer.telegramID : nil)
  }
}

extension PaymentKey {
  init(_ payment: Payment) { self.init(botID: payment.botID, chargeID: payment.chargeID) }

  init?(_ botID: Int64?, _ chargeID: String?) {
    guard let botID, let chargeID else { return nil }
    self.init(botID: botID, chargeID: chargeID)
  }
}

extension Money {
  init(_ micros: Int64, _ rates: Rates) { self.init(micros: micros, currency: rates.currency) }
}

extension PaymentRow {
  /// - Parameter rates: The workspace's, where the row says what the Stars bring.
  init(_ payment: Payment, _ customer: Customer?, at rates: Rates? = nil) {
    self.init(
      key: PaymentKey(payment),
      customer: customer.map(CustomerLabel.init)
        ?? CustomerLabel(id: payment.customerID, name: ""),
      packTitle: payment.title, stars: payment.stars,
      state: PaymentState(payment), paidAt: payment.paidAt,
      fiat: rates.map { Money($0.micros(stars: payment.stars), $0) })
  }
}

extension PaymentState {
  init(_ payment: Payment) {
    self =
      switch payment.state {
      case .refunded: .refunded
      case _ where payment.refundState?.isUnderWay == true: .refunding
      case .credited: .paid
      case .unmatched: .unmatched
      }
  }
}

extension LotRow {
  init(_ lot: Balance.Lot) {
    self.init(
      lot: lot.id, source: LotSource(rawValue: lot.source) ?? .adjustment, granted: lot.granted,
      left: lot.left, expiresAt: lot.expiresAt.unlessNever, grantedAt: lot.grantedAt,
      payment: PaymentKey(lot.botID, lot.chargeID),
      key: LotKey(customer: lot.customerID, unit: lot.unit, lot: lot.id))
  }
}

extension UnitLabel {
  init(_ unit: CreditUnit) { self.init(number: unit.number, name: unit.name) }
}

extension [CreditUnit] {
  /// A unit that is no longer defined is called by its number.
  func label(of number: Int16) -> UnitLabel {
    first { $0.number == number }.map(UnitLabel.init)
      ?? (number == 1 ? .credits : UnitLabel(number: number, name: "#\(number)"))
  }
}

extension AccessRow {
  init(_ grant: AccessGrant) {
    self.init(
      title: grant.title,
      startsAt: grant.startsAt, endsAt: grant.endsAt.unlessNever, revokedAt: grant.endedAt,
      payment: PaymentKey(grant.botID, grant.chargeID))
  }
}

extension QuotaRow {
  init(_ quota: Quota.OfAction) {
    self.init(
      actionTitle: quota.title,
      period: Period(rawValue: quota.quota.period.rawValue) ?? .lifetime, used: quota.quota.used,
      limit: quota.quota.limit, resetsAt: quota.quota.resetsAt)
  }
}

extension HoldRow {
  init(_ hold: Hold, _ catalog: Catalog, _ units: [CreditUnit], at now: Date) {
    let link: Link =
      switch hold.kind {
      case .work(let id): .hold(id)
      case .refund(let id): .refund(id)
      case .bare: .none
      }
    self.init(
      link: link, actionTitle: catalog.title(of: hold.action), units: hold.units,
      credits: hold.credits, unit: units.label(of: hold.unit), heldAt: hold.heldAt,
      expiresAt: hold.expiresAt.unlessNever,
      state: HoldState(rawValue: hold.state.rawValue) ?? .open,
      isStuck: hold.isStuck(at: now), closedAt: hold.closedAt, usedUnits: hold.usedUnits,
      usedCredits: hold.usedCredits)
  }
}

extension Date {
  /// nil for the far future that stands for "never".
  var unlessNever: Date? { self == .distantFuture ? nil : self }
}

extension Catalog {
  /// What an action is called; its key where it is no longer in the catalogue.
  func title(of action: String?) -> String? {
    action.map { self.action($0)?.title ?? $0 }
  }
}

extension StripRow {
  /// - Parameter slug: Of the workspace; nil leaves out links to pages of other things.
  init(
    _ event: Timeline.Event, _ catalog: Catalog, unit: UnitLabel = .credits, slug: String? = nil
  ) {
    switch event {
    case .payment(let payment):
      self.init(
        event: .payment(pack: payment.title), amount: payment.stars, unit: .stars,
        at: payment.paidAt, payment: PaymentKey(payment))
    case .refund(let payment):
      self.init(
        event: .refund(pack: payment.title), amount: -payment.stars, unit: .stars,
        at: payment.refundedAt ?? payment.paidAt, payment: PaymentKey(payment))
    case .decline(let refund, let title):
      self.init(
        event: .decline(pack: title), amount: 0, unit: .stars, at: refund.stateAt,
        payment: PaymentKey(refund.botID, refund.chargeID))
    case .entry(let movement): self.init(movement, catalog, unit: unit)
    case .message(let message):
      self.init(
        event: .message(kind: message.kind.rawValue.replacing(".", with: "_")), amount: 0,
        at: message.createdAt, message: MessageRow(message), body: message.body)
    case .supportCase(let opened):
      self.init(
        event: .supportCase(subject: opened.subject), amount: 0, at: opened.openedAt,
        href: slug.map { Links.supportCase($0, opened.id) })
    case .operatorAction(let line):
      self.init(
        event: .action(line.action, by: line.actor.name), amount: 0, at: line.at,
        reason: line.reason, givenBy: line.actor.name)
    case .subscription(let step):
      self.init(
        event: .subscription(plan: step.planTitle, change: step.change.kind.rawValue), amount: 0,
        at: step.change.at, href: slug.map { Links.subscription($0, step.subscriptionID) })
    }
  }

  init(
    _ movement: Timeline.Movement, _ catalog: Catalog, unit: UnitLabel = .credits,
    customer: Customer? = nil
  ) {
    let action = catalog.title(of: movement.action)
    let event: Event =
      switch movement.kind {
      case "credit":
        .credit(movement.lots.first.flatMap { LotSource(rawValue: $0.source) } ?? .adjustment)
      case "debit" where movement.operation == "commit": .commit(action: action)
      case "debit": .use(action: action ?? "", units: movement.units ?? 1)
      case "hold" where movement.operation == "hold_charge": .refundHold
      case "hold": .hold(action: action)
      case "release" where movement.operation == "clawback": .refundHoldEnd
      case "release": .release
      case "clawback": .clawback
      case "forgive": .forgiveness
      default: .expiry
      }
    let charge = movement.kind == "credit" ? movement.lots.first : nil
    self.init(
      event: event, amount: movement.amount, at: movement.at, version: movement.version,
      balanceAfter: movement.balanceAfter, creditUnit: unit,
      lots: movement.lots.map {
        LotMove(
          lot: $0.lot, source: LotSource(rawValue: $0.source) ?? .adjustment, amount: $0.amount,
          payment: PaymentKey($0.botID, $0.chargeID),
          key: LotKey(customer: movement.accountID, unit: movement.unit, lot: $0.lot))
      },
      payment: PaymentKey(charge?.botID, charge?.chargeID),
      customer: customer.map(CustomerLabel.init), reason: movement.reason,
      givenBy: movement.givenBy)
  }
}
