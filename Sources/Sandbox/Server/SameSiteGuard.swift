import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Console and pages have no login, so a foreign web page must not reach them through the
/// visitor's browser: neither by posting a form across sites nor by pointing a name of its own at
/// this machine. The Bot API has its token.
struct SameSiteGuard: RouterMiddleware {
  let allowedHosts: Set<String>

  func handle(
    _ request: Request, context: SandboxContext,
    next: (Request, SandboxContext) async throws -> Response
  ) async throws -> Response {
    if request.uri.path.hasPrefix("/bot") { return try await next(request, context) }
    guard isAllowed(host: request.head.authority) else {
      throw Refusal(403, "foreign_host", "The sandbox does not answer under this name.")
    }
    guard request.method == .get || request.method == .head || isSameSite(request) else {
      throw Refusal(403, "foreign_site", "This came from another site.")
    }
    return try await next(request, context)
  }

  private func isAllowed(host authority: String?) -> Bool {
    guard let authority, let host = URLComponents(string: "http://\(authority)")?.host else {
      return false
    }
    if allowedHosts.contains(host.lowercased()) { return true }
    let bare = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
    return (try? SocketAddress(ipAddress: bare, port: 0)) != nil
  }

  private func isSameSite(_ request: Request) -> Bool {
    if let site = request.headers[.secFetchSite] { return ["same-origin", "none"].contains(site) }
    guard let origin = request.headers[.origin] else { return true }
    guard let parts = URLComponents(string: origin), let host = parts.host else { return false }
    let port = parts.port.map { ":\($0)" } ?? ""
    return "\(host)\(port)" == request.head.authority
  }
}

extension HTTPField.Name {
  static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
}
