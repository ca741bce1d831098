import EStars
import Foundation
import Logging
import Postgres
import Sandbox
import ServiceLifecycle

/// Keeps the demo workspace's clock with the sandbox's: whoever moves Telegram a month on sees
/// access end and credits expire as they would.
struct DemoClock: Service {
  let book: SandboxBook
  let slug: String
  let pool: Pool
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      var known: Int?
      while !Task.isCancelled {
        let offset = Int(await book.clockOffset.rounded())
        if offset != known {
          do {
            try await Workspace.moveClock(ofTestSide: slug, offsetSeconds: offset, pool)
            known = offset
          } catch {
            logger.debug("the demo's clock waits", metadata: ["error": "\(error)"])
          }
        }
        try? await Task.sleep(for: .milliseconds(500))
      }
    }
  }
}
