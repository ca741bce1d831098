import EStars
import Foundation
import HTTPTypes

/// The second factor: the page, and beginning to set it up.
enum AccountTOTPController {
  @Sendable static func show(_ call: SessionCall) async throws -> Reply {
    var view = try await call.totpView()
    view.wasRemoved = call.inbound.query["done"] == "removed"
    return call.page(view.render)
  }

  @Sendable static func create(_ call: SessionCall) async throws -> Reply {
    let person = call.session.operator
    do {
      try await call.platform.login.confirm(
        person, password: try call.inbound.form()["password"] ?? "",
        address: call.inbound.address, at: Date())
      let totp = try await call.platform.secondFactor.begin(for: person)
      return call.page(call.totpSetup(totp).render)
    } catch let refusal as Login.Refusal {
      return try await call.totpPage(.begin, FormProblem("password", refusal))
    } catch SecondFactor.Refusal.state {
      return .seeOther(Links.accountTOTP)
    }
  }
}

/// The first code: from here on the second factor counts.
enum AccountTOTPConfirmationController {
  @Sendable static func create(_ call: SessionCall) async throws -> Reply {
    let inbound = call.inbound
    do {
      let renewed = try await call.platform.secondFactor.confirm(
        code: try inbound.form()["code"] ?? "", for: call.session.operator,
        userAgent: inbound.userAgent, address: inbound.address, at: Date())
      let view = RecoveryCodesView(codes: renewed.recoveryCodes, isNew: true)
      return call.page(view.render, .created, in: renewed.opened)
    } catch SecondFactor.Refusal.state {
      return .seeOther(Links.accountTOTP)
    } catch let refusal as SecondFactor.Refusal {
      guard
        let totp = try await call.platform.secondFactor.pending(for: call.session.operator)
      else { return .seeOther(Links.accountTOTP) }
      var view = call.totpSetup(totp)
      view.form = .confirmation
      view.problems = [FormProblem("code", refusal)]
      return call.page(view.render, .unprocessableContent)
    }
  }
}

enum AccountTOTPRemovalController {
  @Sendable static func create(_ call: SessionCall) async throws -> Reply {
    let (inbound, form) = (call.inbound, try call.inbound.form())
    do {
      let opened = try await call.platform.secondFactor.remove(
        password: form["password"] ?? "", code: form["code"] ?? "", of: call.session.operator,
        userAgent: inbound.userAgent, address: inbound.address, at: Date())
      return .seeOther(Links.accountTOTP + "?done=removed").opening(opened, for: inbound)
    } catch let refusal as Login.Refusal {
      return try await call.totpPage(.removal, FormProblem("password", refusal))
    } catch SecondFactor.Refusal.state {
      return .seeOther(Links.accountTOTP)
    } catch let refusal as SecondFactor.Refusal {
      return try await call.totpPage(.removal, FormProblem("code", refusal))
    }
  }
}

enum RecoveryCodesController {
  @Sendable static func create(_ call: SessionCall) async throws -> Reply {
    do {
      let codes = try await call.platform.secondFactor.renewRecoveryCodes(
        password: try call.inbound.form()["password"] ?? "", of: call.session.operator,
        address: call.inbound.address, at: Date())
      return call.page(RecoveryCodesView(codes: codes, isNew: false).render, .created)
    } catch let refusal as Login.Refusal {
      return try await call.totpPage(.renewal, FormProblem("password", refusal))
    } catch SecondFactor.Refusal.state {
      return .seeOther(Links.accountTOTP)
    }
  }
}

extension SessionCall {
  fileprivate func totpView() async throws -> AccountTOTPView {
    let person = session.operator
    guard let since = person.secondFactorSince else {
      return AccountTOTPView(state: .off, isRequired: person.isAdmin)
    }
    return AccountTOTPView(
      state: .on(
        since: since, recoveryCodesLeft: try await RecoveryCode.left(of: person, platform.pool)))
  }

  fileprivate func totpSetup(_ totp: TOTP) -> AccountTOTPView {
    let person = session.operator
    return AccountTOTPView(
      state: .setup(secret: totp.base32, address: totp.address(account: person.email)),
      isRequired: person.isAdmin)
  }

  fileprivate func totpPage(
    _ form: AccountTOTPView.Form, _ problem: FormProblem
  ) async throws -> Reply {
    var view = try await totpView()
    view.form = form
    view.problems = [problem]
    return page(view.render, .unprocessableContent)
  }
}
