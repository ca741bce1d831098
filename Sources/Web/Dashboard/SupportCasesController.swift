import EStars
import Foundation
import HTTPTypes

/// Support cases: the list, the page of one, and opening one for a customer.
enum SupportCasesController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    let minutes = try await SupportSLA.minutes(in: visit.scope, visit.platform.pool)
    return try await visit.page(
      try await visit.supportCasesView(.init(minutes: String(minutes))).render)
  }

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    try await visit.page(try await visit.supportCaseView(try await visit.supportCase()).render)
  }

  @Sendable static func new(_ visit: Visit) async throws -> Reply {
    var view = try await visit.newSupportCaseView(key: Checkout.newFormKey())
    // The page of a payment leads here with its charge.
    let (bot, charge) = (visit.inbound.query["bot"], visit.inbound.query["charge"])
    if let key = PaymentKey(bot.flatMap { Int64($0) }, charge) {
      view.payment = NewSupportCaseView.value(of: key)
    }
    return try await visit.page(view.render)
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let customer = try await visit.livingCustomer()
    let form = try visit.inbound.form()
    let key = form["form_key"] ?? ""
    guard key.wholeMatch(of: /form:[A-Za-z0-9_-]{24}/) != nil else {
      throw Refusal(.badRequest, "form_key", "Open the form anew and send that one.")
    }
    var view = try await visit.newSupportCaseView(key: key)
    view.take(form, visit.inbound)
    let bots = try await Bot.all(in: visit.scope, visit.platform.pool).filter(\.isConnected)
    let payment = try await visit.payment(named: view.payment, of: customer)
    if !view.payment.isEmpty, payment == nil {
      view.problems.append(FormProblem(field: "payment", kind: .gone))
    }
    guard let bot = bots.first(where: { $0.id == payment?.botID ?? view.botID }) ?? bots.first
    else { return try await visit.page(view.render, .unprocessableContent) }
    guard view.problems.isEmpty else {
      return try await visit.page(view.render, .unprocessableContent)
    }
    do {
      let opened = try await SupportCase.open(
        for: customer, with: bot, about: payment,
        topic: SupportCase.Topic(rawValue: view.topic.rawValue) ?? .other, subject: view.subject,
        note: view.note, key: key, by: visit.actor, in: visit.scope, visit.platform.pool)
      return .seeOther(Links.supportCase(visit.workspace.slug, opened.id))
    } catch Checkout.Refusal.keyReused {
      // What was sent before under this key opened a case of its own.
      view.problems.append(FormProblem(field: "subject", kind: .sentBefore))
      view.key = Checkout.newFormKey()
      return try await visit.page(view.render, .conflict)
    }
  }
}

/// How soon buyers are to be answered.
enum SupportSLAController {
  @Sendable static func update(_ visit: Visit) async throws -> Reply {
    let typed = visit.inbound.words(try visit.inbound.form()["minutes"])
    let range = EStars.Limits.supportSLAMinutes
    guard let minutes = Typed.whole(typed, range) else {
      let problem = FormProblem(
        field: "minutes", kind: .whole(min: range.lowerBound, max: range.upperBound))
      let view = try await visit.supportCasesView(.init(minutes: typed, problems: [problem]))
      return try await visit.page(view.render, .unprocessableContent)
    }
    try await SupportSLA.keep(
      Int(minutes), by: visit.actor, in: visit.scope, visit.platform.pool)
    return .seeOther(Done.sla.on(Links.supportCases(visit.workspace.slug)))
  }
}

extension NewSupportCaseView {
  fileprivate mutating func take(_ form: [String: String], _ inbound: Inbound) {
    payment = form["payment"] ?? ""
    subject = inbound.words(form["subject"])
    note = inbound.words(form["note"])
    botID = form["bot"].flatMap { Int64($0) }
    if let chosen = SupportTopic(rawValue: form["topic"] ?? "") {
      topic = chosen
    } else {
      problems.append(FormProblem(field: "topic", kind: .gone))
    }
    problems += [
      Typed.problem(
        with: subject, in: "subject", max: EStars.Limits.supportSubjectCharacters),
      Typed.problem(with: note, in: "note", max: EStars.Limits.supportTextCharacters),
    ].compactMap { $0 }
  }
}

