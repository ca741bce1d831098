import EStars
import Foundation
import HTTPTypes

/// Those who ask to be let in.
enum AdminApplicationsController {
  @Sendable static func index(_ call: AdminCall) async throws -> Reply {
    let (query, pool) = (call.inbound.query, call.platform.pool)
    let show = query["show"].flatMap(AdminApplicationsView.Show.init) ?? .waiting
    let cursor = query["after"].flatMap { Int64($0) }
    let limit = EStars.Limits.pageSize
    var found =
      switch show {
      case .waiting: try await Application.queue(after: cursor, limit: limit + 1, pool)
      case .asked, .approved, .declined, .all:
        try await Application.recent(
          in: .init(rawValue: show.rawValue), before: cursor, limit: limit + 1, pool)
      }
    let hasMore = found.count > limit
    if hasMore { found.removeLast() }
    let duplicates = try await Application.withDuplicates(among: found, pool)
    let view = AdminApplicationsView(
      show: show, rows: found.map { .init($0, hasDuplicates: duplicates.contains($0.id)) },
      paging: Paging(
        nextCursor: hasMore ? found.last.map { String($0.id) } : nil, isFirst: cursor == nil))
    return call.page(view.render)
  }

  @Sendable static func show(_ call: AdminCall) async throws -> Reply {
    try await call.applicationPage(try await call.application())
  }
}

enum AdminApplicationNotesController {
  @Sendable static func create(_ call: AdminCall) async throws -> Reply {
    try await call.write(.note, field: "note", .noted) {
      try await Application.note(
        $0, about: $1, by: call.admin, at: call.at, call.platform.pool)
    }
  }
}

enum AdminApplicationQuestionController {
  @Sendable static func create(_ call: AdminCall) async throws -> Reply {
    try await call.write(.question, field: "question", .asked) {
      try await Application.ask($0, about: $1, by: call.admin, at: call.at, call.platform.pool)
    }
  }
}

/// Opens a workspace and shows its owner's link, this once.
enum AdminApplicationApprovalController {
  @Sendable static func create(_ call: AdminCall) async throws -> Reply {
    let application = try await call.application()
    let form = try call.inbound.form()
    var draft = AdminApplicationView.Draft(form: .approval)
    draft.name = call.words(form, "name", max: 80, &draft.problems)
    draft.slug = call.inbound.words(form["slug"])
    draft.approvalWords = call.inbound.words(form["approval_words"])
    if draft.approvalWords.unicodeScalars.count > ApplicationMessage.characters {
      draft.problems.append(
        FormProblem(
          field: "approval_words", kind: .tooLong(max: ApplicationMessage.characters)))
    }
    if draft.slug.isEmpty { draft.problems.append(FormProblem(field: "slug", kind: .missing)) }
    guard draft.problems.isEmpty else {
      return try await call.applicationPage(application, draft, .unprocessableContent)
    }
    do {
      let approved = try await Application.approve(
        application.id,
        opening: WorkspaceRequest(
          slug: draft.slug, name: draft.name, segment: application.segment,
          timeZone: application.locale == "pt-BR" ? "America/Sao_Paulo" : "UTC",
          locale: application.locale, stage: .approved),
        words: draft.approvalWords, by: call.admin, at: call.at, call.platform)
      let view = AdminSecretView(
        kind: .invitation(business: approved.workspace.id, name: approved.workspace.name),
        text: call.address(of: Links.invitation(approved.token)))
      return call.page(view.render, .created)
    } catch let problem as Workspace.OpeningProblem {
      draft.problems = [FormProblem(problem)]
      return try await call.applicationPage(application, draft, .unprocessableContent)
    } catch let refusal as Application.Refusal {
      return try await call.late(refusal, draft)
    }
  }
}

enum AdminApplicationDeclineController {
  @Sendable static func create(_ call: AdminCall) async throws -> Reply {
    let application = try await call.application()
    let form = try call.inbound.form()
    var draft = AdminApplicationView.Draft(form: .decline)
    draft.reason = call.inbound.words(form["reason"])
    draft.declineWords = call.inbound.words(form["decline_words"])
    let reason = Application.DeclineReason(rawValue: draft.reason)
    if reason == nil { draft.problems.append(FormProblem(field: "reason", kind: .missing)) }
    if draft.declineWords.unicodeScalars.count > ApplicationMessage.characters {
      draft.problems.append(
        FormProblem(field: "decline_words", kind: .tooLong(max: ApplicationMessage.characters)))
    }
    guard let reason, draft.problems.isEmpty else {
      return try await call.applicationPage(application, draft, .unprocessableContent)
    }
    do {
      try await Application.decline(
        application.id, because: reason, words: draft.declineWords, by: call.admin, at: call.at,
        call.platform.pool)
    } catch let refusal as Application.Refusal { return try await call.late(refusal, draft) }
    return .seeOther(Done.declined.on(Links.adminApplication(application.id)))
  }
}

