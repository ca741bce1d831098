import Foundation
import Synchronization

/// A Unix socket that passes bytes on to another one, and can drop its connections or fall silent
/// as a broken network does.
final class Relay: Sendable {
  let directory: String
  private let target: String
  private let listener: Int32
  private let state = Mutex((descriptors: [Int32](), isSilent: false))

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
      for descriptor in state.descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
      state.descriptors = []
    }
  }

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
      guard client >= 0 else { return }
      let server = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      guard Self.withAddress(target, { connect(server, $0, $1) }) == 0 else {
        shutdown(client, Int32(SHUT_RDWR))
        continue
      }
      state.withLock { $0.descriptors += [client, server] }
      Thread.detachNewThread { [self] in pump(from: client, to: server) }
      Thread.detachNewThread { [self] in pump(from: server, to: client) }
    }
  }

  private func pump(from source: Int32, to sink: Int32) {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(source, &bytes, bytes.count)
      guard count > 0 else { break }
      while state.withLock({ $0.isSilent }) { usleep(5000) }
      guard send(sink, bytes, count, Int32(MSG_NOSIGNAL)) == count else { break }
    }
    shutdown(sink, Int32(SHUT_RDWR))
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