extension Visit {
  /// The support cases about a payment.
  func cases(about payment: Payment, _ customer: Customer) async throws -> [SupportCaseRow] {
    let minutes = try await SupportSLA.minutes(in: scope, platform.pool)
    return try await SupportCase.of(payment: payment.id, in: scope, platform.pool).map {
      SupportCaseRow($0, customer, slaMinutes: minutes, at: scope.now)
    }
  }

  fileprivate func newSupportCaseView(key: String) async throws -> NewSupportCaseView {
    let customer = try await livingCustomer()
    let payments = try await Payment.of(
      customer: customer.id, limit: 20, in: scope, platform.pool)
    let bots = try await Bot.all(in: scope, platform.pool).filter(\.isConnected)
    return NewSupportCaseView(
      customer: CustomerLabel(customer), payments: payments.map { PaymentRow($0, customer) },
      bots: bots.map { BotLabel(id: $0.id, username: $0.username) }, key: key,
      botID: payments.first?.botID ?? bots.first?.id)
  }

  /// The payment that a form names; nil where it names none of this customer's.
  fileprivate func payment(
    named value: String, of customer: Customer
  ) async throws -> Payment? {
    let parts = value.split(separator: ":", maxSplits: 1).map(String.init)
    guard parts.count == 2, let botID = Int64(parts[0]) else { return nil }
    let found = try await Payment.find(
      botID: botID, chargeID: parts[1], in: scope, platform.pool)
    return found?.customerID == customer.id ? found : nil
  }

  fileprivate func supportCasesView(
    _ sla: SupportCasesView.SLA
  ) async throws -> SupportCasesView {
    let pool = platform.pool
    let filter = supportFilter()
    let minutes = try await SupportSLA.minutes(in: scope, pool)
    async let pressure = SupportPressure.load(in: scope, pool)
    let cursor = inbound.query["after"].flatMap(SupportCase.Cursor.init)
    let (found, next) = try await SupportCase.list(
      asked(filter, slaMinutes: minutes), after: cursor, limit: Limits.pageSize, in: scope, pool)
    let people = try await Customer.named(found.map(\.customerID), in: scope, pool)
    let catalog = try await platform.directory.catalog(of: workspace.id)
    return SupportCasesView(
      filter: filter, pressure: SupportCasesView.Pressure(try await pressure, catalog), sla: sla,
      maySetSLA: membership.role >= .manager,
      rows: found.map {
        SupportCaseRow($0, people[$0.customerID], slaMinutes: minutes, at: scope.now)
      }, paging: Paging(nextCursor: next?.text, isFirst: cursor == nil))
  }

  /// What the address asks for; what it does not know it leaves out.
  private func supportFilter() -> SupportCasesView.Filter {
    let query = inbound.query
    let show = SupportCasesView.Show(rawValue: query["state"] ?? "") ?? .open
    return SupportCasesView.Filter(
      show: show, owner: SupportCasesView.Owner(rawValue: query["owner"] ?? "") ?? .anybody,
      topic: SupportTopic(rawValue: query["topic"] ?? ""),
      isOverdue: show == .open && query["overdue"] == "1")
  }

  private func asked(
    _ filter: SupportCasesView.Filter, slaMinutes: Int
  ) -> SupportCase.Filter {
    let owner: SupportCase.Filter.Owner =
      switch filter.owner {
      case .anybody: .anybody
      case .mine: .one(session.operator.id)
      case .nobody: .nobody
      }
    return SupportCase.Filter(
      state: SupportCase.State(rawValue: filter.show.rawValue), owner: owner,
      topic: filter.topic.flatMap { SupportCase.Topic(rawValue: $0.rawValue) },
      waitingSince: filter.isOverdue
        ? scope.now.addingTimeInterval(-Double(slaMinutes) * 60) : nil)
  }
}