/// Deletes what an applicant wrote, where they asked for it by another way.
enum AdminApplicationRemovalController {
  @Sendable static func create(_ call: AdminCall) async throws -> Reply {
    let application = try await call.application()
    guard try call.inbound.form()["confirmed"] == "1" else {
      return try await call.applicationPage(
        application, .init(form: .removal), .unprocessableContent)
    }
    do {
      try await Application.remove(
        application.id, by: call.admin, at: call.at, call.platform.pool)
    } catch is Application.Refusal { throw Refusal.notFound }
    return .seeOther(Done.applicationRemoved.on(Links.admin(.applications)))
  }
}

extension AdminCall {
  fileprivate func application() async throws -> Application {
    guard
      let application = try await Application.find(
        id: inbound.id("application"), platform.pool)
    else { throw Refusal.notFound }
    return application
  }

  /// Carries a form of one field out.
  fileprivate func write(
    _ kind: AdminApplicationView.Form, field: String, _ done: Done,
    _ work: (String, Int64) async throws -> Void
  ) async throws -> Reply {
    let application = try await application()
    var draft = AdminApplicationView.Draft(form: kind)
    let text = words(
      try inbound.form(), field, max: ApplicationMessage.characters, &draft.problems)
    if kind == .note { draft.note = text } else { draft.question = text }
    guard draft.problems.isEmpty else {
      return try await applicationPage(application, draft, .unprocessableContent)
    }
    do { try await work(text, application.id) } catch Application.Refusal.tooMany {
      draft.problems = [
        FormProblem(field: field, kind: .tooMany(max: EStars.Limits.applicationMessages))
      ]
      return try await applicationPage(application, draft, .unprocessableContent)
    } catch let refusal as Application.Refusal { return try await late(refusal, draft) }
    return .seeOther(done.on(Links.adminApplication(application.id)))
  }

  /// Somebody was faster: the page says how it stands, with what was typed.
  fileprivate func late(
    _ refusal: Application.Refusal, _ draft: AdminApplicationView.Draft
  ) async throws -> Reply {
    guard refusal == .state else { throw Refusal.notFound }
    var draft = draft
    draft.isLate = true
    return try await applicationPage(try await application(), draft, .conflict)
  }

  fileprivate func applicationPage(
    _ application: Application, _ draft: AdminApplicationView.Draft? = nil,
    _ status: HTTPResponse.Status = .ok
  ) async throws -> Reply {
    let pool = platform.pool
    let duplicates = try await application.duplicates(pool)
    var filled = draft ?? .init()
    if filled.form != .approval {
      filled.slug = Slug.proposal(for: application.botUsername)
      filled.name = "@" + application.botUsername
    }
    var view = AdminApplicationView(
      row: .init(application, hasDuplicates: !duplicates.isEmpty), facts: .init(application),
      language: Language(operatorLocale: application.locale), draft: filled)
    view.decidedAt = application.decidedAt
    view.decidedBy = application.decidedBy
    view.decline = application.declineReason.flatMap { .init(rawValue: $0.rawValue) }
    view.duplicates = .init(duplicates)
    view.talk = try await ApplicationMessage.all(of: application, pool).map { .init($0) }
    if let id = application.workspaceID {
      view.workspace = (id, try await Business.names(of: [id], pool)[id] ?? "")
    }
    view.history = try await AdminAuditEntry.about(
      "application", String(application.id), limit: EStars.Limits.ruleHistory, pool
    ).map { RuleChange($0) }
    return page(view.render, status)
  }
}

extension FormProblem {
  fileprivate init(_ problem: Workspace.OpeningProblem) {
    switch problem {
    case .slug: self.init(field: "slug", kind: .slug)
    case .reserved: self.init(field: "slug", kind: .reservedSlug)
    case .taken, .gone: self.init(field: "slug", kind: .taken)
    }
  }
}

extension AdminApplicationsView.Row {
  init(_ application: Application, hasDuplicates: Bool) {
    self.init(
      id: application.id, bot: application.botUsername,
      segment: .init(rawValue: application.segment.rawValue) ?? .serviceBot,
      stars: application.monthlyStars, state: .init(application.state),
      code: application.invitationCodeName, receivedAt: application.receivedAt,
      hasDuplicates: hasDuplicates)
  }
}

extension [AdminApplicationView.Duplicate] {
  fileprivate init(_ found: Application.Duplicates) {
    self =
      found.applications.map {
        .init(
          kind: .application, name: "@\($0.botUsername) · \($0.contact)", state: .init($0.state),
          at: $0.receivedAt, href: Links.adminApplication($0.id))
      }
      + found.bots.map {
        .init(
          kind: .bot, name: "@\($0.username) · \($0.businessName)",
          href: Links.adminWorkspace($0.businessID))
      }
    if let person = found.person {
      append(
        .init(
          kind: .person, name: "\(person.name) · \(person.email)",
          href: Links.adminOperator(person.id)))
    }
  }
}
