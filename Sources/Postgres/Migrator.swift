import Foundation
import Logging

/// Brings a database to the schema that a directory of SQL files describes.
///
/// `NNNN_name.sql` runs once, in number order, each in a transaction of its own. `functions/*.sql`
/// holds what can be replaced (`create or replace`): changed files run again, in name order, all in
/// one transaction. What ran is remembered with its SHA-256 in `schema_migrations`.
public struct Migrator: Sendable {
  public struct Report: Sendable {
    /// Files that ran, in order; functions with their folder.
    public let applied: [String]
  }

  private struct Script {
    let name: String
    let text: String
  }

  /// Any constant: every migrator of every release must use the same.
  private static let lockKey: Int64 = 0x6573_7461_7273

  private let directory: URL
  private let logger: Logger

  public init(directory: URL, logger: Logger) {
    self.directory = directory
    self.logger = logger
  }

  /// Applies what is missing. Migrators that run at the same time take turns.
  ///
  /// Throws `.setup` when a file that ran has changed or is gone, when a number is used twice or
  /// comes after a later one that ran, and when another migrator does not finish; `.server` with
  /// the file's name and line when a script fails, whose transaction is then undone.
  public func migrate(_ configuration: Configuration) async throws -> Report {
    let migrations = try scripts(in: "")
    let functions = try scripts(in: "functions")
    try checkNumbers(of: migrations)
    let session = try await Session.connect(
      configuration, canceller: Canceller(), logger: logger)
    defer { session.close() }
    try await lock(session)
    try await session.runScript(
      """
      create table if not exists schema_migrations (
        name text primary key,
        checksum text not null,
        applied_at timestamptz not null default now()
      )
      """)
    let known = try await checksums(session)
    var applied: [String] = []
    for script in try await pending(migrations, known: known, session) {
      try await apply([script], session)
      applied.append(script.name)
    }
    var changed: [Script] = []
    for script in functions where try await checksum(script, session) != known[script.name] {
      changed.append(script)
    }
    if !changed.isEmpty {
      try await apply(changed, session)
      applied += changed.map(\.name)
    }
    return Report(applied: applied)
  }

  private func scripts(in folder: String) throws -> [Script] {
    let folderURL = folder.isEmpty ? directory : directory.appending(path: folder)
    guard FileManager.default.fileExists(atPath: folderURL.path) else {
      if !folder.isEmpty { return [] }
      throw PostgresError(.setup, "there is no directory of migrations at \(directory.path)")
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: folderURL.path)
    return try names.filter { $0.hasSuffix(".sql") }.sorted().map { name in
      let text = try String(contentsOf: folderURL.appending(path: name), encoding: .utf8)
      return Script(name: folder.isEmpty ? name : "\(folder)/\(name)", text: text)
    }
  }

  private func checkNumbers(of migrations: [Script]) throws {
    var numbers: [Substring: String] = [:]
    for migration in migrations {
      guard let match = migration.name.wholeMatch(of: /(\d{4})_[a-z0-9_]+\.sql/) else {
        throw PostgresError(.setup, "\(migration.name) is not named NNNN_name.sql")
      }
      if let other = numbers.updateValue(migration.name, forKey: match.1) {
        throw PostgresError(.setup, "\(other) and \(migration.name) have the same number")
      }
    }
  }

  private func lock(_ session: Session) async throws {
    let deadline = ContinuousClock.now + Limits.migrationLockTimeout
    var hasWarned = false
    while true {
      let rows = try await session.run(["select pg_try_advisory_lock(\(Self.lockKey)) as locked"])
      if try rows[0].rows[0].get("locked") { return }
      if !hasWarned { logger.info("waiting for another migrator to finish") }
      hasWarned = true
      guard ContinuousClock.now < deadline else {
        throw PostgresError(.setup, "another migrator did not finish in time")
      }
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  private func checksums(_ session: Session) async throws -> [String: String] {
    let rows = try await session.run(["select name, checksum from schema_migrations"])[0].rows
    return try Dictionary(
      uniqueKeysWithValues: rows.map { (try $0.get("name"), try $0.get("checksum")) })
  }

  /// The server computes it, so that this module needs no cryptography of its own.
  private func checksum(_ script: Script, _ session: Session) async throws -> String {
    let sql: SQL = "select encode(sha256(convert_to(\(script.text), 'UTF8')), 'hex') as checksum"
    return try await session.run([sql])[0].rows[0].get("checksum")
  }

  private func pending(
    _ migrations: [Script], known: [String: String], _ session: Session
  ) async throws -> [Script] {
    let applied = known.keys.filter { !$0.contains("/") }.sorted()
    let names = Set(migrations.map(\.name))
    for name in applied where !names.contains(name) {
      throw PostgresError(
        .setup, "the database has migration \(name), which this release does not know")
    }
    var pending: [Script] = []
    for migration in migrations {
      guard let checksum = known[migration.name] else {
        if let last = applied.last, migration.name < last {
          throw PostgresError(
            .setup, "\(migration.name) is new, but \(last) has already been applied")
        }
        pending.append(migration)
        continue
      }
      guard try await self.checksum(migration, session) == checksum else {
        throw PostgresError(
          .setup, "\(migration.name) has changed since it was applied: add a new migration instead")
      }
    }
    return pending
  }

  /// Runs scripts and their bookkeeping as one transaction.
  private func apply(_ scripts: [Script], _ session: Session) async throws {
    _ = try await session.run(["begin"])
    for script in scripts {
      logger.info("applying \(script.name)")
      do {
        try await session.runScript(script.text, timeout: Limits.migrationTimeout)
      } catch let error as PostgresError {
        throw error.located(in: script.name, text: script.text)
      }
      guard session.isInTransaction else {
        throw PostgresError(
          .setup, "\(script.name) ends its transaction: migrations must not commit or roll back")
      }
      _ = try await session.run([
        """
        insert into schema_migrations (name, checksum)
        values (\(script.name), encode(sha256(convert_to(\(script.text), 'UTF8')), 'hex'))
        on conflict (name) do update set checksum = excluded.checksum, applied_at = now()
        """
      ])
    }
    _ = try await session.run(["commit"])
  }
}

extension PostgresError {
  /// The same error with the script's name and, when the server told a position, the line.
  fileprivate func located(in name: String, text: String) -> PostgresError {
    let place = position.map { position in
      let line = text.unicodeScalars.prefix(position - 1).count { $0 == "\n" } + 1
      return "\(name), line \(line)"
    }
    return PostgresError(
      kind, "\(place ?? name): \(message)", sqlState: sqlState, constraint: constraint,
      detail: detail, position: position, routine: routine)
  }
}
