import EStars
import Foundation
import HTTPTypes
import Postgres

/// All businesses, and what an admin may do about one.
enum AdminWorkspacesController {
  @Sendable static func index(_ call: AdminCall) async throws -> Reply {
    let (query, pool) = (call.inbound.query, call.platform.pool)
    let named = String(call.inbound.words(query["named"]).prefix(80))
    let stage = query["stage"].flatMap(Workspace.Stage.init)
    let cursor = query["after"].flatMap { Int64($0) }
    let limit = EStars.Limits.pageSize
    var found = try await Business.all(
      at: stage, named: named, before: cursor, limit: limit + 1, pool)
    let hasMore = found.count > limit
    if hasMore { found.removeLast() }
    var rows: [BusinessRow] = []
    for business in found {
      rows.append(BusinessRow(business, try await business.sides(pool)))
    }
    let view = AdminWorkspacesView(
      rows: rows, stage: stage.map { .init($0) }, query: named,
      paging: Paging(
        nextCursor: hasMore ? found.last.map { String($0.live.id) } : nil,
        isFirst: cursor == nil))
    return call.page(view.render)
  }

  @Sendable static func show(_ call: AdminCall) async throws -> Reply {
    try await call.businessPage(try await call.business())
  }
}

/// A new link for an owner, shown this once; the one before is good for nothing any more.
enum AdminInvitationsController {
  @Sendable static func create(_ call: AdminCall) async throws -> Reply {
    let business = try await call.business()
    let token = try await business.live.inviteOwner(
      by: call.admin, at: call.at, call.platform)
    let view = AdminSecretView(
      kind: .invitation(business: business.live.id, name: business.live.name),
      text: call.address(of: Links.invitation(token)))
    return call.page(view.render, .created)
  }
}

enum SuspensionController {
  @Sendable static func create(_ call: AdminCall) async throws -> Reply {
    try await call.decide(.suspension, .suspended) { business, reason in
      try await business.suspend(
        reason: reason, by: call.admin, at: call.at, call.platform)
    }
  }
}

enum ResumptionController {
  @Sendable static func create(_ call: AdminCall) async throws -> Reply {
    try await call.decide(.resumption, .resumed) { business, reason in
      try await business.resume(
        reason: reason, by: call.admin, at: call.at, call.platform)
    }
  }
}

/// Looks into a business as a viewer, for an hour; its log says who and why.
enum AdminVisitsController {
  @Sendable static func create(_ call: AdminCall) async throws -> Reply {
    let business = try await call.business()
    var draft = AdminWorkspaceView.Draft(form: .visit)
    draft.reason = call.words(
      try call.inbound.form(), "reason", max: AdminVisit.reasonCharacters, &draft.problems)
    guard draft.problems.isEmpty else {
      return try await call.businessPage(business, draft, .unprocessableContent)
    }
    try await AdminVisit.begin(
      of: business.live, by: call.admin, reason: draft.reason, at: call.at, call.platform)
    return .seeOther(Links.overview(business.live.slug))
  }
}

/// From one live bot to many.
enum ExpansionApprovalController {
  @Sendable static func create(_ call: AdminCall) async throws -> Reply {
    try await call.answer(.approval, .expansionApproved) { request, answer in
      try await request.approve(answer, by: call.admin, at: call.at, call.platform)
    }
  }
}

enum ExpansionDeclineController {
  @Sendable static func create(_ call: AdminCall) async throws -> Reply {
    try await call.answer(.decline, .expansionDeclined) { request, answer in
      try await request.decline(answer, by: call.admin, at: call.at, call.platform)
    }
  }
}

extension AdminCall {
  /// Answers an expansion request.
  fileprivate func answer(
    _ form: AdminWorkspaceView.Form, _ done: Done,
    _ work: (ExpansionRequest, String) async throws -> Void
  ) async throws -> Reply {
    guard
      let request = try await ExpansionRequest.find(
        id: inbound.id("expansion_request"), platform.pool),
      let business = try await Business.find(id: request.workspaceID, platform.pool)
    else { throw Refusal.notFound }
    var draft = AdminWorkspaceView.Draft(form: form)
    draft.reason = words(
      try inbound.form(), "reason", max: ExpansionRequest.answerCharacters, &draft.problems)
    guard draft.problems.isEmpty else {
      return try await businessPage(business, draft, .unprocessableContent)
    }
    do { try await work(request, draft.reason) } catch is ExpansionRequest.Late {
      draft.isLate = true
      return try await businessPage(business, draft, .conflict)
    }
    return .seeOther(done.on(Links.adminWorkspace(business.live.id)))
  }

