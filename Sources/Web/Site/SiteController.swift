import Foundation

/// Pages and files that anybody may read.
enum SiteController {
  @Sendable static func asset(_ server: Server, _ inbound: Inbound) async throws -> Reply {
    guard
      let file = server.pages.renderer.assets.files[inbound.path]
        ?? server.pages.site.image(inbound.path)
    else { throw Refusal.notFound }
    return file.reply(to: inbound.headers)
  }

  /// Browsers ask for this whatever the page says.
  @Sendable static func favicon(_ server: Server, _ inbound: Inbound) async throws -> Reply {
    let assets = server.pages.renderer.assets
    guard let file = assets.files[assets.path("favicon.svg")] else { throw Refusal.notFound }
    return file.reply(to: inbound.headers)
  }

  /// A developer page, or an example's file.
  @Sendable static func docs(_ server: Server, _ inbound: Inbound) async throws -> Reply {
    guard let page = server.pages.docs.pages[inbound.path] else { throw Refusal.notFound }
    return page.reply(to: inbound.headers)
  }
}
