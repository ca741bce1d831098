import EStars
import Foundation
import HTTPTypes
import Hummingbird

/// What the server draws with and the pages that never change, made once at boot.
struct Pages: Sendable {
  let renderer: Renderer
  let site: Site
  let margin: MarginPages
  let docs: Docs
  let sitemap: Sitemap
  let openAPI: OpenAPI

  init(resources: URL, publicURL: URL) throws {
    try self.init(resources: resources, address: SiteAddress(publicURL: publicURL))
  }

  /// - Throws: `ContentError` naming the file that is missing or broken.
  init(resources: URL, address: SiteAddress) throws {
    renderer = try Renderer(root: resources)
    let shell = try SiteShell(root: resources, address: address, renderer: renderer)
    site = try Site(root: resources, shell: shell)
    margin = try MarginPages(root: resources, site: site, renderer: renderer)
    docs = try Docs(root: resources, shell: shell)
    sitemap = try Sitemap(address)
    openAPI = try OpenAPI(root: resources)
  }

  /// The page for a refusal, or the redirect that it asks for.
  func error(_ refusal: Refusal, _ request: Request, requestID: String) -> Reply {
    if refusal.headers[.location] != nil {
      var reply = Reply(refusal.status, headers: refusal.headers)
      reply.headers[.cacheControl] = "no-store"
      return reply
    }
    let language = Language.preferred(request.headers[.acceptLanguage])
    var reply = Reply.html(
      ErrorView(status: refusal.status.code, code: refusal.code, requestID: requestID)
        .render(with: renderer, language: language), status: refusal.status)
    reply.headers.append(contentsOf: refusal.headers)
    if let seconds = refusal.retryAfterSeconds { reply.headers[.retryAfter] = String(seconds) }
    return reply
  }
}

extension Language {
  /// Portuguese for browsers that ask for it first, English for all others.
  static func preferred(_ acceptLanguage: String?) -> Language {
    (acceptLanguage ?? "").lowercased().hasPrefix("pt") ? .ptBR : .en
  }

  init(operatorLocale: String) { self = Language(rawValue: operatorLocale) ?? .en }
}

extension StaticBytes {
  /// The bytes as the client can take them: compressed if it says so, 304 if it has them.
  func reply(to headers: HTTPFields) -> Reply {
    let form = representation(acceptEncoding: headers[.acceptEncoding])
    if Self.matches(form, ifNoneMatch: headers[.ifNoneMatch]) {
      return Reply(.notModified, headers: form.validators)
    }
    return Reply(.ok, headers: form.headers, shared: form.shared)
  }
}
