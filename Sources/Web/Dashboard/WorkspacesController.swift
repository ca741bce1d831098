import EStars
import Foundation
import HTTPTypes

/// The businesses that an operator belongs to. With one business there is nothing to choose.
enum WorkspacesController {
  @Sendable static func index(_ call: SessionCall) async throws -> Reply {
    let memberships = try await Membership.all(of: call.session.operator, call.platform.pool)
    var choices: [WorkspacesView.Choice] = []
    for membership in memberships {
      let workspace = membership.workspace
      let isTwin = memberships.contains { $0.workspace.id == workspace.twinID }
      // A business with both sides is one choice, made at its live side.
      if workspace.side == .test, isTwin { continue }
      let twin = memberships.first { $0.workspace.id == workspace.twinID }?.workspace
      let sides = [workspace, twin].compactMap { $0 }
      choices.append(
        WorkspacesView.Choice(
          name: workspace.name, role: .init(rawValue: membership.role.rawValue) ?? .viewer,
          liveSlug: sides.first { $0.side == .live }?.slug,
          testSlug: sides.first { $0.side == .test }?.slug))
    }
    return call.page(WorkspacesView(choices: choices).render)
  }
}

extension SessionCall {
  /// A page of no workspace.
  ///
  /// - Parameter opened: The session that the browser goes on in, where this answer begins it.
  func page(
    _ render: (Renderer, Frame) -> String, _ status: HTTPResponse.Status = .ok,
    in opened: Session.Opened? = nil
  ) -> Reply {
    let frame = Frame(
      language: Language(operatorLocale: session.operator.locale), timeZone: .gmt, now: Date(),
      csrfToken: opened?.csrfToken ?? session.csrfToken, operatorName: session.operator.name,
      done: inbound.query["done"].flatMap(Done.init), isAdmin: session.operator.isAdmin)
    let reply = Reply.html(render(server.pages.renderer, frame), status: status)
    return opened.map { reply.opening($0, for: inbound) } ?? reply
  }
}

extension Visit {
  /// What stands around a page of this visit.
  func frame() async throws -> Frame {
    async let openAlerts = Alert.openCount(in: scope, platform.pool)
    return Frame(
      language: Language(operatorLocale: session.operator.locale), timeZone: workspace.timeZone,
      now: scope.now, csrfToken: session.csrfToken, operatorName: session.operator.name,
      workspace: .init(
        slug: workspace.slug, name: workspace.name,
        side: workspace.side == .live ? .live : .test,
        otherSideSlug: try await otherSide()?.workspace.slug,
        suspension: workspace.suspension.map { .init(at: $0.at, reason: $0.reason) }),
      openAlerts: try await openAlerts, done: inbound.query["done"].flatMap(Done.init),
      isAdmin: session.operator.isAdmin, visitEndsAt: membership.visit?.endsAt)
  }

  func page(_ render: (Renderer, Frame) -> String) async throws -> Reply {
    .html(render(server.pages.renderer, try await frame()))
  }
}
