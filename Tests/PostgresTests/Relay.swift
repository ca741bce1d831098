import Foundation
import Synchronization

/// A Unix socket that passes bytes on to another one, and can drop its connections or fall silent
/// as a broken network does.
final class Relay: Sendable {
  /// A caller's socket and the one to the server. Closed when neither direction uses them any more:
  /// a number closed earlier could be somebody else's by then.
  private final class Pair: Sendable {
    let client: Int32
    let server: Int32

    init(client: Int32, server: Int32) { (self.client, self.server) = (client, server) }

    deinit {
      Glibc.close(client)
      Glibc.close(server)
    }

    func end() {
      shutdown(client, Int32(SHUT_RDWR))
      shutdown(server, Int32(SHUT_RDWR))
    }
  }

  let directory: String
  private let target: String
  private let listener: Int32
  private let state = Mutex((pairs: [Pair](), isSilent: false, accepted: 0))

  init(to socketDirectory: String) throws {
    directory = "/tmp/relay-\(UUID().uuidString.prefix(8))"
    target = "\(socketDirectory)/.s.PGSQL.5432"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let isBound = Self.withAddress("\(directory)/.s.PGSQL.5432") { bind(listener, $0, $1) } == 0
    guard isBound, listen(listener, 16) == 0 else { throw POSIXError(.EADDRINUSE) }
    Thread.detachNewThread { [self] in acceptAll() }
  }

  /// Ends every connection without a word.
  func drop() {
    state.withLock { state in
      for pair in state.pairs { pair.end() }
      state.pairs = []
    }
  }

  /// Connections that were made so far, taken further or not.
  var accepted: Int { state.withLock { $0.accepted } }

  /// Passes nothing on until told otherwise.
  func silence(_ isSilent: Bool) { state.withLock { $0.isSilent = isSilent } }

  func close() {
    drop()
    shutdown(listener, Int32(SHUT_RDWR))
    try? FileManager.default.removeItem(atPath: directory)
  }

  private func acceptAll() {
    while true {
      let client = accept(listener, nil, nil)
      guard client >= 0 else {
        Glibc.close(listener)
        return
      }
      state.withLock { $0.accepted += 1 }
      let pair = Pair(client: client, server: socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
      guard Self.withAddress(target, { connect(pair.server, $0, $1) }) == 0 else {
        pair.end()
        continue
      }
      state.withLock { $0.pairs.append(pair) }
      Thread.detachNewThread { [self] in pump(pair, from: pair.client, to: pair.server) }
      Thread.detachNewThread { [self] in pump(pair, from: pair.server, to: pair.client) }
    }
  }

  private func pump(_ pair: Pair, from source: Int32, to sink: Int32) {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(source, &bytes, bytes.count)
      guard count > 0 else { break }
      while state.withLock({ $0.isSilent }) { usleep(5000) }
      guard send(sink, bytes, count, Int32(MSG_NOSIGNAL)) == count else { break }
    }
    pair.end()
  }

  private static func withAddress(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }
}
