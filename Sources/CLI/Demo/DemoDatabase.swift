import Foundation
import Logging
import Postgres
import ServiceLifecycle

/// Starts the demo's private database again when its server is gone. PostgreSQL itself replaces
/// every process that dies, except its first one, which has nobody above it but this.
struct DemoDatabase: Service {
  let cluster: Cluster
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do {
          if try await cluster.processID() == nil {
            logger.warning("the private database is gone and is started again")
            try await cluster.start()
          }
        } catch {
          if !Task.isCancelled {
            logger.error("the private database does not start", metadata: ["error": "\(error)"])
          }
        }
        try? await Task.sleep(for: .milliseconds(250))
      }
    }
  }
}
