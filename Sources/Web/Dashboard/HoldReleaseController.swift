import EStars
import Foundation
import HTTPTypes

/// The release of a hold by a person.
enum HoldReleaseController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let hold = try await visit.hold()
    let form = try visit.inbound.form()
    let reason = visit.inbound.words(form["reason"])
    let problem: HoldView.Problem? =
      switch reason.unicodeScalars.count {
      case 0: .missing
      case 1...Limits.noteCharacters: nil
      default: .long
      }
    guard let number = hold.number else { throw Refusal.notFound }
    if hold.state == .open, problem != nil {
      var view = try await visit.holdView(hold)
      view.form = .init(reason: reason, problem: problem)
      var reply = try await visit.page(view.render)
      reply.status = .unprocessableContent
      return reply
    }
    do {
      try await Hold.release(
        number, reason: reason, by: visit.actor, in: visit.scope, visit.platform.pool)
    } catch HoldReleaseRefusal.closed(let now) where now.state != .released {
      var view = try await visit.holdView(now)
      view.wasClosed = true
      var reply = try await visit.page(view.render)
      reply.status = .conflict
      return reply
    } catch HoldReleaseRefusal.closed {
      // The same form sent twice, or two people who wanted the same: it is released, once.
    } catch HoldReleaseRefusal.notFound {
      throw Refusal.notFound
    }
    return .seeOther(Links.hold(visit.workspace.slug, number))
  }
}
