import EStars
import Foundation
import HTTPTypes

/// Who works in the workspace.
enum TeamController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    try await visit.teamPage()
  }

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    try await visit.memberPage(try await visit.member())
  }
}

enum MemberRoleController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let member = try await visit.member()
    let form = try visit.inbound.form()
    guard let role = form["role"].flatMap(Role.init) else {
      throw Refusal(.unprocessableContent, "role", "Choose one of the roles.")
    }
    do {
      try await Member.change(
        member.id, to: role, on: try await visit.sides(form), by: visit.actor,
        visit.platform.pool)
    } catch let refusal as Member.Refusal {
      return try await visit.memberPage(member, refusal)
    }
    return .seeOther(Done.role.on(Links.member(visit.workspace.slug, member.id)))
  }
}

enum MemberRemovalController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let member = try await visit.member()
    let form = try visit.inbound.form()
    guard form["confirmed"] == "1" else {
      return try await visit.memberPage(member, warning: .unconfirmed, .unprocessableContent)
    }
    do {
      try await Member.remove(
        member.id, from: try await visit.sides(form), by: visit.actor, visit.platform.pool)
    } catch let refusal as Member.Refusal {
      return try await visit.memberPage(member, refusal)
    }
    let isReader = member.id == visit.session.operator.id
    return .seeOther(
      isReader ? Links.workspaces : Done.memberRemoved.on(Links.team(visit.workspace.slug)))
  }
}

/// A link by which a member sets a new password or goes without the lost phone.
enum MemberResetController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let member = try await visit.member()
    guard let kind = try visit.inbound.form()["kind"].flatMap(ResetLink.Kind.init) else {
      throw Refusal(.unprocessableContent, "kind", "Choose what the link resets.")
    }
    do {
      let token = try await ResetLink.make(
        kind, for: member, by: visit.actor, in: visit.scope, visit.platform.pool)
      let view = SecretView(
        kind: .reset(memberID: member.id, name: member.name),
        text: visit.address(of: Links.reset(token)))
      return try await visit.livePage(view.render, .created)
    } catch let refusal as Member.Refusal {
      return try await visit.memberPage(member, refusal)
    }
  }
}

enum InvitationsController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let form = try visit.inbound.form()
    var draft = TeamView.Draft(
      name: visit.inbound.words(form["name"]), hasBothSides: form["both"] == "1")
    let max = EStars.Limits.operatorNameCharacters
    if !Operator.isName(draft.name) {
      draft.problems.append(FormProblem(field: "name", kind: .name(max: max)))
    }
    let role = form["role"].flatMap(Role.init)
    if let role {
      draft.role = .init(rawValue: role.rawValue) ?? .viewer
    } else {
      draft.problems.append(FormProblem(field: "role", kind: .gone))
    }
    guard let role, draft.problems.isEmpty else {
      return try await visit.teamPage(draft, .unprocessableContent)
    }
    do {
      let token = try await Invitation.make(
        for: draft.name, as: role, on: try await visit.sides(form), by: visit.actor,
        in: visit.scope, visit.platform.pool)
      let view = SecretView(
        kind: .invitation(name: draft.name), text: visit.address(of: Links.invitation(token)))
      return try await visit.livePage(view.render, .created)
    } catch Member.Refusal.tooMany {
      draft.problems = [
        FormProblem(field: "name", kind: .tooMany(max: EStars.Limits.invitations))
      ]
      return try await visit.teamPage(draft, .unprocessableContent)
    }
  }
}

enum InvitationRevocationController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    do {
      try await Invitation.revoke(
        visit.inbound.id("invitation"), by: visit.actor, in: visit.scope, visit.platform.pool)
    } catch Member.Refusal.notFound { throw Refusal.notFound }
    return .seeOther(Done.invitationRevoked.on(Links.team(visit.workspace.slug)))
  }
}

extension Visit {
  fileprivate func member() async throws -> Member {
    guard
      let member = try await Member.find(id: inbound.id("operator"), in: scope, platform.pool)
    else { throw Refusal.notFound }
    return member
  }

  /// The sides that a form is about: this one and, where it says so, the other one if it is the
  /// reader's as well.
  fileprivate func sides(_ form: [String: String]) async throws -> [Workspace] {
    let twin = form["both"] == "1" ? try await ownedTwin() : nil
    return [workspace] + [twin].compactMap { $0 }
  }

  /// The other side, where the reader owns it as well.
  func ownedTwin() async throws -> Workspace? {
    try await Membership.all(of: session.operator, platform.pool)
      .first { $0.workspace.id == workspace.twinID && $0.role == .owner }?.workspace
  }

  /// A whole address, to be handed to somebody.
  fileprivate func address(of path: String) -> String {
    let url = server.configuration.publicURL
    return "\(url.scheme ?? "https")://\(url.authority)\(path)"
  }

  fileprivate func teamPage(
    _ draft: TeamView.Draft = .init(), _ status: HTTPResponse.Status = .ok
  ) async throws -> Reply {
    let mayEdit = membership.role == .owner
    let members = try await Member.all(in: scope, platform.pool)
    let invitations = try await Invitation.waiting(in: scope, platform.pool)
    let view = TeamView(
      members: members.map { MemberRow($0, reader: session.operator) },
      invitations: invitations.map {
        .init(
          id: $0.id, name: $0.name, role: .init(rawValue: $0.role.rawValue) ?? .viewer,
          madeBy: $0.madeBy, expiresAt: $0.expiresAt)
      }, draft: mayEdit ? draft : nil,
      mayInviteToBoth: mayEdit ? try await ownedTwin() != nil : false)
    return try await livePage(view.render, status)
  }

  fileprivate func memberPage(
    _ member: Member, _ refusal: Member.Refusal
  ) async throws -> Reply {
    switch refusal {
    case .lastOwner: return try await memberPage(member, warning: .lastOwner, .conflict)
    // The page says that it is not theirs to make.
    case .notYours: return try await memberPage(member, warning: nil, .conflict)
    case .notFound, .tooMany: throw Refusal.notFound
    }
  }

  fileprivate func memberPage(
    _ member: Member, warning: MemberView.Warning? = nil, _ status: HTTPResponse.Status = .ok
  ) async throws -> Reply {
    let mayEdit = membership.role == .owner
    var view = MemberView(
      member: MemberRow(member, reader: session.operator), mayEdit: mayEdit, warning: warning)
    if mayEdit {
      view.ownsBothSides = try await ownedTwin() != nil
      if member.id != session.operator.id {
        let isTheirs = try await ResetLink.mayBeMade(
          for: member.id, by: session.operator.email, platform.pool)
        view.resets = isTheirs ? .offered : .notYours
      }
    }
    view.history = try await AuditEntry.history(
      of: "operator", member.email, limit: EStars.Limits.ruleHistory, in: scope, platform.pool
    ).map { RuleChange($0) }
    return try await livePage(view.render, status)
  }
}

extension MemberRow {
  init(_ member: Member, reader: Operator) {
    self.init(
      id: member.id, name: member.name, email: member.email,
      role: .init(rawValue: member.role.rawValue) ?? .viewer,
      hasSecondFactor: member.hasSecondFactor, joinedAt: member.joinedAt,
      lastSeenAt: member.lastSeenAt, isReader: member.id == reader.id)
  }
}
