import EStars
import Foundation
import HTTPTypes

/// Giving a customer goodwill or promo credits: a form, what it would do, and the grant itself.
enum CreditGrantsController {
  @Sendable static func new(_ visit: Visit) async throws -> Reply {
    let customer = try await visit.livingCustomer()
    return try await visit.grantPage(
      customer, CreditGrantForm(key: CreditGrantOrder.newFormKey()))
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let customer = try await visit.livingCustomer()
    let sent = try visit.inbound.form()
    guard let source = CreditGrant.Source(rawValue: sent["source"] ?? ""), source != .adjustment,
      visit.membership.role >= source.neededRole
    else {
      throw Refusal(
        .forbidden, "role", "Your role here does not allow this. Ask an owner of the workspace.")
    }
    var form = CreditGrantForm(sent, visit.inbound)
    let units = try await CreditUnit.all(in: visit.scope, visit.platform.pool)
    guard let order = form.order(source, units) else {
      return try await visit.grantPage(customer, form, status: .unprocessableContent)
    }
    switch sent["step"] {
    case "change": return try await visit.grantPage(customer, form)
    case "give":
      do {
        let given = try await CreditGrant.give(
          order, to: customer.id, by: visit.actor, as: visit.membership.role, in: visit.scope,
          visit.platform.pool)
        return visit.afterGrant(given)
      } catch let refusal as CreditGrantRefusal {
        let status = try form.take(refusal)
        return try await visit.grantPage(customer, form, status: status)
      }
    default:
      if visit.membership.role < .manager {
        let room = try await GoodwillRoom.of(
          customer: customer.id, in: visit.scope, visit.platform.pool)
        if order.credits > room.left {
          form.problems.append(.aboveCap)
          return try await visit.grantPage(customer, form, status: .unprocessableContent)
        }
      }
      let review = try await visit.review(order, of: customer, units)
      return try await visit.grantPage(customer, form, review: review)
    }
  }
}

extension CustomersController {
  /// The form for an opening balance.
  @Sendable static func new(_ visit: Visit) async throws -> Reply {
    try await visit.newCustomerPage(CreditGrantForm(key: CreditGrantOrder.newFormKey()))
  }

  /// An opening balance for a Telegram id that may be unknown yet.
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let sent = try visit.inbound.form()
    var form = CreditGrantForm(sent, visit.inbound)
    form.source = .adjustment
    let telegramID = Int64(form.telegramID.filter { $0 != " " })
      .flatMap { (1...EStars.Limits.telegramID).contains($0) ? $0 : nil }
    if telegramID == nil { form.problems.append(.telegram) }
    if form.name.unicodeScalars.count > 128 { form.problems.append(.name) }
    let units = try await CreditUnit.all(in: scope, pool)
    guard let order = form.order(.adjustment, units), let telegramID else {
      return try await visit.newCustomerPage(form, status: .unprocessableContent)
    }
    switch sent["step"] {
    case "change": return try await visit.newCustomerPage(form)
    case "give":
      do {
        let given = try await CreditGrant.open(
          order, telegramID: telegramID, name: form.name, by: visit.actor,
          as: visit.membership.role, in: scope, pool)
        return visit.afterGrant(given)
      } catch let refusal as CreditGrantRefusal {
        let status = try form.take(refusal)
        return try await visit.newCustomerPage(form, status: status)
      }
    default:
      let known = try await Customer.find(telegramID: telegramID, in: scope, pool)
      let review = try await visit.review(order, of: known, units)
      return try await visit.newCustomerPage(form, review: review)
    }
  }
}

extension Visit {
  /// The customer in the path, about whom something is to be written: who was erased is left alone.
  ///
  /// - Throws: ``Refusal``
  func livingCustomer() async throws -> Customer {
    try Self.living(try await customer())
  }

  static func living(_ customer: Customer?) throws -> Customer {
    guard let customer else { throw Refusal.notFound }
    guard customer.erasedAt == nil else {
      throw Refusal(
        .conflict, "erased", "This customer was erased, so nothing can be done for them any more.")
    }
    return customer
  }

  /// The customer in the path.
  func customer() async throws -> Customer {
    guard
      let customer = try await Customer.find(
        id: inbound.id("customer"), in: scope, platform.pool)
    else { throw Refusal.notFound }
    return customer
  }

  fileprivate func afterGrant(_ given: CreditGrant) -> Reply {
    .seeOther(
      Links.with(
        Links.customer(workspace.slug, given.customerID), [("given", String(given.id))]))
  }

