@_spi(Guard) import EStars
import Foundation
import HTTPTypes
import Ledger

/// A signed-in request.
struct SessionCall: Sendable {
  let server: Server
  let inbound: Inbound
  let session: Session
  var platform: Platform { server.platform }
}

/// A signed-in request inside one workspace that the operator belongs to.
struct Visit: Sendable {
  let server: Server
  let inbound: Inbound
  let session: Session
  let membership: Membership
  let scope: WorkspaceScope
  var platform: Platform { server.platform }
  var workspace: Workspace { membership.workspace }
}

extension Visit {
  /// The same request on the other side of the business; nil for who may not enter it.
  func otherSide() async throws -> Visit? {
    var other = try await Membership.all(of: session.operator, platform.pool)
      .first { $0.workspace.id == workspace.twinID }
    // An admin who looks in belongs to neither and sees both.
    if other == nil, membership.visit != nil, let id = workspace.twinID,
      let twin = try await Workspace.find(id: id, platform.pool)
    {
      other = try await Membership.find(slug: twin.slug, of: session.operator, platform.pool)
    }
    return other.map { membership in
      Visit(
        server: server, inbound: inbound, session: session, membership: membership,
        scope: membership.workspace.scope)
    }
  }
}

/// A request of a signed-in admin of the platform.
struct AdminCall: Sendable {
  let server: Server
  let inbound: Inbound
  let session: Session
  let at: Date
  var platform: Platform { server.platform }
  var admin: Operator { session.operator }
}

/// A request of an operator's bot, by API key.
struct BotCall: Sendable {
  let server: Server
  var inbound: Inbound
  let bot: Bot
  let workspace: Workspace
  let scope: WorkspaceScope
  let key: APIKey
  var platform: Platform { server.platform }

  /// The caller's key for this write, with which it may be repeated.
  ///
  /// - Throws: ``Refusal``
  func idempotencyKey() throws -> String {
    guard let key = inbound.headers[Self.header], !key.isEmpty else {
      throw Refusal(
        .badRequest, "idempotency_key_missing",
        "Send an Idempotency-Key header: one value per write, the same when you retry it.")
    }
    guard key.utf8.count <= Limits.idempotencyKeyBytes,
      key.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
    else {
      throw Refusal(
        .badRequest, "idempotency_key_invalid",
        "An Idempotency-Key is 1 to \(Limits.idempotencyKeyBytes) visible ASCII characters.")
    }
    return key
  }

  private static let header = HTTPField.Name("Idempotency-Key") ?? .via
}

/// A request of Telegram, by webhook secret.
struct WebhookCall: Sendable {
  let server: Server
  var inbound: Inbound
  let bot: Bot
  let workspace: Workspace
  let scope: WorkspaceScope
  var platform: Platform { server.platform }
}

extension Server {
  /// - Throws: ``SignInNeeded`` when there is no valid session; a ``Refusal`` for a form that
  ///   another site or session made.
  func session(_ inbound: Inbound) async throws -> SessionCall {
    guard let token = inbound.sessionToken else { throw Refusal.signIn(returningTo: inbound) }
    guard let session = try await Session.find(token: token, at: Date(), platform.pool) else {
      let isHalfWay =
        try await Session.findAwaitingTOTP(token: token, at: Date(), platform.pool) != nil
      throw Refusal.signIn(isHalfWay ? Links.loginTOTP : Links.login, returningTo: inbound)
    }
    try checkForm(inbound, session)
    // Whoever may see every workspace is known by more than a password.
    if session.operator.isAdmin, session.operator.secondFactorSince == nil,
      !Links.isOpenWithoutSecondFactor(inbound.path)
    {
      throw Refusal.redirect(to: Links.accountTOTP)
    }
    return SessionCall(server: self, inbound: inbound, session: session)
  }

  /// The session of a browser whose password was right and whose second factor is still to come.
  ///
  /// - Throws: ``Refusal``
  func awaitingTOTP(_ inbound: Inbound) async throws -> SessionCall {
    guard let token = inbound.sessionToken else { throw Refusal.signIn(returningTo: inbound) }
    guard
      let session = try await Session.findAwaitingTOTP(token: token, at: Date(), platform.pool)
    else {
      _ = try await self.session(inbound)
      throw Refusal.redirect(to: Links.workspaces)
    }
    try checkForm(inbound, session)
    return SessionCall(server: self, inbound: inbound, session: session)
  }

  /// Who is signed in, on a page that anybody may open; nobody where a form is not of that session.
  func visitor(_ inbound: Inbound) async throws -> SessionCall? {
    guard let token = inbound.sessionToken,
      let session = try await Session.find(token: token, at: Date(), platform.pool)
    else { return nil }
    return SessionCall(server: self, inbound: inbound, session: session)
  }

  /// A form comes from our own pages and from this session.
  func checkForm(_ inbound: Inbound, _ session: Session) throws {
    guard inbound.method == .post else { return }
    try checkOrigin(inbound)
    let sent = try inbound.form()["csrf"] ?? ""
    guard Bytes.equalInConstantTime(Array(sent.utf8), Array(session.csrfToken.utf8)) else {
      throw Refusal(
        .forbidden, "csrf",
        "This form belongs to another session. Go back, reload the page and send it again.")
    }
  }

  /// Not being a member and there being no such workspace answer alike.
  func visit(_ inbound: Inbound, _ role: Role) async throws -> Visit {
    let call = try await session(inbound)
    guard let slug = inbound.parameters["workspace"],
      let membership = try await Membership.find(
        slug: slug, of: call.session.operator, platform.pool)
    else { throw Refusal.notFound }
    guard membership.role >= role else {
      throw Refusal(
        .forbidden, "role", "Your role here does not allow this. Ask an owner of the workspace.")
    }
    return Visit(
      server: self, inbound: inbound, session: call.session, membership: membership,
      scope: membership.workspace.scope)
  }

