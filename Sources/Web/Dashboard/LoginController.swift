import EStars
import Foundation
import HTTPTypes

/// Signing in and out.
enum LoginController {
  @Sendable static func new(_ server: Server, _ inbound: Inbound) async throws -> Reply {
    let failure: LoginView.Failure? = inbound.query["signed-out"] == nil ? nil : .signedOut
    return page(server, inbound, LoginView(failure: failure, next: path(inbound.query["next"])))
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
        email: email, password: form["password"] ?? "",
        userAgent: inbound.headers[.userAgent] ?? "", address: inbound.address, at: Date())
      var reply = Reply.seeOther(view.next ?? Links.workspaces)
      reply.headers[.setCookie] = SessionCookie.set(opened.token, isSecure: inbound.isSecure)
      return reply
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
  private static func path(_ next: String?) -> String? {
    guard let next, next.hasPrefix("/w"), !next.contains("\\"), !next.contains("\n"),
      next.utf8.count < 500
    else { return nil }
    return next
  }
}
