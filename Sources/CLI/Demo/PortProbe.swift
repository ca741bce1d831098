import Foundation
import NIOCore
import NIOPosix

/// Whether a port can be listened on, asked before anything slow is started.
enum PortProbe {
  /// - Throws: ``Complaint`` that says what is in the way and which option to change.
  static func check(host: String, port: Int, option: String) throws {
    do {
      let channel = try ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .bind(host: host, port: port).wait()
      try channel.close().wait()
    } catch let error as IOError where error.errnoCode == EADDRINUSE {
      throw Complaint(
        "port \(port) on \(host) is taken: stop what listens there or choose another with \(option)"
      )
    } catch let error as IOError where error.errnoCode == EACCES {
      throw Complaint(
        "no right to listen on port \(port): choose one above 1023 with \(option)")
    } catch {
      throw Complaint("\(host) is not an address of this machine: choose another with --host")
    }
  }
}
