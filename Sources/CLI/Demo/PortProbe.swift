import Foundation
import NIOCore
import NIOPosix

/// Whether a port can be listened on, asked before anything slow is started.
enum PortProbe {
  static func isFree(host: String, port: Int) -> Bool {
    do {
      let channel = try ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .bind(host: host, port: port).wait()
      try channel.close().wait()
      return true
    } catch { return false }
  }
}
