import AsyncHTTPClient
import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// Posts to operators' servers. Follows no redirect, reads no more than it was asked to and waits no
/// longer.
public final class TargetClient: Sendable {
  struct Reply: Sendable {
    let status: Int
    let contentType: String?
    /// What was read of the body.
    let body: [UInt8]
    /// False when the body was too long or did not end in time.
    let isWhole: Bool

    var isSuccess: Bool { (200..<300).contains(status) }
  }

  /// Why there is no reply.
  enum Failure: Error, Sendable, Equatable {
    case refused(Target.Refusal)
    /// Nothing can have arrived.
    case notReached
    /// It may have arrived.
    case noAnswer

    /// As it stands in a table.
    var code: String {
      switch self {
      case .refused(let refusal): "address_\(refusal.rawValue)"
      case .notReached: "not_reached"
      case .noAnswer: "no_answer"
      }
    }
  }

  /// Whether plain HTTP and private networks are fine, by the deployment's configuration.
  public let allowsPrivate: Bool
  let traffic = TargetTraffic()

  init(allowsPrivate: Bool) { self.allowsPrivate = allowsPrivate }

  /// Whether an address may be saved. The same is asked before every call.
  ///
  /// - Throws: ``Target/Refusal``
  public func check(_ url: String) async throws {
    try await Target.check(url: url, allowingPrivate: allowsPrivate)
  }

  /// - Parameters:
  ///   - seconds: From the start to the end of the reply, the look-up of the name included.
  ///   - bytes: How much of the reply's body is read.
  /// - Throws: ``Failure``, or `CancellationError`.
  func post(
    _ body: [UInt8], to url: String, headers: [(name: String, value: String)],
    within seconds: Double, atMost bytes: Int
  ) async throws -> Reply {
    let started = ContinuousClock.now
    let target: Target
    do { target = try await Target(url, allowingPrivate: allowsPrivate) } catch let refusal
      as Target.Refusal
    { throw Failure.refused(refusal) }
    let left = max(0.1, seconds - (ContinuousClock.now - started) / .seconds(1))
    do {
      let reply = try await TargetConnections.shared.with(target) { client in
        try await Self.send(
          body, to: target, headers: headers, within: left, atMost: bytes, client)
      }
      traffic.noteAnswer(url)
      return reply
    } catch let error where Task.isCancelled || error is CancellationError {
      throw CancellationError()
    } catch {
      traffic.noteSilence(url)
      throw Self.isBeforeSending(error) ? Failure.notReached : .noAnswer
    }
  }

  private static func send(
    _ body: [UInt8], to target: Target, headers: [(name: String, value: String)],
    within seconds: Double, atMost bytes: Int, _ client: HTTPClient
  ) async throws -> Reply {
    let started = ContinuousClock.now
    var request = HTTPClientRequest(url: target.url.absoluteString)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/json")
    request.headers.add(name: "User-Agent", value: "eStars")
    for header in headers { request.headers.add(name: header.name, value: header.value) }
    request.body = .bytes(ByteBuffer(bytes: body))
    let ready = request
    let response = try await withDeadline(seconds: seconds) {
      try await client.execute(ready, deadline: .now() + .milliseconds(Int64(seconds * 1000)))
    }
    let status = Int(response.status.code)
    let left = seconds - (ContinuousClock.now - started) / .seconds(1)
    let read = try? await withDeadline(seconds: max(0.1, left)) {
      try await response.body.collect(upTo: bytes)
    }
    return Reply(
      status: status, contentType: response.headers.first(name: "Content-Type"),
      body: read.map { Array($0.readableBytesView) } ?? [], isWhole: read != nil)
  }

  private static func isBeforeSending(_ error: any Error) -> Bool {
    if error is NIOConnectionError { return true }
    if let error = error as? ChannelError, case .connectTimeout = error { return true }
    if let error = error as? IOError, error.errnoCode == ECONNREFUSED { return true }
    switch error as? HTTPClientError {
    case .connectTimeout?, .getConnectionFromPoolTimeout?, .tlsHandshakeTimeout?: return true
    default: return false
    }
  }
}

/// Open connections by name and address: a client of its own pins each name to the address that was
/// checked. One that was not used for long makes room for others.
private final class TargetConnections: Sendable {
  static let shared = TargetConnections()

  private struct Kept {
    let client: HTTPClient
    var uses = 0
    var usedAt = ContinuousClock.now
  }

  private let kept = Mutex<[String: Kept]>([:])

  func with<T: Sendable>(
    _ target: Target, _ body: (HTTPClient) async throws -> T
  ) async throws -> T {
    let key = "\(target.host) \(target.address)"
    let (client, idle) = kept.withLock { kept in
      var entry = kept[key] ?? Kept(client: Self.client(for: target))
      entry.uses += 1
      entry.usedAt = .now
      kept[key] = entry
      return (entry.client, Self.removeIdle(&kept))
    }
    if let idle { Task { try? await idle.shutdown() } }
    defer { kept.withLock { $0[key]?.uses -= 1 } }
    return try await body(client)
  }

  private static func removeIdle(_ kept: inout [String: Kept]) -> HTTPClient? {
    guard kept.count > Limits.targetsKept,
      let oldest = kept.filter({ $0.value.uses == 0 }).min(by: { $0.value.usedAt < $1.value.usedAt }
      )
    else { return nil }
    kept[oldest.key] = nil
    return oldest.value.client
  }

  private static func client(for target: Target) -> HTTPClient {
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.timeout.connect = .seconds(5)
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.httpVersion = .http1Only
    // Our own places bound the calls; one must not wait here behind slow ones.
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 256
    configuration.dnsOverride = [target.host: target.address.description]
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }
}
