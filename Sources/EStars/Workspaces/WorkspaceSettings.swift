import Foundation
import Ledger
import Postgres

/// What an owner settles about a business as a whole. Both sides carry the same.
public struct WorkspaceSettings: Sendable, Equatable {
  public enum Refusal: Error, Equatable, Sendable {
    /// Empty, or longer than ``Limits/workspaceNameCharacters``.
    case name
    case locale
    /// Not one that Postgres knows: days begin there.
    case timeZone
    /// Somebody changed them since the form was made.
    case changed
  }

  public static let locales = ["en", "pt-BR"]
  /// By name.
  public static let timeZones = Set(TimeZone.knownTimeZoneIdentifiers).union(["GMT", "UTC"])
    .sorted()

  public var name: String
  /// `en` or `pt-BR`: what buyers of unknown language are spoken to in.
  public var locale: String
  /// An IANA name.
  public var timeZone: String
  /// What buyers are told before a payment while the database is away or the business suspended.
  public var preCheckoutOutagePolicy: Workspace.OutagePolicy

  public init(
    name: String, locale: String, timeZone: String,
    preCheckoutOutagePolicy: Workspace.OutagePolicy
  ) {
    self.name = name
    self.locale = locale
    self.timeZone = timeZone
    self.preCheckoutOutagePolicy = preCheckoutOutagePolicy
  }

  public init(_ workspace: Workspace) {
    self.init(
      name: workspace.name, locale: workspace.locale, timeZone: workspace.timeZone.identifier,
      preCheckoutOutagePolicy: workspace.preCheckoutOutagePolicy)
  }

  private var facts: [String: String] {
    [
      "name": name, "locale": locale, "time_zone": timeZone,
      "pre_checkout_policy": preCheckoutOutagePolicy.rawValue,
    ]
  }

  /// The number of the latest change: a form carries it, and is good until the next one.
  public static func version(in scope: WorkspaceScope, _ pool: Pool) async throws -> Int64 {
    try await pool.transaction(in: scope) { tx in
      try await tx.ruleVersion("settings", String(scope.workspaceID), in: scope)
    }
  }

  /// Settles them on these sides of a business, in one statement. That somebody looked at them and
  /// left them as they are is written down as well.
  ///
  /// - Parameters:
  ///   - version: of the first side's settings that the form was made from.
  ///   - sides: Those that the one who asks owns; the first is the one whose form it is.
  /// - Throws: ``Refusal``
  public static func change(
    to settings: WorkspaceSettings, madeFrom version: Int64, on sides: [Workspace],
    by actor: Actor, _ platform: Platform
  ) async throws {
    guard let first = sides.first else { return }
    try await settings.check(platform.pool)
    let ids = sides.map(\.id)
    let present = try await platform.pool.transaction(in: first.scope) { tx in
      let rows = try await tx.query(
        """
        select \(Workspace.columns) from workspaces w where w.workspace_id = any(\(ids))
        order by w.workspace_id for no key update
        """
      ).map(Workspace.init)
      guard
        try await tx.ruleVersion("settings", String(first.id), in: first.scope) == version
      else { throw Refusal.changed }
      try await tx.execute(
        """
        update workspaces set name = \(settings.name), locale = \(settings.locale),
          time_zone = \(settings.timeZone),
          pre_checkout_outage_policy = \(settings.preCheckoutOutagePolicy.rawValue)
        where workspace_id = any(\(ids))
        """)
      let before = Dictionary(rows.map { ($0.id, WorkspaceSettings($0)) }) { one, _ in one }
      try await tx.audit(settings, instead: before[first.id], on: first, by: actor)
      return before
    }
    for side in sides {
      if side.id != first.id {
        try await platform.pool.transaction(in: side.scope) { tx in
          try await tx.audit(settings, instead: present[side.id], on: side, by: actor)
        }
      }
      try await platform.directory.reload(workspace: side.id)
    }
  }

  private func check(_ pool: Pool) async throws {
    guard (1...Limits.workspaceNameCharacters).contains(name.unicodeScalars.count) else {
      throw Refusal.name
    }
    guard Self.locales.contains(locale) else { throw Refusal.locale }
    // Abbreviations and offsets mean one thing here and another to Postgres.
    guard Self.timeZones.contains(timeZone) else { throw Refusal.timeZone }
    do {
      _ = try await pool.query("select now() at time zone \(timeZone)::text")
    } catch let error as PostgresError where error.kind == .server { throw Refusal.timeZone }
  }

  /// Before and after, of what differs.
  fileprivate func changes(
    from present: WorkspaceSettings?
  ) -> (before: [String: String], after: [String: String]) {
    FactChange.between(present?.facts ?? [:], facts)
  }
}

extension Transaction {
  fileprivate func audit(
    _ settings: WorkspaceSettings, instead present: WorkspaceSettings?, on side: Workspace,
    by actor: Actor
  ) async throws {
    let (before, after) = settings.changes(from: present)
    let action = before == after ? "settings.confirmed" : "settings.edited"
    try await audit(
      actor, action, "settings", String(side.id), before: before, after: after, in: side.scope,
      at: side.scope.now)
  }
}
