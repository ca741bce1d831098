import Foundation
import Ledger
import Postgres

/// A link that sets a new password or takes the second factor off, once. There is no e-mail: an
/// owner, an admin or the command line hands it over.
public struct ResetLink: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable { case password, totp }

  public enum Refusal: Error, Equatable, Sendable {
    /// Used, out of its time, or its maker lost the right to make it.
    case gone
  }

  let tokenHash: [UInt8]
  public let kind: Kind
  public let `operator`: Operator
  /// An owner's or admin's e-mail address; empty where it was the command line.
  let madeBy: String

  private static let fromShell = ""

  /// Whether an owner may take over this account: only where all of its workspaces are theirs, for
  /// otherwise the link would be a way into somebody else's. Nobody resets themselves.
  public static func mayBeMade(
    for id: Int64, by email: String, _ pool: Pool
  ) async throws -> Bool {
    try await !pool.query(
      """
      select from operators t where t.operator_id = \(id) and not t.is_admin
        and t.email <> \(email)
        and exists (select from memberships where operator_id = t.operator_id)
        and not exists (select from memberships theirs where theirs.operator_id = t.operator_id
          and not exists (select from memberships m join operators o using (operator_id)
            where o.email = \(email) and m.workspace_id = theirs.workspace_id
              and m.role = 'owner'))
      """
    ).isEmpty
  }

  /// An owner's link for a member. An older one of the kind is good for nothing any more.
  ///
  /// - Returns: The token, which is nowhere stored.
  /// - Throws: ``Member/Refusal``
  public static func make(
    _ kind: Kind, for member: Member, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> String {
    guard try await mayBeMade(for: member.id, by: actor.name, pool) else {
      throw Member.Refusal.notYours
    }
    return try await pool.transaction(in: scope) { tx in
      let token = try await tx.makeResetLink(kind, for: member.id, by: actor.name)
      try await tx.audit(
        actor, "team.reset_made", "operator", member.email, after: ["resets": kind.rawValue],
        in: scope, at: scope.now)
      return token
    }
  }

  /// An admin's link, for anybody but admins: theirs is the command line's.
  ///
  /// - Throws: ``Member/Refusal/notYours``
  public static func make(
    _ kind: Kind, for person: Operator, by admin: Operator, at: Date, _ platform: Platform
  ) async throws -> String {
    let token = try await platform.pool.transaction { tx in
      guard try await tx.mayReset(person.id, by: admin.email) else {
        throw Member.Refusal.notYours
      }
      let token = try await tx.makeResetLink(
        kind, for: person.id, by: admin.email, isByAdmin: true)
      try await tx.auditAdmin(
        admin, "team.reset_made", "operator", person.email, after: ["resets": kind.rawValue],
        at: at)
      return token
    }
    await person.tell("team.reset_made", by: Actor(.admin, admin.email), platform)
    return token
  }

  /// The command line's link, for anybody.
  public static func make(
    _ kind: Kind, for person: Operator, _ platform: Platform
  ) async throws -> String {
    let token = try await platform.pool.transaction { tx in
      try await tx.makeResetLink(kind, for: person.id, by: fromShell)
    }
    await person.tell("team.reset_made", by: Actor(.system, "estars operator reset"), platform)
    return token
  }

  /// The link of a token, if it may still be used.
  public static func find(token: String, at: Date, _ pool: Pool) async throws -> ResetLink? {
    guard token.utf8.count <= 128 else { return nil }
    let hash = Bytes.sha256(token)
    let row = try await pool.query(
      """
      select r.kind, r.made_by, r.by_admin, \(Operator.columns)
      from reset_links r join operators o using (operator_id)
      where r.token_hash = \(hash) and r.used_at is null and r.expires_at > \(at)
      """
    ).first
    guard let row, let kind = Kind(rawValue: try row.get("kind")) else { return nil }
    let link = ResetLink(
      tokenHash: hash, kind: kind, operator: try Operator(row), madeBy: try row.get("made_by"))
    if link.madeBy == fromShell { return link }
    let isTheirs =
      try row.get("by_admin")
      ? try await pool.transaction { try await $0.mayReset(link.operator.id, by: link.madeBy) }
      : try await mayBeMade(for: link.operator.id, by: link.madeBy, pool)
    return isTheirs ? link : nil
  }

  /// Links whose time has been over for a while, removed by a job.
  static func purge(at: Date, _ pool: Pool) async throws -> Int {
    try await pool.execute(
      "delete from reset_links where expires_at < \(at.addingTimeInterval(-Limits.resetSeconds))")
  }

  /// Sets the password; every session ends, and so does what blocked the account after wrong ones.
  ///
  /// - Throws: ``Refusal``, ``Operator/CreationProblem/password``, ``Login/Refusal/busy``
  public func set(password: String, at: Date, _ platform: Platform) async throws {
    guard Operator.isPassword(password) else { throw Operator.CreationProblem.password }
    let hash: String
    do { hash = try await platform.passwords.hash(password) } catch PasswordHasher.Problem.busy {
      throw Login.Refusal.busy
    }
    try await platform.pool.transaction { tx in
      try await tx.take(self, at: at)
      try await tx.setPassword(hash, of: self.operator.id)
    }
    try await Throttle.clear([.account(self.operator.email)], platform.pool)
    await self.operator.tell("operator.password_reset", platform)
  }

  /// Takes the second factor off for whoever knows the password: the link alone opens nothing.
  ///
  /// - Throws: ``Refusal``, ``Login/Refusal``
  public func removeSecondFactor(
    password: String, address: String, at: Date, _ platform: Platform
  ) async throws {
    try await platform.login.confirm(
      self.operator, password: password, address: address, at: at)
    try await platform.pool.transaction { tx in
      try await tx.take(self, at: at)
      try await tx.removeSecondFactor(of: self.operator.id)
    }
    try await Throttle.clear(Throttle.Key.codes(self.operator.id), platform.pool)
    await self.operator.tell("operator.totp_reset", platform)
  }
}

extension Transaction {
  /// Whether an admin may still reset somebody, who must be none.
  fileprivate func mayReset(_ id: Int64, by admin: String) async throws -> Bool {
    try await !query(
      """
      select from operators t where t.operator_id = \(id) and not t.is_admin
        and exists (select from operators o where o.email = \(admin) and o.is_admin)
      """
    ).isEmpty
  }

  fileprivate func makeResetLink(
    _ kind: ResetLink.Kind, for operatorID: Int64, by maker: String, isByAdmin: Bool = false
  ) async throws -> String {
    let token = Bytes.base64URL(Bytes.random(32))
    let now = Date()
    try await execute(
      """
      delete from reset_links where operator_id = \(operatorID) and kind = \(kind.rawValue)
        and used_at is null
      """)
    try await execute(
      """
      insert into reset_links (token_hash, operator_id, kind, made_by, by_admin, made_at,
        expires_at)
      values (\(Bytes.sha256(token)), \(operatorID), \(kind.rawValue), \(maker), \(isByAdmin),
        \(now), \(now.addingTimeInterval(Limits.resetSeconds)))
      """)
    return token
  }

  fileprivate func take(_ link: ResetLink, at: Date) async throws {
    let taken = try await execute(
      """
      update reset_links set used_at = \(at)
      where token_hash = \(link.tokenHash) and used_at is null and expires_at > \(at)
      """)
    guard taken == 1 else { throw ResetLink.Refusal.gone }
  }
}
