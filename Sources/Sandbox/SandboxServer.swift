import AsyncHTTPClient
import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// A Telegram that a laptop can run: Bot API, webhook deliveries, a phone page and a console.
///
/// `run()` fits into a `ServiceGroup` and ends by graceful shutdown. Loaders in the same process
/// use `book`; others the JSON addresses under `/sandbox`.
public final class SandboxServer: Service {
  public let book: SandboxBook
  private let configuration: SandboxConfiguration
  private let logger: Logger
  private let pages: PhonePages
  private let bound = BoundPort()

  /// Opens the books and reads the pages' templates.
  ///
  /// - Throws: `SandboxError`.
  public init(configuration: SandboxConfiguration, logger: Logger) throws {
    self.configuration = configuration
    self.logger = logger
    pages = try PhonePages(resources: configuration.resources)
    book = try SandboxBook(
      directory: configuration.dataDirectory, pace: configuration.pace, logger: logger)
  }

  /// Runs a sandbox until SIGINT or SIGTERM.
  public static func run(_ configuration: SandboxConfiguration, logger: Logger) async throws {
    let server = try SandboxServer(configuration: configuration, logger: logger)
    let group = ServiceGroup(
      services: [server], gracefulShutdownSignals: [.sigint, .sigterm], logger: logger)
    try await group.run()
  }

  /// The port that is listened on, as soon as it is; nil when the server ended before.
  public var port: Int? { get async { await bound.value } }

  public func run() async throws {
    let httpClient = HTTPClient(
      eventLoopGroupProvider: .singleton, configuration: Self.deliveryConfiguration)
    let api = BotAPI(book: book, logger: logger)
    let delivery = WebhookDelivery(
      book: book, api: api, pace: configuration.pace, httpClient: httpClient, logger: logger)
    let app = application(api: api)
    let book = book
    let outcome: Result<Void, any Error>
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await delivery.run() }
        group.addTask { try await self.renewUntilCancelled() }
        group.addTask {
          try await withGracefulShutdownHandler {
            try await app.run()
          } onGracefulShutdown: {
            Task { await book.stopWaiting() }
          }
        }
        // Only the application ends by itself; or one of them fails.
        try await group.next()
        group.cancelAll()
      }
      outcome = .success(())
    } catch {
      outcome = .failure(explain(error))
    }
    await bound.set(nil)
    try await httpClient.shutdown()
    await book.close()
    try outcome.get()
  }

  /// The same routes without a listening socket, for tests.
  func application(api: BotAPI) -> some ApplicationProtocol {
    let router = Router(context: SandboxContext.self, options: .autoGenerateHeadEndpoints)
    router.add(middleware: FailurePages(pages: pages))
    router.add(middleware: SameSiteGuard(allowedHosts: allowedHosts))
    BotAPIRoutes(api: api).add(to: router)
    ConsoleRoutes(book: book).add(to: router)
    PhoneRoutes(book: book, pages: pages).add(to: router)
    let bound = bound
    return Application(
      router: router,
      configuration: .init(
        address: .hostname(configuration.host, port: configuration.port),
        serverName: nil),
      onServerRunning: { channel in
        await bound.set(channel.localAddress?.port)
      },
      logger: logger)
  }

  private func explain(_ error: any Error) -> any Error {
    guard let error = error as? IOError,
      [EADDRINUSE, EACCES, EADDRNOTAVAIL].contains(error.errnoCode)
    else { return error }
    return SandboxError.cannotListen(
      "\(configuration.host):\(configuration.port)", String(cString: strerror(error.errnoCode)))
  }

  private var allowedHosts: Set<String> {
    configuration.allowedHosts.union([configuration.host, "localhost"])
  }

  private func renewUntilCancelled() async throws {
    while !Task.isCancelled {
      try await Task.sleep(for: configuration.pace.renewalCheck)
      try await book.runDueRenewals()
      try await book.failLateCheckouts()
    }
  }

  /// Only loopback is dialled, so certificates there need not be signed by anybody, `localhost`
  /// is not looked up, and redirects are not followed.
  private static var deliveryConfiguration: HTTPClient.Configuration {
    var configuration = HTTPClient.Configuration(certificateVerification: .none)
    configuration.redirectConfiguration = .disallow
    configuration.dnsOverride = ["localhost": "127.0.0.1"]
    configuration.timeout.connect = .seconds(5)
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 100
    configuration.httpVersion = .http1Only
    return configuration
  }
}

extension SandboxBook {
  /// Ends everything that waits, so that a shutdown need not.
  func stopWaiting() {
    isStopping = true
    for botID in Array(polls.keys) { endPoll(botID, .timeout) }
    for id in Array(pressWaiters.keys) { wakePress(id) }
    for (_, waiter) in checkoutWaiters { waiter.resume(returning: .noAnswer) }
    checkoutWaiters = [:]
  }
}

/// Hands the port on to whoever waits for it.
private actor BoundPort {
  private var known: Int??
  private var waiters: [CheckedContinuation<Int?, Never>] = []

  var value: Int? {
    get async {
      if let known { return known }
      return await withCheckedContinuation { waiters.append($0) }
    }
  }

  func set(_ port: Int?) {
    known = .some(port)
    for waiter in waiters { waiter.resume(returning: port) }
    waiters = []
  }
}
