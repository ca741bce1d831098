import EStars
import Foundation
import HTTPTypes

/// Answers to buyers. Each change of a case is a noun of its own under the case's address.
enum SupportRepliesController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let supportCase = try await visit.livingSupportCase()
    let form = try visit.inbound.form()
    let typed = visit.inbound.words(form["reply"])
    if form["step"] == "insert" {
      return try await insert(form["template"] ?? "", after: typed, supportCase, visit)
    }
    let text = try await visit.filled(typed, for: supportCase)
    let problem: FormProblem? =
      text.utf16.count > EStars.Limits.messageUnits
      ? FormProblem(field: "reply", kind: .tooLong(max: EStars.Limits.messageUnits))
      : Typed.problem(with: text, in: "reply", max: EStars.Limits.messageUnits)
    func again(
      _ status: HTTPResponse.Status, _ warning: SupportCaseView.Warning? = nil
    ) async throws -> Reply {
      var view = try await visit.supportCaseView(try await visit.supportCase())
      view.warning = warning
      view.desk?.reply = typed
      view.desk?.replyProblems = problem.map { [$0] } ?? []
      return try await visit.page(view.render, status)
    }
    guard problem == nil else { return try await again(.unprocessableContent) }
    do {
      let subject = try await SupportCase.reply(
        to: supportCase.id, text, key: try visit.supportFormKey(form), by: visit.actor,
        operatorID: visit.session.operator.id, in: visit.scope, visit.platform.pool)
      await visit.platform.messages.sendNow(.supportReply, about: subject, in: visit.scope)
    } catch SupportRefusal.closed {
      return try await again(.conflict, .closed)
    } catch SupportRefusal.notFound {
      throw Refusal.notFound
    }
    return .seeOther(Links.supportCase(visit.workspace.slug, supportCase.id) + "#reply")
  }

  /// Puts a template's words behind what was typed. Nothing is sent.
  private static func insert(
    _ choice: String, after typed: String, _ supportCase: SupportCase, _ visit: Visit
  ) async throws -> Reply {
    var view = try await visit.supportCaseView(supportCase)
    view.desk?.chosenTemplate = choice
    view.desk?.reply = typed
    let parts = choice.split(separator: ":", maxSplits: 1).map(String.init)
    if parts.count == 2, let language = BuyerLanguage(rawValue: parts[1]),
      let words = try await ReplyTemplate.find(
        parts[0], in: visit.scope, visit.platform.pool)?.words[language]
    {
      let text = try await visit.filled(words.body, for: supportCase)
      view.desk?.reply = typed.isEmpty ? text : typed + "\n\n" + text
    } else {
      view.desk?.replyProblems = [FormProblem(field: "reply", kind: .gone)]
      return try await visit.page(view.render, .unprocessableContent)
    }
    return try await visit.page(view.render)
  }
}

/// What operators write down for each other.
enum SupportNotesController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let supportCase = try await visit.livingSupportCase()
    let form = try visit.inbound.form()
    let typed = visit.inbound.words(form["note"])
    if let problem = Typed.problem(
      with: typed, in: "note", max: EStars.Limits.supportTextCharacters)
    {
      var view = try await visit.supportCaseView(supportCase)
      view.desk?.note = typed
      view.desk?.noteProblems = [problem]
      return try await visit.page(view.render, .unprocessableContent)
    }
    try await SupportCase.note(
      on: supportCase.id, typed, key: try visit.supportFormKey(form), by: visit.actor,
      in: visit.scope, visit.platform.pool)
    return .seeOther(Links.supportCase(visit.workspace.slug, supportCase.id))
  }
}

/// Who takes care of a case.
enum SupportAssignmentController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let supportCase = try await visit.supportCase()
    let chosen = try visit.inbound.form()["assignee"] ?? ""
    let operatorID = Int64(chosen)
    guard chosen.isEmpty || operatorID != nil else {
      throw Refusal(.unprocessableContent, "assignee", "Choose one of the list.")
    }
    do {
      try await SupportCase.assign(
        supportCase.id, to: operatorID, by: visit.actor, in: visit.scope, visit.platform.pool)
    } catch SupportRefusal.notAMember {
      return try await visit.supportConflict(.notAMember)
    }
    return .seeOther(Links.supportCase(visit.workspace.slug, supportCase.id))
  }
}

enum SupportClosureController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let supportCase = try await visit.supportCase()
    let seen = try visit.inbound.form()["seen"].flatMap { Int64($0) } ?? 0
    do {
      try await SupportCase.close(
        supportCase.id, seen: seen, by: visit.actor, in: visit.scope, visit.platform.pool)
    } catch SupportRefusal.newWords {
      return try await visit.supportConflict(.newWords)
    }
    return .seeOther(Links.supportCase(visit.workspace.slug, supportCase.id))
  }
}

enum SupportReopeningController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let supportCase = try await visit.livingSupportCase()
    try await SupportCase.reopen(
      supportCase.id, by: visit.actor, in: visit.scope, visit.platform.pool)
    return .seeOther(Links.supportCase(visit.workspace.slug, supportCase.id))
  }
}

