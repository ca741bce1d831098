import EStars
import Foundation
import HTTPTypes

/// The second step of signing in.
enum LoginTOTPController {
  @Sendable static func new(_ call: SessionCall) async throws -> Reply {
    page(call, nil, next: LoginController.path(call.inbound.query["next"]), .ok)
  }

  @Sendable static func create(_ call: SessionCall) async throws -> Reply {
    let (inbound, form) = (call.inbound, try call.inbound.form())
    let next = LoginController.path(form["next"])
    do {
      let opened = try await call.platform.secondFactor.pass(
        call.session, code: form["code"] ?? "", userAgent: inbound.userAgent,
        address: inbound.address, at: Date())
      return .seeOther(next ?? Links.workspaces).opening(opened, for: inbound)
    } catch SecondFactor.Refusal.mismatch {
      return page(call, .wrongCode, next: next, .unprocessableContent)
    } catch SecondFactor.Refusal.throttled(let seconds) {
      var reply = page(call, .tryLater(seconds: seconds), next: next, .tooManyRequests)
      reply.headers[.retryAfter] = String(seconds)
      return reply
    } catch SecondFactor.Refusal.state {
      // It was taken off a moment ago.
      throw Refusal.redirect(to: Links.login)
    }
  }

  private static func page(
    _ call: SessionCall, _ problem: FormProblem.Kind?, next: String?,
    _ status: HTTPResponse.Status
  ) -> Reply {
    let view = LoginTOTPView(csrf: call.session.csrfToken, problem: problem, next: next)
    let language = Language.preferred(call.inbound.headers[.acceptLanguage])
    return .html(
      view.render(with: call.server.pages.renderer, language: language), status: status)
  }
}
