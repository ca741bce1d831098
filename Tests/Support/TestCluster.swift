import Foundation
import Logging
import Postgres

/// One private PostgreSQL for this test process: started by the first test that needs it, stopped
/// and deleted when the process ends. What a killed process left behind goes with the next run.
public enum TestCluster {
  /// The repository's migrations.
  public static let migrations = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Migrations")

  /// Silent below warnings, so that a test's output is the test's.
  public static let logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .warning
    return logger
  }()

  private static let root = URL(filePath: "/tmp/estars-tests-\(getuid())")
  private static let directory = root.appending(path: "\(getpid())")
  private static let started = Task { try await start() }

  /// The running cluster.
  public static func shared() async throws -> Cluster { try await started.value }

  private static func start() async throws -> Cluster {
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    await removeLeftovers()
    let cluster = Cluster(
      directory: directory, settings: Cluster.testSettings, logger: logger)
    atexit { TestCluster.removeAtExit() }
    try await cluster.start()
    return cluster
  }

  private static func removeLeftovers() async {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
    for name in names {
      guard let process = pid_t(name), kill(process, 0) != 0, errno == ESRCH else { continue }
      try? await Cluster(directory: root.appending(path: name), logger: logger).remove()
    }
  }

  /// Exit handlers cannot wait for asynchronous work, so this asks the server itself.
  private static func removeAtExit() {
    let lockFile = directory.appending(path: "data/postmaster.pid")
    let text = (try? String(contentsOf: lockFile, encoding: .utf8)) ?? ""
    if let process = text.split(separator: "\n").first.flatMap({ pid_t($0) }) {
      // Immediate shutdown: the data is deleted anyway.
      kill(process, SIGQUIT)
      for _ in 0..<200 where kill(process, 0) == 0 { usleep(10_000) }
    }
    try? FileManager.default.removeItem(at: directory)
    let cluster = Cluster(directory: directory, logger: logger)
    try? FileManager.default.removeItem(atPath: cluster.socketDirectory)
  }
}