  fileprivate func grantPage(
    _ customer: Customer, _ form: CreditGrantForm, review: CreditGrantReview? = nil,
    status: HTTPResponse.Status = .ok
  ) async throws -> Reply {
    let units = try await CreditUnit.all(in: scope, platform.pool)
    let isCapped = membership.role < .manager
    let room =
      isCapped ? try await GoodwillRoom.of(customer: customer.id, in: scope, platform.pool) : nil
    let view = CreditGrantView(
      customer: CustomerLabel(customer), sources: isCapped ? [.goodwill] : [.goodwill, .promo],
      units: units.map(UnitLabel.init),
      room: room.map { .init(left: $0.left, cap: $0.cap) }, form: form, review: review)
    var reply = try await page(view.render)
    reply.status = status
    return reply
  }

  fileprivate func newCustomerPage(
    _ form: CreditGrantForm, review: CreditGrantReview? = nil, status: HTTPResponse.Status = .ok
  ) async throws -> Reply {
    let units = try await CreditUnit.all(in: scope, platform.pool)
    let view = NewCustomerView(units: units.map(UnitLabel.init), form: form, review: review)
    var reply = try await page(view.render)
    reply.status = status
    return reply
  }

  /// - Parameter customer: nil where the person is unknown yet.
  fileprivate func review(
    _ order: CreditGrantOrder, of customer: Customer?, _ units: [CreditUnit]
  ) async throws -> CreditGrantReview {
    let balance: Int64 =
      if let customer {
        try await Balance.of(
          customer: customer.id, unit: order.unit, in: scope, platform.pool
        ).available
      } else { 0 }
    return CreditGrantReview(
      source: LotSource(rawValue: order.source.rawValue) ?? .adjustment, credits: order.credits,
      unit: units.label(of: order.unit), expiresAt: order.expiresAt(from: scope.now),
      balanceBefore: balance,
      known: order.source == .adjustment ? customer.map(CustomerLabel.init) : nil)
  }
}

extension CreditGrantForm {
  fileprivate init(_ sent: [String: String], _ inbound: Inbound) {
    func line(_ name: String) -> String {
      inbound.words(sent[name]).replacing("\n", with: " ")
    }
    self.init(
      key: line("form_key"), source: LotSource(rawValue: line("source")) ?? .goodwill,
      unit: Int16(line("unit")) ?? 1, credits: line("credits"), days: line("days"),
      reason: inbound.words(sent["reason"]), telegramID: line("telegram"), name: line("name"))
  }

  /// What the form asks for; nil, with problems noted, where something does not fit.
  fileprivate mutating func order(
    _ source: CreditGrant.Source, _ units: [CreditUnit]
  ) -> CreditGrantOrder? {
    let amount = Inbound.wholeNumber(credits)
    if !(amount.map { (1...EStars.Limits.goodwillCredits).contains($0) } ?? false) {
      problems.append(.credits)
    }
    let validDays = days.isEmpty ? nil : Inbound.wholeNumber(days)
    if source != .promo || !units.contains(where: { $0.number == unit }) {
      // Only promo credits expire; a unit that nobody offered is the first.
      if !units.contains(where: { $0.number == unit }) { unit = 1 }
    } else if !days.isEmpty,
      !(validDays.map { (1...Int64(EStars.Limits.grantValidDays)).contains($0) } ?? false)
    {
      problems.append(.days)
    }
    if !(1...EStars.Limits.noteCharacters).contains(reason.unicodeScalars.count) {
      problems.append(.reason)
    }
    guard problems.isEmpty, let amount else { return nil }
    return CreditGrantOrder(
      amount, source: source, unit: unit,
      validDays: source == .promo ? validDays.map(Int.init) : nil, reason: reason, formKey: key)
  }

  /// Notes a refusal beside its field.
  fileprivate mutating func take(_ refusal: CreditGrantRefusal) throws -> HTTPResponse.Status {
    switch refusal {
    case .notFound: throw Refusal.notFound
    case .role:
      throw Refusal(
        .forbidden, "role", "Your role here does not allow this. Ask an owner of the workspace.")
    case .aboveCap: problems.append(.aboveCap)
    case .tooManyLots: problems.append(.lots)
    case .credits, .unit: problems.append(.credits)
    case .validDays: problems.append(.days)
    case .reason: problems.append(.reason)
    case .formUsed:
      problems.append(.used)
      key = CreditGrantOrder.newFormKey()
      return .conflict
    }
    return .unprocessableContent
  }
}

extension Inbound {
  /// A number as people write it: digits may stand in groups of three; a sign or a fraction is none.
  static func wholeNumber(_ text: String) -> Int64? {
    let text = text.trimmingCharacters(in: .whitespaces)
    let isNumber = text.wholeMatch(of: /[0-9]+|[0-9]{1,3}(?:[., \u{a0}][0-9]{3})+/) != nil
    return isNumber ? Int64(text.filter(\.isNumber)) : nil
  }
}
