import EStars
import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import Logging
import NIOCore

/// The web doors of the product: site, dashboard, API and webhook on one port.
public final class Server: Sendable {
  public struct Configuration: Sendable {
    public var host = "127.0.0.1"
    public var port = 8080
    /// Addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    public var trustedProxies: Set<String> = []
    /// The folder with `Templates`, `Public` and `content`.
    public var resources: URL
    /// How browsers and bots reach this server; sets the allowed Origin.
    public var publicURL: URL
    /// A Telegram of one's own, whose bots a test side may have.
    public var sandboxURL: URL?

    /// How a sandbox reaches this server, since it calls its own machine only. Where a proxy ends
    /// TLS, it goes past that; without one the public address is on this machine.
    var localURL: URL? {
      publicURL.scheme == "https" ? URL(string: "http://127.0.0.1:\(port)") : nil
    }

    public init(resources: URL, publicURL: URL) {
      self.resources = resources
      self.publicURL = publicURL
    }
  }

  let platform: Platform
  let configuration: Configuration
  let pages: Pages
  let reads: ReadLimit
  /// Of people whom nobody has seen, where known ones are served on.
  let strangers: ReadLimit
  /// Of people who are known, in checks.
  let checks: ReadLimit
  let logger: Logger
  /// Whether browsers reach this server by TLS; read of the public address once.
  let isTLS: Bool

  /// - Throws: When a template, a page or an asset is missing or broken; the error names the file.
  public convenience init(
    platform: Platform, configuration: Configuration, logger: Logger
  ) throws {
    self.init(
      platform: platform, configuration: configuration, logger: logger,
      pages: try Pages(
        resources: configuration.resources, publicURL: configuration.publicURL))
  }

  init(platform: Platform, configuration: Configuration, logger: Logger, pages: Pages) {
    self.platform = platform
    self.configuration = configuration
    self.logger = logger
    isTLS = configuration.publicURL.scheme == "https"
    self.pages = pages
    reads = ReadLimit(perMinute: Limits.customersReadPerMinute)
    strangers = ReadLimit(perMinute: Limits.strangersPerMinute)
    checks = ReadLimit(perMinute: Limits.customersCheckedPerMinute)
  }

  /// The application that serves every route of ``Route/all``.
  public func application(
    onRunning: @escaping @Sendable (any Channel) async -> Void = { _ in }
  ) -> some ApplicationProtocol {
    application(Route.all, onRunning: onRunning)
  }

  /// The same doors in front of these routes.
  func application(
    _ routes: [Route], onRunning: @escaping @Sendable (any Channel) async -> Void = { _ in }
  ) -> some ApplicationProtocol {
    Application(
      responder: router(routes).buildResponder(),
      server: .http1(
        configuration: .init(
          additionalChannelHandlers: [SlowClientHandler()],
          idleTimeout: .seconds(ServingLimits.idleSeconds),
          httpDecoderConfiguration: .init(
            maxHeaderFieldSize: ServingLimits.headerFieldBytes,
            maxHeaderListSize: ServingLimits.headerListBytes,
            maxHeaderFieldCount: ServingLimits.headerFields))),
      configuration: .init(
        address: .hostname(configuration.host, port: configuration.port), serverName: "eStars",
        availableConnectionsDelegate: .maximum(
          ServingLimits.connections, logger: logger)),
      onServerRunning: onRunning, logger: logger)
  }

  private func router(_ routes: [Route]) -> Router<ClientContext> {
    let router = Router(context: ClientContext.self, options: .autoGenerateHeadEndpoints)
    router.add(middleware: Gateway(server: self))
    for route in routes {
      router.on(RouterPath(route.path), method: route.method) { request, context in
        (try await self.respond(to: request, context, route)).response
      }
    }
    return router
  }

  /// Runs a request through its route's guard and handler. Keys and secrets stand in the head, so
  /// programs are known before their bodies are read.
  private func respond(
    to request: Request, _ context: ClientContext, _ route: Route
  ) async throws -> Reply {
    func whole() async throws -> Inbound {
      var inbound = inbound(request, context)
      inbound.body = try await body(of: request, route)
      return inbound
    }
    switch route.door {
    case .page(let bytes):
      _ = try await body(of: request, route)
      return bytes(pages).reply(to: request.headers)
    case .key(let scope, let handle):
      var call = try await botCall(inbound(request, context), scope)
      call.inbound.body = try await body(of: request, route)
      return try await handle(call)
    case .webhook(let handle):
      var call = try await webhookCall(inbound(request, context))
      call.inbound.body = try await body(of: request, route)
      return try await handle(call)
    case .anyone(let handle): return try await handle(self, whole())
    case .awaitingTOTP(let handle):
      return try await handle(try await awaitingTOTP(whole())).asPage()
    case .session(let handle):
      return try await handle(try await session(whole())).asPage()
    case .member(let role, let handle):
      return try await handle(try await visit(whole(), role)).asPage()
    case .admin(let handle):
      return try await handle(try await adminCall(whole())).asPage()
    }
  }

