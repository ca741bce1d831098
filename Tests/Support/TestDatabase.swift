import Foundation
import Postgres

/// A database of one test's own, in the cluster of the test process.
public struct TestDatabase: Sendable {
  public let name: String
  /// As the product works: `estars_app`.
  public let pool: Pool
  /// As migrations work: `estars_owner`.
  public let ownerPool: Pool
  /// As the superuser, in this database.
  public let superPool: Pool
  public let appURL: String
  public let ownerURL: String

  /// A new database, with the repository's migrations applied unless `migrated` is false.
  public static func make(
    migrated: Bool = true, maxConnections: Int = 8
  ) async throws -> TestDatabase {
    let cluster = try await TestCluster.shared()
    let name = "test_" + UUID().uuidString.lowercased().replacing("-", with: "").prefix(16)
    let template = migrated ? try await migratedTemplate.value : "template1"
    let administration = try await administration.value
    try await administration.execute(
      "create database \(unsafe: name) template \(unsafe: template) owner estars_owner")
    func pool(_ role: String, _ count: Int) -> Pool {
      var configuration = Configuration(
        connectionString: cluster.url(role: role, database: name))
      configuration.maxConnections = count
      // Many tests at once on few cores: a new connection may take its time.
      configuration.acquireTimeout = .seconds(60)
      configuration.connectTimeout = .seconds(60)
      return Pool(configuration, logger: TestCluster.logger)
    }
    return TestDatabase(
      name: name, pool: pool("estars_app", maxConnections), ownerPool: pool("estars_owner", 2),
      superPool: pool("postgres", 2), appURL: cluster.url(role: "estars_app", database: name),
      ownerURL: cluster.url(role: "estars_owner", database: name))
  }

  /// Closes the pools and deletes the database.
  public func drop() async throws {
    await pool.close()
    await ownerPool.close()
    await superPool.close()
    try await Self.administration.value.execute(
      "drop database if exists \(unsafe: name) with (force)")
  }

  private static let administration = Task {
    let cluster = try await TestCluster.shared()
    var configuration = Configuration(connectionString: cluster.superURL)
    configuration.maxConnections = 2
    configuration.acquireTimeout = .seconds(120)
    configuration.queryTimeout = .seconds(60)
    return Pool(configuration, logger: TestCluster.logger)
  }

  /// Migrated once a process; copying it is much faster than migrating again.
  private static let migratedTemplate = Task {
    let cluster = try await TestCluster.shared()
    let name = "template_migrated"
    try await administration.value.execute(
      "create database \(unsafe: name) owner estars_owner")
    let migrator = Migrator(directory: TestCluster.migrations, logger: TestCluster.logger)
    _ = try await migrator.migrate(
      Configuration(connectionString: cluster.url(role: "estars_owner", database: name)))
    return name
  }
}

/// Runs `body` with a database of its own, which is dropped in the end.
///
/// Tests run all at once: no more than a few have a database at a time, because the server's
/// connections are bounded. A second database inside `body` does not wait for its turn.
public func withTestDatabase<T: Sendable>(
  migrated: Bool = true, maxConnections: Int = 8,
  _ body: (TestDatabase) async throws -> T
) async throws -> T {
  if Gate.isInside { return try await withDatabase(migrated, maxConnections, body) }
  await Gate.databases.enter()
  do {
    let value = try await Gate.$isInside.withValue(true) {
      try await withDatabase(migrated, maxConnections, body)
    }
    await Gate.databases.leave()
    return value
  } catch {
    await Gate.databases.leave()
    throw error
  }
}

private func withDatabase<T: Sendable>(
  _ migrated: Bool, _ maxConnections: Int, _ body: (TestDatabase) async throws -> T
) async throws -> T {
  let database = try await TestDatabase.make(migrated: migrated, maxConnections: maxConnections)
  do {
    let value = try await body(database)
    try await database.drop()
    return value
  } catch {
    try? await database.drop()
    throw error
  }
}

/// Lets a bounded number of tasks in, in the order in which they came.
private actor Gate {
  static let databases = Gate(places: 16)
  @TaskLocal static var isInside = false

  private var places: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(places: Int) { self.places = places }

  func enter() async {
    if places > 0 {
      places -= 1
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  func leave() {
    if waiting.isEmpty { places += 1 } else { waiting.removeFirst().resume() }
  }
}