extension Visit {
  /// The case in the path.
  func supportCase() async throws -> SupportCase {
    guard
      let found = try await SupportCase.find(
        id: inbound.id("support_case"), in: scope, platform.pool)
    else { throw Refusal.notFound }
    return found
  }

  /// The case in the path, whose buyer can still be told something.
  fileprivate func livingSupportCase() async throws -> SupportCase {
    let found = try await supportCase()
    _ = try Self.living(
      try await Customer.find(id: found.customerID, in: scope, platform.pool))
    return found
  }

  fileprivate func supportFormKey(_ form: [String: String]) throws -> String {
    let key = form["form_key"] ?? ""
    guard key.wholeMatch(of: /[A-Za-z0-9-]{1,64}/) != nil else {
      throw Refusal(
        .unprocessableContent, "form_key", "Open the page again and send it from there.")
    }
    return key
  }

  fileprivate func supportConflict(
    _ warning: SupportCaseView.Warning
  ) async throws -> Reply {
    var view = try await supportCaseView(try await supportCase())
    view.warning = warning
    return try await page(view.render, .conflict)
  }

  /// A text with its places filled for the buyer of a case.
  fileprivate func filled(
    _ text: String, for supportCase: SupportCase
  ) async throws -> String {
    let places = ReplyTemplate.places(in: text)
    guard !places.isEmpty,
      let customer = try await Customer.find(
        id: supportCase.customerID, in: scope, platform.pool)
    else { return text }
    return ReplyTemplate.fill(
      text,
      try await ReplyTemplate.values(
        places, for: customer, in: workspace, scope: scope, platform.pool))
  }

  func supportCaseView(_ supportCase: SupportCase) async throws -> SupportCaseView {
    let pool = platform.pool
    guard let customer = try await Customer.find(id: supportCase.customerID, in: scope, pool)
    else { throw Refusal.notFound }
    let before = inbound.query["after"].flatMap { Int64($0) }
    let shown = EStars.Limits.supportMessagesShown
    var messages = try await SupportMessage.of(
      case: supportCase.id, before: before, limit: shown + 1, in: scope, pool)
    let hasMore = messages.count > shown
    if hasMore { messages.removeLast() }
    let audit = try await AuditEntry.about(
      "support_case", String(supportCase.id), in: scope, pool)
    let balance = try await Balance.of(customer: customer.id, in: scope, pool)
    let language = BuyerLanguage(of: customer.languageCode, else: workspace.locale)
    let bot = try await platform.directory.bot(supportCase.botID)
    let (payment, strip) = try await paid(supportCase)
    return SupportCaseView(
      row: SupportCaseRow(
        supportCase, customer, slaMinutes: try await SupportSLA.minutes(in: scope, pool),
        at: scope.now),
      source: SupportSource(rawValue: supportCase.source.rawValue) ?? .operator,
      botUsername: bot?.username ?? "", firstAnsweredAt: supportCase.firstAnsweredAt,
      closedAt: supportCase.closedAt, closedBy: supportCase.closedBy,
      refundID: supportCase.refundID,
      glance: .init(
        available: balance.available, held: balance.held, hasPurchased: customer.hasPurchased,
        language: language.rawValue),
      payment: payment.map { PaymentRow($0, customer) }, strip: strip,
      messages: messages.map(SupportMessageRow.init),
      paging: Paging(
        nextCursor: hasMore ? messages.last.map { String($0.id) } : nil, isFirst: before == nil),
      desk: try await desk(supportCase, language), audit: audit.map(PaymentView.AuditLine.init))
  }

  /// The payment that a case is about, with what it moved.
  private func paid(
    _ supportCase: SupportCase
  ) async throws -> (payment: Payment?, strip: [StripRow]) {
    guard let id = supportCase.paymentID,
      let payment = try await Payment.find(id: id, in: scope, platform.pool)
    else { return (nil, []) }
    let catalog = try await platform.directory.catalog(of: workspace.id)
    let moved = try await Timeline.of(payment, in: scope, platform.pool)
    return (payment, moved.prefix(8).map { StripRow($0, catalog) })
  }

  private func desk(
    _ supportCase: SupportCase, _ language: BuyerLanguage
  ) async throws -> SupportCaseView.Desk? {
    guard membership.role >= .support else { return nil }
    let fallback = BuyerLanguage(of: nil, else: workspace.locale)
    let templates = try await ReplyTemplate.all(in: scope, platform.pool)
    return SupportCaseView.Desk(
      agents: try await SupportAgent.all(in: scope, platform.pool).map {
        .init(id: $0.operatorID, name: $0.name)
      }, assignedTo: supportCase.assignedTo, me: session.operator.id,
      templates: templates.compactMap { template in
        template.words(in: language, else: fallback).map {
          .init(value: "\(template.key):\($0.language.rawValue)", title: $0.words.title)
        }
      }, formKey: UUID().uuidString)
  }
}