  /// The body, whole and within the route's limit.
  private func body(of request: Request, _ route: Route) async throws -> [UInt8] {
    // Such a request has none (RFC 9112, 6.3).
    if request.headers[.contentLength] == nil, request.headers[.transferEncoding] == nil {
      return []
    }
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > route.bodyLimit {
      throw Refusal.tooLarge
    }
    do {
      var request = request
      return Array(buffer: try await request.collectBody(upTo: route.bodyLimit))
    } catch is NIOTooManyBytesError { throw Refusal.tooLarge }
  }

  /// The head of a request, and who is calling.
  private func inbound(_ request: Request, _ context: ClientContext) -> Inbound {
    let proxy = trustedProxy(context)
    let proto = proxy == nil ? nil : request.headers[Self.forwardedProto]
    let forwardedFor = request.headers[Self.forwardedFor]
    var parameters: [String: String] = [:]
    for (name, value) in context.parameters {
      parameters[String(name)] = value.removingPercentEncoding ?? String(value)
    }
    return Inbound(
      method: request.method, path: request.uri.path, rawQuery: request.uri.query,
      parameters: parameters, authority: request.head.authority, headers: request.headers,
      resolveAddress: { [self] in
        proxy.map { client(forwardedFor ?? "", $0) } ?? context.remoteAddress?.ipAddress
          ?? "unknown"
      },
      requestID: context.requestID, isSecure: proto == "https" || isTLS)
  }

  /// The address of the proxy that the request came through, if it is one of ours.
  private func trustedProxy(_ context: ClientContext) -> String? {
    guard !configuration.trustedProxies.isEmpty, let remote = context.remoteAddress?.ipAddress,
      configuration.trustedProxies.contains(remote)
    else { return nil }
    return remote
  }

  /// The last address that no trusted proxy of ours stands behind.
  private func client(_ forwardedFor: String, _ remote: String) -> String {
    forwardedFor.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
      .last { !configuration.trustedProxies.contains($0) } ?? remote
  }

  private static let forwardedFor = HTTPField.Name("X-Forwarded-For") ?? .forwarded
  private static let forwardedProto = HTTPField.Name("X-Forwarded-Proto") ?? .forwarded
}

extension HTTPField.Name {
  fileprivate static let forwarded = HTTPField.Name.via
}

/// Hummingbird's context with the client's address and an id for logs and error pages.
struct ClientContext: RequestContext, RemoteAddressRequestContext {
  var coreContext: CoreRequestContextStorage
  let remoteAddress: SocketAddress?
  /// The one that Hummingbird's log lines carry.
  var requestID: String { id }

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    remoteAddress = source.channel.remoteAddress
  }
}

/// A body that many replies share, in the form that it is sent in.
struct SharedBody: Sendable, Equatable {
  fileprivate let buffer: ByteBuffer

  init(_ bytes: [UInt8]) { buffer = ByteBuffer(bytes: bytes) }
}

extension Reply {
  /// The one place where bytes become Hummingbird's buffer.
  fileprivate var response: Response {
    Response(
      status: status, headers: headers,
      body: ResponseBody(byteBuffer: shared?.buffer ?? ByteBuffer(bytes: body)))
  }
}

/// Around every route: errors become answers, answers get their security headers.
private struct Gateway: RouterMiddleware {
  let server: Server
  private let protections: HTTPFields

  init(server: Server) {
    self.server = server
    protections = Self.protections(isTLS: server.isTLS)
  }

  func handle(
    _ request: Request, context: ClientContext,
    next: (Request, ClientContext) async throws -> Response
  ) async throws -> Response {
    var response: Response
    do {
      response = try await next(request, context)
    } catch {
      response = refusal(error, request, context).response
    }
    if response.headers[.contentSecurityPolicy] == nil {
      response.headers.append(contentsOf: protections)
    } else {
      // The page has a policy of its own.
      for field in protections where field.name != .contentSecurityPolicy {
        response.headers.append(field)
      }
    }
    response.headers[Self.requestID] = context.requestID
    return response
  }

  private func refusal(_ error: any Error, _ request: Request, _ context: ClientContext) -> Reply {
    var refusal = Refusal.of(error)
    if let unrouted = error as? HTTPError, unrouted.status == .notFound {
      refusal = Route.unrouted(request.method, request.uri.path)
    }
    if refusal.status == .internalServerError || refusal.code == Refusal.unavailable.code {
      // An error's own text may hold what a person wrote; its kind and SQLSTATE do not.
      server.logger.log(
        level: refusal.status == .internalServerError ? .error : .warning, "request failed",
        metadata: [
          "id": "\(context.requestID)", "route": "\(context.endpointPath ?? "none")",
          "error": "\(error.withoutValues)",
        ])
    }
    return Route.isForMachines(request.uri.path)
      ? refusal.problem(requestID: context.requestID)
      : server.pages.error(refusal, request, requestID: context.requestID)
  }

  /// Made once: a field's value is examined when the field is made.
  private static func protections(isTLS: Bool) -> HTTPFields {
    var fields: HTTPFields = [
      .contentSecurityPolicy: ContentSecurity.policy(),
      .xContentTypeOptions: "nosniff",
      referrerPolicy: "same-origin",
    ]
    if isTLS { fields[.strictTransportSecurity] = "max-age=31536000" }
    return fields
  }

  private static let requestID = HTTPField.Name("X-Request-Id") ?? .via
  private static let referrerPolicy = HTTPField.Name("Referrer-Policy") ?? .via
}
