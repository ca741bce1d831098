import EStars
import Foundation
import HTTPTypes

/// Signing in and out.
enum LoginController {
  @Sendable static func new(_ server: Server, _ inbound: Inbound) async throws -> Reply {
    let query = inbound.query
    let failure: LoginView.Failure? =
      query["signed-out"] != nil ? .signedOut : query["reset"] != nil ? .reset : nil
    return page(server, inbound, LoginView(failure: failure, next: path(query["next"])))
  }

  @Sendable static func create(_ server: Server, _ inbound: Inbound) async throws -> Reply {
    let form = try inbound.form()
    let email = String((form["email"] ?? "").prefix(254))
    var view = LoginView(email: email, next: path(form["next"]))
    do { try server.checkOrigin(inbound) } catch {
      view.failure = .crossSite
      return page(server, inbound, view, status: .forbidden)
    }
    do {
      let opened = try await server.platform.login.open(
        email: email, password: form["password"] ?? "", userAgent: inbound.userAgent,
        address: inbound.address, at: Date())
      // Whatever this browser was signed in as is over.
      if let old = inbound.sessionToken {
        try await Session.close(token: old, server.platform.pool)
      }
      let path =
        opened.awaitsTOTP
        ? Links.with(Links.loginTOTP, [("next", view.next)]) : view.next ?? Links.workspaces
      return .seeOther(path).opening(opened, for: inbound)
    } catch Login.Refusal.mismatch {
      view.failure = .wrongCredentials
      return page(server, inbound, view, status: .unauthorized)
    } catch Login.Refusal.throttled(let seconds) {
      view.failure = .throttled(retryAfterSeconds: seconds)
      var reply = page(server, inbound, view, status: .tooManyRequests)
      reply.headers[.retryAfter] = String(seconds)
      return reply
    } catch Login.Refusal.busy {
      view.failure = .busy
      return page(server, inbound, view, status: .serviceUnavailable)
    }
  }

  @Sendable static func destroy(_ call: SessionCall) async throws -> Reply {
    try await call.session.close(call.platform.pool)
    var reply = Reply.seeOther(Links.login + "?signed-out=1")
    reply.headers[.setCookie] = SessionCookie.clear(isSecure: call.inbound.isSecure)
    return reply
  }

  private static func page(
    _ server: Server, _ inbound: Inbound, _ view: LoginView, status: HTTPResponse.Status = .ok
  ) -> Reply {
    let language = Language.preferred(inbound.headers[.acceptLanguage])
    return .html(view.render(with: server.pages.renderer, language: language), status: status)
  }

  /// Only a path of the dashboard may follow a login: an open redirect would help phishing.
  static func path(_ next: String?) -> String? {
    guard let next, !next.contains("\\"), next.utf8.allSatisfy({ $0 > 32 && $0 != 127 }),
      ["/w", Links.account, "/invitations/"].contains(where: { next.hasPrefix($0) }),
      next.utf8.count < 500
    else { return nil }
    return next
  }
}
