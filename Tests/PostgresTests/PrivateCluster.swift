import Foundation
import Postgres
import TestSupport

/// Runs `body` with a cluster of its own, for tests that kill or freeze the server. The directory
/// is deleted in the end.
func withPrivateCluster<T: Sendable>(
  starting: Bool = true, in parent: String = "/tmp", _ body: (Cluster) async throws -> T
) async throws -> T {
  let directory = URL(filePath: "\(parent)/estars-test-\(UUID().uuidString.prefix(13))")
  var settings = Cluster.testSettings
  settings["shared_buffers"] = "16MB"
  settings["max_connections"] = "30"
  let cluster = Cluster(directory: directory, settings: settings, logger: TestCluster.logger)
  do {
    if starting { try await cluster.start() }
    let value = try await body(cluster)
    try await cluster.remove()
    return value
  } catch {
    try? await cluster.remove()
    throw error
  }
}

extension Cluster {
  /// A pool as the app role.
  func pool(
    connections: Int = 4, _ adjust: (inout Configuration) -> Void = { _ in }
  ) -> Pool {
    var configuration = Configuration(connectionString: appURL)
    configuration.maxConnections = connections
    adjust(&configuration)
    return Pool(configuration, logger: TestCluster.logger)
  }
}