  fileprivate func business() async throws -> Business {
    guard let business = try await Business.find(id: inbound.id("business"), platform.pool)
    else { throw Refusal.notFound }
    return business
  }

  /// Carries out what needs a reason.
  fileprivate func decide(
    _ form: AdminWorkspaceView.Form, _ done: Done,
    _ work: (Business, String) async throws -> Void
  ) async throws -> Reply {
    let business = try await business()
    var draft = AdminWorkspaceView.Draft(form: form)
    draft.reason = words(
      try inbound.form(), "reason", max: AdminVisit.reasonCharacters, &draft.problems)
    guard draft.problems.isEmpty else {
      return try await businessPage(business, draft, .unprocessableContent)
    }
    do { try await work(business, draft.reason) } catch is Workspace.StageRefusal {
      draft.isLate = true
      return try await businessPage(try await self.business(), draft, .conflict)
    }
    return .seeOther(done.on(Links.adminWorkspace(business.live.id)))
  }

  func businessPage(
    _ business: Business, _ draft: AdminWorkspaceView.Draft = .init(),
    _ status: HTTPResponse.Status = .ok
  ) async throws -> Reply {
    let (pool, live) = (platform.pool, business.live)
    var view = AdminWorkspaceView(
      row: BusinessRow(business, try await business.sides(pool)), draft: draft)
    view.suspendedAt = live.suspension?.at
    view.suspensionReason = live.suspension?.reason
    view.application = try await Application.find(openedAs: live.id, pool)?.id
    view.bots = try await KnownBot.all(of: business, pool).map {
      .init(
        username: $0.username, environment: .init(rawValue: $0.environment) ?? .live,
        isConnected: $0.isConnected)
    }
    view.owners = try await OperatorRecord.owners(of: live.id, pool).map {
      .init(
        id: $0.person.id, name: $0.person.name, email: $0.person.email,
        hasSecondFactor: $0.person.secondFactorSince != nil)
    }
    let request = try await ExpansionRequest.latest(of: live.id, pool)
    view.expansion = request.map { .init($0) }
    if let run = try await business.evidence(for: request, pool) {
      let bot = try await platform.directory.bot(run.botID)
      view.run = DrillRunRow(run, bot.map(BotLabel.init))
    }
    view.invitation = try await Invitation.ofAdmins(for: live, at: at, pool).map {
      .init(madeBy: $0.madeBy, expiresAt: $0.expiresAt)
    }
    view.visits = try await AdminVisit.recent(in: live, limit: 10, pool).map {
      .init(admin: $0.admin, beganAt: $0.beganAt, endsAt: $0.endsAt, reason: $0.reason)
    }
    if let visit = try await AdminVisit.current(of: admin, in: live, at: at, pool) {
      view.openVisit = (visit.endsAt, live.slug, business.test?.slug)
    }
    view.history = try await AdminAuditEntry.about(
      "workspace", String(live.id), limit: EStars.Limits.ruleHistory, pool
    ).map { RuleChange($0) }
    return page(view.render, status)
  }
}

extension ExpansionRow {
  fileprivate init(_ request: ExpansionRequest) {
    self.init(
      id: request.id, state: .init(rawValue: request.state.rawValue) ?? .asked,
      askedAt: request.askedAt, askedBy: request.askedBy, body: request.body,
      decidedAt: request.decidedAt, decidedBy: request.decidedBy, answer: request.answer)
  }
}

extension Business {
  /// Of the live side and, where there is one, the test side.
  fileprivate func sides(_ pool: Pool) async throws -> [SideHealth] {
    let health = try await health(pool)
    let test = health.test.map { [SideHealth(.test, $0)] } ?? []
    return [SideHealth(.live, health.live)] + test
  }
}

extension SideHealth {
  fileprivate init(_ side: Frame.Side, _ health: WorkspaceHealth) {
    self.init(
      side: side, verifiedAt: health.verifiedAt,
      verificationProblems: Int64(health.verificationProblems),
      openMismatches: Int64(health.openMismatches), failingJobs: Int64(health.failingJobs),
      webhookTroubles: Int64(health.webhookTroubles))
  }
}

extension BusinessRow {
  init(_ business: Business, _ health: [SideHealth]) {
    self.init(
      id: business.live.id, name: business.live.name, slug: business.live.slug,
      segment: .init(rawValue: business.segment.rawValue) ?? .serviceBot,
      stage: .init(business.live.stage), createdAt: business.createdAt,
      bots: Int64(business.bots), owners: Int64(business.owners),
      drills: business.drills.map {
        .init(finishedAt: $0.finishedAt, passed: Int64($0.passed), failed: Int64($0.failed))
      }, health: health)
  }
}
