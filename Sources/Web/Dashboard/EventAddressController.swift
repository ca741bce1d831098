import EStars
import Foundation
import HTTPTypes

/// Where a bot's events go. A new secret is shown in the answer to the form that made it, and
/// nowhere else.
enum EventAddressController {
  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    try await visit.page(try await view(visit).render)
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let bot = try await visit.eventBot()
    let url = visit.inbound.words(try visit.inbound.form()["url"])
    do {
      let secret = try await EventAddress.set(
        url, bot: bot.id, by: visit.actor, in: visit.scope, visit.platform)
      guard let secret else { return .seeOther(Links.eventAddress(visit.workspace.slug, bot.id)) }
      return try await shown(secret, visit)
    } catch EventAddress.Problem.target(let refusal) {
      var view = try await view(visit)
      view.typed = url
      view.problem = .init(rawValue: refusal.rawValue) ?? .malformed
      var reply = try await visit.page(view.render)
      reply.status = .unprocessableContent
      return reply
    } catch EventAddress.Problem.noBot { throw Refusal.notFound }
  }

  fileprivate static func shown(_ secret: String, _ visit: Visit) async throws -> Reply {
    var view = try await view(visit)
    view.secret = secret
    var reply = try await visit.page(view.render)
    reply.status = .created
    reply.headers[.cacheControl] = "no-store"
    return reply
  }

  fileprivate static func warned(
    _ warning: EventAddressView.Warning, _ visit: Visit
  ) async throws -> Reply {
    var view = try await view(visit)
    view.warning = warning
    var reply = try await visit.page(view.render)
    reply.status = .conflict
    return reply
  }

  private static func view(_ visit: Visit) async throws -> EventAddressView {
    let bot = try await visit.eventBot()
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let address = try await EventAddress.of(bot: bot.id, in: scope, pool)
    let mayChange = visit.membership.role >= .owner
    let audit = try await AuditEntry.about("bot", String(bot.id), in: scope, pool)
    return EventAddressView(
      bot: BotLabel(bot),
      present: address.map { address in
        .init(
          // It may hold a token.
          url: mayChange ? address.url : address.url.hostAlone, fingerprint: address.fingerprint,
          previousUntil: address.previousUntil.flatMap { $0 > Date() ? visit.shown($0) : nil })
      },
      mayChange: mayChange,
      audit: audit.filter { $0.action.hasPrefix("event") }.map(PaymentView.AuditLine.init))
  }
}

/// A new secret for the events of a bot.
enum EventAddressRotationController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let bot = try await visit.eventBot()
    let fingerprint = try visit.inbound.form()["fingerprint"] ?? ""
    do {
      let secret = try await EventAddress.rotate(
        bot: bot.id, fingerprint: fingerprint, by: visit.actor, in: visit.scope, visit.platform)
      return try await EventAddressController.shown(secret, visit)
    } catch EventAddress.Problem.changed {
      return try await EventAddressController.warned(.changed, visit)
    } catch EventAddress.Problem.overlapping {
      return try await EventAddressController.warned(.overlapping, visit)
    } catch EventAddress.Problem.noAddress {
      return try await EventAddressController.warned(.none, visit)
    }
  }
}

enum EventAddressRemovalController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let bot = try await visit.eventBot()
    try await EventAddress.remove(
      bot: bot.id, by: visit.actor, in: visit.scope, visit.platform.pool)
    return .seeOther(Links.eventAddress(visit.workspace.slug, bot.id))
  }
}

/// An event that says nothing but that the address works.
enum EventAddressTestController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let bot = try await visit.eventBot()
    do {
      let event = try await Event.test(
        bot: bot.id, by: visit.actor, in: visit.scope, visit.platform.pool)
      return .seeOther(Links.event(visit.workspace.slug, event))
    } catch EventReplayProblem.noAddress {
      return try await EventAddressController.warned(.none, visit)
    }
  }
}

extension Visit {
  /// The bot in the path; one of another workspace is none.
  fileprivate func eventBot() async throws -> Bot {
    let id = try inbound.id("bot")
    guard let bot = try await Bot.all(in: scope, platform.pool).first(where: { $0.id == id }) else {
      throw Refusal.notFound
    }
    return bot
  }
}
