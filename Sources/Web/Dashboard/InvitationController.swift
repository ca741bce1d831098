import EStars
import Foundation
import HTTPTypes

/// Joining a team by a link.
enum InvitationController {
  @Sendable static func show(_ server: Server, _ inbound: Inbound) async throws -> Reply {
    guard let invitation = try await find(server, inbound) else { return gone(server, inbound) }
    return page(server, inbound, invitation, try await server.visitor(inbound))
  }

  @Sendable static func create(_ server: Server, _ inbound: Inbound) async throws -> Reply {
    guard let invitation = try await find(server, inbound) else { return gone(server, inbound) }
    if let visitor = try await server.visitor(inbound) {
      try server.checkForm(inbound, visitor.session)
      do {
        try await invitation.accept(
          by: visitor.session.operator, at: Date(), server.platform)
      } catch Member.Refusal.notFound { return gone(server, inbound) }
      return .seeOther(Links.overview(invitation.workspaceSlug))
    }
    try server.checkOrigin(inbound)
    let form = try inbound.form()
    var draft = InvitationView.Draft(
      email: inbound.words(form["email"]), name: inbound.words(form["name"]))
    let password = form["password"] ?? ""
    if password != form["again"] ?? "" {
      draft.problems = [FormProblem(field: "again", kind: .differs)]
      return page(server, inbound, invitation, nil, draft)
    }
    do {
      let opened = try await invitation.accept(
        email: draft.email, name: draft.name, password: password,
        locale: Language.preferred(inbound.headers[.acceptLanguage]).rawValue,
        userAgent: inbound.userAgent, address: inbound.address, at: Date(), server.platform)
      return .seeOther(Links.overview(invitation.workspaceSlug)).opening(opened, for: inbound)
    } catch let problem as Operator.CreationProblem {
      draft.problems = [FormProblem(problem)]
    } catch Login.Refusal.busy {
      draft.problems = [FormProblem(field: "password", kind: .busy)]
    } catch Member.Refusal.notFound { return gone(server, inbound) }
    return page(server, inbound, invitation, nil, draft)
  }

  private static func find(_ server: Server, _ inbound: Inbound) async throws -> Invitation? {
    try await Invitation.find(
      token: inbound.parameters["token"] ?? "", at: Date(), server.platform.pool)
  }

  private static func page(
    _ server: Server, _ inbound: Inbound, _ invitation: Invitation, _ visitor: SessionCall?,
    _ draft: InvitationView.Draft? = nil
  ) -> Reply {
    let view = InvitationView(
      token: inbound.parameters["token"] ?? "", workspace: invitation.workspaceName,
      role: invitation.role.rawValue, invitedBy: invitation.madeBy,
      known: visitor.map {
        .init(email: $0.session.operator.email, csrf: $0.session.csrfToken)
      }, draft: draft ?? .init(name: invitation.isByAdmin ? "" : invitation.name))
    return .html(
      view.render(
        with: server.pages.renderer,
        language: Language.preferred(inbound.headers[.acceptLanguage])),
      status: draft == nil ? .ok : .unprocessableContent)
  }

  private static func gone(_ server: Server, _ inbound: Inbound) -> Reply {
    server.gone(.invitation, inbound)
  }
}

/// Setting a new password or taking a second factor off by a link.
enum ResetController {
  @Sendable static func show(_ server: Server, _ inbound: Inbound) async throws -> Reply {
    guard let link = try await find(server, inbound) else { return server.gone(.reset, inbound) }
    return page(server, inbound, link)
  }

  @Sendable static func create(_ server: Server, _ inbound: Inbound) async throws -> Reply {
    try server.checkOrigin(inbound)
    guard let link = try await find(server, inbound) else { return server.gone(.reset, inbound) }
    let form = try inbound.form()
    let password = form["password"] ?? ""
    if link.kind == .password, password != form["again"] ?? "" {
      return page(server, inbound, link, FormProblem(field: "again", kind: .differs))
    }
    do {
      switch link.kind {
      case .password: try await link.set(password: password, at: Date(), server.platform)
      case .totp:
        try await link.removeSecondFactor(
          password: password, address: inbound.address, at: Date(), server.platform)
      }
    } catch let problem as Operator.CreationProblem {
      return page(server, inbound, link, FormProblem(problem))
    } catch let refusal as Login.Refusal {
      return page(server, inbound, link, FormProblem("password", refusal))
    } catch ResetLink.Refusal.gone { return server.gone(.reset, inbound) }
    var reply = Reply.seeOther(Links.login + "?reset=1")
    reply.headers[.setCookie] = SessionCookie.clear(isSecure: inbound.isSecure)
    return reply
  }

  private static func find(_ server: Server, _ inbound: Inbound) async throws -> ResetLink? {
    try await ResetLink.find(
      token: inbound.parameters["token"] ?? "", at: Date(), server.platform.pool)
  }

  private static func page(
    _ server: Server, _ inbound: Inbound, _ link: ResetLink, _ problem: FormProblem? = nil
  ) -> Reply {
    let view = ResetView(
      token: inbound.parameters["token"] ?? "",
      kind: .init(rawValue: link.kind.rawValue) ?? .password, email: link.operator.email,
      problems: problem.map { [$0] } ?? [])
    return .html(
      view.render(
        with: server.pages.renderer,
        language: Language.preferred(inbound.headers[.acceptLanguage])),
      status: problem == nil ? .ok : .unprocessableContent)
  }
}

extension Server {
  fileprivate func gone(_ kind: LinkGoneView.Kind, _ inbound: Inbound) -> Reply {
    .html(
      LinkGoneView(kind: kind).render(
        with: pages.renderer, language: Language.preferred(inbound.headers[.acceptLanguage])),
      status: .notFound)
  }
}

extension FormProblem {
  init(_ problem: Operator.CreationProblem) {
    switch problem {
    case .email: self.init(field: "email", kind: .email)
    case .taken: self.init(field: "email", kind: .emailTaken)
    case .name:
      self.init(field: "name", kind: .name(max: EStars.Limits.operatorNameCharacters))
    case .password:
      self.init(field: "password", kind: .password(min: EStars.Limits.passwordCharacters))
    }
  }

  init(_ field: String, _ refusal: Login.Refusal) {
    switch refusal {
    case .mismatch: self.init(field: field, kind: .wrongPassword)
    case .throttled(let seconds): self.init(field: field, kind: .tryLater(seconds: seconds))
    case .busy: self.init(field: field, kind: .busy)
    }
  }

  init(_ field: String, _ refusal: SecondFactor.Refusal) {
    switch refusal {
    case .throttled(let seconds): self.init(field: field, kind: .tryLater(seconds: seconds))
    case .mismatch, .state: self.init(field: field, kind: .wrongCode)
    }
  }
}
