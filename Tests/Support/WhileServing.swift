import Logging
import ServiceLifecycle

/// Runs a server for as long as `body` takes, and then ends it as a signal would: a cancelled one
/// stops the whole process when it had accepted a connection that it did not serve yet
/// (github.com/apple/swift-nio/issues/2637).
public func whileServing<Value: Sendable>(
  _ server: some Service, _ body: () async throws -> Value
) async throws -> Value {
  var configuration = ServiceGroupConfiguration(services: [server], logger: TestCluster.logger)
  // For handlers that a test lets sleep.
  configuration.maximumGracefulShutdownDuration = .seconds(10)
  let group = ServiceGroup(configuration: configuration)
  let running = Task { try await group.run() }
  let outcome: Result<Value, any Error>
  do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
  await group.triggerGracefulShutdown()
  try await running.value
  return try outcome.get()
}
