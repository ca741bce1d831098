import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct MigratorTests {
  /// A directory of migrations that a test fills.
  private struct Scripts {
    let directory = FileManager.default.temporaryDirectory
      .appending(path: "migrations-\(UUID().uuidString)")

    init() throws {
      try FileManager.default.createDirectory(
        at: directory.appending(path: "functions"), withIntermediateDirectories: true)
    }

    func write(_ name: String, _ text: String) throws {
      try Data(text.utf8).write(to: directory.appending(path: name))
    }

    func delete(_ name: String) throws {
      try FileManager.default.removeItem(at: directory.appending(path: name))
    }

    func run(_ database: TestDatabase) async throws -> [String] {
      let migrator = Migrator(directory: directory, logger: TestCluster.logger)
      return try await migrator.migrate(
        Configuration(connectionString: database.ownerURL)
      ).applied
    }
  }

  private func withScripts(
    _ body: (Scripts, TestDatabase) async throws -> Void
  ) async throws {
    let scripts = try Scripts()
    defer { try? FileManager.default.removeItem(at: scripts.directory) }
    try await withTestDatabase(migrated: false) { try await body(scripts, $0) }
  }

  @Test func runsEachNumberOnceAndInOrder() async throws {
    try await withScripts { scripts, database in
      try scripts.write("0001_first.sql", "create table a (id int);\ninsert into a values (1);")
      try scripts.write("0002_second.sql", "alter table a add b int default 2;")
      try scripts.write(
        "functions/answer.sql",
        "create or replace function answer() returns int language sql as 'select 1';")
      try scripts.write("README.md", "not a migration")
      let all = ["0001_first.sql", "0002_second.sql", "functions/answer.sql"]
      #expect(try await scripts.run(database) == all)
      #expect(try await scripts.run(database) == [])
      try scripts.write("0003_third.sql", "insert into a values (2);")
      #expect(try await scripts.run(database) == ["0003_third.sql"])
      let rows = try await database.ownerPool.query("select id, b from a order by id")
      #expect(try rows.map { try $0.get("b", as: Int.self) } == [2, 2])
      let remembered = try await database.ownerPool.query(
        "select name from schema_migrations order by name")
      #expect(remembered.count == 4)
    }
  }

  @Test func changedFunctionsRunAgain() async throws {
    try await withScripts { scripts, database in
      func define(_ number: Int) throws {
        try scripts.write(
          "functions/answer.sql",
          "create or replace function answer() returns int language sql as 'select \(number)';")
      }
      try define(1)
      try scripts.write(
        "functions/other.sql",
        "create or replace function other() returns int language sql as 'select 9';")
      #expect(try await scripts.run(database) == ["functions/answer.sql", "functions/other.sql"])
      try define(2)
      #expect(try await scripts.run(database) == ["functions/answer.sql"])
      let rows = try await database.ownerPool.query("select answer() as answer")
      #expect(try rows[0].get("answer", as: Int.self) == 2)
    }
  }

  @Test func aChangedMigrationIsRefused() async throws {
    try await withScripts { scripts, database in
      try scripts.write("0001_first.sql", "create table a ();")
      _ = try await scripts.run(database)
      try scripts.write("0001_first.sql", "create table a (id int);")
      try scripts.write("0002_second.sql", "create table b ();")
      let error = await failure(.setup) { try await scripts.run(database) }
      #expect(error.message.contains("0001_first.sql has changed"))
      let rows = try await database.ownerPool.query("select to_regclass('b') is null as missing")
      #expect(try rows[0].get("missing", as: Bool.self))
    }
  }

  @Test func wrongNumbersAreRefused() async throws {
    try await withScripts { scripts, database in
      try scripts.write("0002_second.sql", "create table b ();")
      _ = try await scripts.run(database)
      try scripts.write("0001_late.sql", "create table a ();")
      let late = await failure(.setup) { try await scripts.run(database) }
      #expect(late.message.contains("0001_late.sql is new, but 0002_second.sql"))
      try scripts.delete("0001_late.sql")
      try scripts.write("0002_twin.sql", "create table c ();")
      let twin = await failure(.setup) { try await scripts.run(database) }
      #expect(twin.message.contains("same number"))
      try scripts.delete("0002_twin.sql")
      try scripts.write("3_short.sql", "")
      let name = await failure(.setup) { try await scripts.run(database) }
      #expect(name.message.contains("NNNN_name.sql"))
      try scripts.delete("3_short.sql")
      try scripts.delete("0002_second.sql")
      let unknown = await failure(.setup) { try await scripts.run(database) }
      #expect(unknown.message.contains("does not know"))
      let missing = Migrator(directory: URL(filePath: "/nowhere"), logger: TestCluster.logger)
      await failure(.setup) {
        try await missing.migrate(Configuration(connectionString: database.ownerURL))
      }
    }
  }

  @Test func aMigrationThatFailsLeavesNothing() async throws {
    try await withScripts { scripts, database in
      try scripts.write("0001_first.sql", "create table a ();")
      try scripts.write(
        "0002_second.sql", "-- é\ncreate table b ();\ninsert into b\n  select nonsense;\n")
      let error = await failure(.server, .undefinedColumn) { try await scripts.run(database) }
      #expect(error.message.contains("0002_second.sql, line 4"), "\(error.message)")
      let rows = try await database.ownerPool.query(
        """
        select to_regclass('a') is null as a, to_regclass('b') is null as b,
          (select count(*) from schema_migrations) as n
        """)
      #expect(try !rows[0].get("a", as: Bool.self))
      #expect(try rows[0].get("b", as: Bool.self))
      #expect(try rows[0].get("n", as: Int.self) == 1)
      try scripts.write("0002_second.sql", "create table b ();")
      #expect(try await scripts.run(database) == ["0002_second.sql"])
    }
  }

  @Test func aMigrationMayNotEndItsTransaction() async throws {
    try await withScripts { scripts, database in
      try scripts.write("0001_first.sql", "create table a (); commit;")
      let error = await failure(.setup) { try await scripts.run(database) }
      #expect(error.message.contains("must not commit"))
    }
  }

  @Test func migratorsTakeTurns() async throws {
    try await withScripts { scripts, database in
      try scripts.write("0001_first.sql", "select pg_sleep(0.3); create table a ();")
      try scripts.write("0002_second.sql", "create table b ();")
      let applied = try await withThrowingTaskGroup(of: [String].self) { group in
        for _ in 0..<4 { group.addTask { try await scripts.run(database) } }
        return try await group.reduce([], +)
      }
      #expect(applied == ["0001_first.sql", "0002_second.sql"])
    }
  }

  @Test func theProductsMigrationsApplyToAnEmptyDatabase() async throws {
    try await withTestDatabase(migrated: false) { database in
      let migrator = Migrator(directory: TestCluster.migrations, logger: TestCluster.logger)
      let configuration = Configuration(connectionString: database.ownerURL)
      let first = try await migrator.migrate(configuration)
      let second = try await migrator.migrate(configuration)
      #expect(!first.applied.isEmpty)
      #expect(second.applied.isEmpty)
    }
  }
}
