import EStars
import Foundation
import HTTPTypes

/// An operator's own name, language and password.
enum AccountController {
  @Sendable static func show(_ call: SessionCall) async throws -> Reply {
    var view = AccountView(call.session.operator)
    view.notice = call.inbound.query["done"].flatMap(AccountView.Notice.init)
    return call.page(view.render)
  }

  @Sendable static func update(_ call: SessionCall) async throws -> Reply {
    let form = try call.inbound.form()
    var view = AccountView(call.session.operator)
    view.name = call.inbound.words(form["name"])
    guard let language = Language(rawValue: form["locale"] ?? "") else {
      view.problems = [FormProblem(field: "locale", kind: .gone)]
      return call.page(view.render, .unprocessableContent)
    }
    view.locale = language
    do {
      try await call.session.operator.edit(
        name: view.name, locale: language.rawValue, call.platform.pool)
    } catch let problem as Operator.CreationProblem {
      view.problems = [FormProblem(problem)]
      return call.page(view.render, .unprocessableContent)
    }
    return .seeOther(Links.account + "?done=saved")
  }
}

enum AccountPasswordController {
  @Sendable static func create(_ call: SessionCall) async throws -> Reply {
    let (inbound, form) = (call.inbound, try call.inbound.form())
    let password = form["password"] ?? ""
    var view = AccountView(call.session.operator)
    guard password == form["again"] ?? "" else {
      view.passwordProblems = [FormProblem(field: "again", kind: .differs)]
      return call.page(view.render, .unprocessableContent)
    }
    do {
      let opened = try await call.session.operator.changePassword(
        from: form["present"] ?? "", to: password, userAgent: inbound.userAgent,
        address: inbound.address, at: Date(), call.platform)
      return .seeOther(Links.account + "?done=password").opening(opened, for: inbound)
    } catch let refusal as Login.Refusal {
      view.passwordProblems = [FormProblem("present", refusal)]
    } catch let problem as Operator.CreationProblem {
      view.passwordProblems = [FormProblem(problem)]
    }
    return call.page(view.render, .unprocessableContent)
  }
}

/// Where the operator is signed in.
enum AccountSessionsController {
  @Sendable static func index(_ call: SessionCall) async throws -> Reply {
    let sessions = try await SessionRecord.all(
      of: call.session.operator, at: Date(), call.platform.pool)
    let view = AccountSessionsView(
      rows: sessions.map {
        .init(
          id: $0.id, userAgent: $0.userAgent, address: $0.address, createdAt: $0.createdAt,
          lastSeenAt: $0.lastSeenAt, isThisOne: $0.id == call.session.id)
      })
    return call.page(view.render)
  }
}

enum AccountSessionRevocationController {
  @Sendable static func create(_ call: SessionCall) async throws -> Reply {
    guard try await call.session.revoke(call.inbound.id("session"), call.platform) else {
      throw Refusal.notFound
    }
    return .seeOther(Done.sessionEnded.on(Links.accountSessions))
  }
}

/// All sessions but the one that asks.
enum AccountSessionsRevocationController {
  @Sendable static func create(_ call: SessionCall) async throws -> Reply {
    try await call.session.revokeOthers(call.platform)
    return .seeOther(Done.sessionsEnded.on(Links.accountSessions))
  }
}

extension AccountView {
  init(_ person: Operator) {
    self.init(
      email: person.email, name: person.name, locale: Language(operatorLocale: person.locale))
  }
}
