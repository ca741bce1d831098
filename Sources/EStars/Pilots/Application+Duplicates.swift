import Foundation
import Postgres

extension Application {
  /// What may be the same business or the same person.
  public struct Duplicates: Sendable {
    /// Other applications for the same bot or from the same contact, newest first.
    public let applications: [Application]
    /// A bot of this name that somebody has already, with the workspace it belongs to.
    public let bots: [KnownBot]
    /// The contact is somebody's e-mail address who signs in here.
    public let person: Operator?

    public var isEmpty: Bool { applications.isEmpty && bots.isEmpty && person == nil }
  }

  /// Looks for the bot's username and the contact, in whatever way they were written.
  public func duplicates(_ pool: Pool) async throws -> Duplicates {
    let applications = try await pool.query(
      """
      select \(Self.columns) from applications a
      where a.application_id <> \(id) and (lower(a.bot_username) = lower(\(botUsername))
        or a.contact_key = (select contact_key from applications where application_id = \(id)))
      order by a.application_id desc limit 20
      """
    ).map(Application.init)
    let bots = try await KnownBot.all("lower(b.username) = lower(\(botUsername))", pool)
    return Duplicates(
      applications: applications, bots: bots,
      person: contact.contains("@") ? try await Operator.find(email: contact, pool) : nil)
  }

  /// Which of these applications have something in common with another one, a bot or an operator.
  public static func withDuplicates(
    among applications: [Application], _ pool: Pool
  ) async throws -> Set<Int64> {
    let ids = applications.map(\.id)
    guard !ids.isEmpty else { return [] }
    let found = try await pool.query(
      """
      select a.application_id from applications a where a.application_id = any(\(ids))
        and (exists (select from applications o where o.application_id <> a.application_id
            and lower(o.bot_username) = lower(a.bot_username))
          or exists (select from applications o where o.application_id <> a.application_id
            and o.contact_key = a.contact_key)
          or exists (select from bots b where lower(b.username) = lower(a.bot_username))
          or exists (select from operators p where p.email = lower(a.contact)))
      """)
    return Set(try found.map { try $0.get("application_id", as: Int64.self) })
  }
}

/// A bot as the directory has it.
public struct KnownBot: Sendable, Equatable {
  public let username: String
  public let environment: String
  /// Of the live side, which stands for the business.
  public let businessID: Int64
  public let businessName: String
  public let isConnected: Bool

  /// The bots of both sides of a business, those that are connected first.
  public static func all(of business: Business, _ pool: Pool) async throws -> [KnownBot] {
    try await all(
      "w.workspace_id in (\(business.live.id), \(business.live.twinID)::bigint)", pool)
  }

  static func all(_ condition: SQL, _ pool: Pool) async throws -> [KnownBot] {
    try await pool.query(
      """
      select b.username, b.environment, b.disconnected_at is null as is_connected, l.name,
        l.workspace_id
      from bots b join workspaces w using (workspace_id)
      join workspaces l on l.workspace_id = case w.side when 'live' then w.workspace_id
        else coalesce(w.twin_id, w.workspace_id) end
      where \(condition) order by b.disconnected_at is not null, b.bot_id limit 50
      """
    ).map { row in
      KnownBot(
        username: try row.get("username"), environment: try row.get("environment"),
        businessID: try row.get("workspace_id"), businessName: try row.get("name"),
        isConnected: try row.get("is_connected"))
    }
  }
}
