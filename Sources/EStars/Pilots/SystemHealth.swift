import Foundation
import Postgres

/// How the platform itself does.
public struct SystemHealth: Sendable, Equatable {
  /// A kind of job of which some are late or fail.
  public struct JobTrouble: Sendable, Equatable {
    public let kind: String
    public let late: Int
    public let failing: Int
    /// Since when the oldest of them is due.
    public let oldest: Date
  }

  /// The newest migration that the database has.
  public let schema: String
  public let schemaAt: Date
  public let databaseBytes: Int64
  public let databaseVersion: String
  /// What a question to the database took, in milliseconds.
  public let answerMilliseconds: Int
  public let jobs: [JobTrouble]
  /// Debits that this process accepted while the database was away and that wait to be booked; nil:
  /// it keeps none.
  public let journalDebits: Int?

  public static func load(at: Date, _ platform: Platform) async throws -> SystemHealth {
    let pool = platform.pool
    let began = ContinuousClock.now
    let row = try await pool.query(
      """
      select name, applied_at, pg_database_size(current_database()) as bytes,
        current_setting('server_version') as version
      from schema_migrations where name not like 'functions/%' order by name desc limit 1
      """)[0]
    let took = ContinuousClock.now - began
    let late = at.addingTimeInterval(-Limits.jobLateSeconds)
    let jobs = try await pool.query(
      """
      select kind, count(*) filter (where run_at < \(late)) as late,
        count(*) filter (where last_error is not null) as failing, min(run_at) as oldest
      from jobs where finished_at is null and (run_at < \(late) or last_error is not null)
      group by kind order by kind
      """
    ).map {
      JobTrouble(
        kind: try $0.get("kind"), late: try $0.get("late"), failing: try $0.get("failing"),
        oldest: try $0.get("oldest"))
    }
    return SystemHealth(
      schema: try row.get("name"), schemaAt: try row.get("applied_at"),
      databaseBytes: try row.get("bytes"), databaseVersion: try row.get("version"),
      answerMilliseconds: Int(took / .milliseconds(1)), jobs: jobs,
      journalDebits: await platform.outages?.waiting)
  }
}