  /// For everybody else there is nothing at these addresses.
  func adminCall(_ inbound: Inbound) async throws -> AdminCall {
    let call = try await session(inbound)
    guard call.session.operator.isAdmin, call.session.operator.secondFactorSince != nil else {
      throw Refusal.notFound
    }
    return AdminCall(server: self, inbound: inbound, session: call.session, at: Date())
  }

  func botCall(_ inbound: Inbound, _ needed: APIKey.Scope) async throws -> BotCall {
    let header = inbound.headers[.authorization] ?? ""
    guard header.hasPrefix("Bearer "), header.utf8.count <= 256,
      let key = try await platform.directory.apiKey(String(header.dropFirst(7))),
      let bot = try await platform.directory.bot(key.botID),
      let workspace = try await platform.directory.workspace(key.workspaceID)
    else {
      throw Refusal(
        .unauthorized, "unauthorized", "Send a valid API key as Authorization: Bearer esk_….")
    }
    guard key.scopes.contains(needed) else {
      throw Refusal(
        .forbidden, "scope_missing", "This key does not have the scope “\(needed.rawValue)”.")
    }
    guard bot.isConnected else {
      throw Refusal(
        .forbidden, "bot_disconnected",
        "This bot is disconnected. An owner of the workspace can add it again.")
    }
    platform.keyUses.note(key)
    return BotCall(
      server: self, inbound: inbound, bot: bot, workspace: workspace, scope: workspace.scope,
      key: key)
  }

  /// A bot that is not here and a wrong secret answer alike.
  func webhookCall(_ inbound: Inbound) async throws -> WebhookCall {
    let secret = inbound.headers[Self.secretHeader]
    guard let id = inbound.parameters["bot"].flatMap({ Int64($0) }),
      let bot = try await platform.directory.bot(id)?.accepting(webhookSecret: secret),
      let workspace = try await platform.directory.workspace(bot.workspaceID)
    else {
      throw Refusal(
        .unauthorized, "unauthorized", "The webhook secret is missing or not this bot's.")
    }
    return WebhookCall(
      server: self, inbound: inbound, bot: bot, workspace: workspace, scope: workspace.scope)
  }

  private static let secretHeader = HTTPField.Name("X-Telegram-Bot-Api-Secret-Token") ?? .via

  /// A form must come from our own pages. Browsers send Sec-Fetch-Site or Origin with every post.
  func checkOrigin(_ inbound: Inbound) throws {
    let site = inbound.headers[Self.fetchSite]
    let origin = inbound.headers[.origin]
    let host = inbound.authority ?? configuration.publicURL.authority
    // A proxy may rewrite the Host header; the public address is ours whatever it says.
    let url = configuration.publicURL
    let ownOrigins = [
      "http://\(host)", "https://\(host)", "\(url.scheme ?? "https")://\(url.authority)",
    ]
    let isOurs = site.map { $0 == "same-origin" || $0 == "none" } ?? true
    guard isOurs, origin.map(ownOrigins.contains) ?? true else {
      throw Refusal(
        .forbidden, "cross_site", "This form was sent from another site, so nothing was changed.")
    }
  }

  private static let fetchSite = HTTPField.Name("Sec-Fetch-Site") ?? .via
}

extension URL {
  /// Host and port as they stand in a Host header.
  var authority: String { (host() ?? "") + (port.map { ":\($0)" } ?? "") }
}

extension Refusal {
  static func redirect(to path: String) -> Refusal {
    var refusal = Refusal(.seeOther, "elsewhere", "This is done on another page.")
    refusal.headers[.location] = path
    return refusal
  }

  /// Sends the browser to the login page, or the step of it that is left, and back afterwards.
  static func signIn(
    _ step: String = Links.login, returningTo inbound: Inbound
  ) -> Refusal {
    let isPage = inbound.method == .get || inbound.method == .head
    let page = inbound.path + (inbound.rawQuery.map { "?\($0)" } ?? "")
    let allowed = CharacterSet.urlPathAllowed.subtracting(CharacterSet(charactersIn: "&+?"))
    let back =
      (isPage ? page : Links.workspaces).addingPercentEncoding(withAllowedCharacters: allowed)
      ?? Links.workspaces
    var refusal = Refusal(.seeOther, "sign_in", "Sign in to see this page.")
    refusal.headers[.location] = "\(step)?next=\(back)"
    return refusal
  }
}

extension Inbound {
  /// What the browser's cookie says, whoever's it is.
  var sessionToken: String? { cookies[SessionCookie.name(isSecure: isSecure)] }

  var userAgent: String { headers[.userAgent] ?? "" }
}

extension Reply {
  /// Signs the browser in anew.
  func opening(_ session: Session.Opened, for inbound: Inbound) -> Reply {
    var reply = self
    reply.headers[.setCookie] = SessionCookie.set(session.token, isSecure: inbound.isSecure)
    return reply
  }
}

enum SessionCookie {
  /// A `__Host-` cookie needs TLS; on a plain loopback address there is none to have.
  static func name(isSecure: Bool) -> String { isSecure ? "__Host-session" : "session" }

  static func set(_ token: String, isSecure: Bool) -> String {
    "\(name(isSecure: isSecure))=\(token); Path=/; HttpOnly; SameSite=Lax; "
      + "Max-Age=\(Limits.sessionSeconds)\(isSecure ? "; Secure" : "")"
  }

  static func clear(isSecure: Bool) -> String {
    "\(name(isSecure: isSecure))=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
      + (isSecure ? "; Secure" : "")
  }
}
