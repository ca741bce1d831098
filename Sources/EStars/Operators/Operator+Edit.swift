import Foundation
import Postgres

extension Operator {
  /// What the dashboard calls the operator, and in which language it speaks.
  ///
  /// - Throws: ``CreationProblem/name``
  public func edit(name: String, locale: String, _ pool: Pool) async throws {
    guard Self.isName(name) else { throw CreationProblem.name }
    try await pool.execute(
      "update operators set name = \(name), locale = \(locale) where operator_id = \(id)")
  }

  /// Replaces the password and ends every session opened with the old one, as well as every link
  /// that would set another.
  ///
  /// - Throws: ``CreationProblem/password``; ``PasswordHasher/Problem/busy``
  public func setPassword(_ password: String, _ platform: Platform) async throws {
    guard Self.isPassword(password) else { throw CreationProblem.password }
    let hash = try await platform.passwords.hash(password)
    try await platform.pool.transaction { tx in
      try await tx.setPassword(hash, of: id)
    }
  }

  /// Replaces the password of somebody who is signed in and knows the present one. All sessions end;
  /// the browser that asked goes on in a new one.
  ///
  /// - Throws: ``Login/Refusal`` about the present password, ``CreationProblem/password`` about the
  ///   new one.
  public func changePassword(
    from present: String, to password: String, userAgent: String, address: String, at: Date,
    _ platform: Platform
  ) async throws -> Session.Opened {
    guard Self.isPassword(password) else { throw CreationProblem.password }
    try await platform.login.confirm(self, password: present, address: address, at: at)
    do { try await setPassword(password, platform) } catch PasswordHasher.Problem.busy {
      throw Login.Refusal.busy
    }
    await tell("operator.password_changed", platform)
    return try await Session.open(
      for: id, awaitsTOTP: false, userAgent: userAgent, address: address, at: at, platform.pool)
  }

  /// Writes into the audit log of every workspace that the operator belongs to: an account is of no
  /// workspace, and each should know. The change itself is made already, so what cannot be written
  /// is logged.
  func tell(_ action: String, by actor: Actor? = nil, _ platform: Platform) async {
    do {
      for membership in try await Membership.all(of: self, platform.pool) {
        let scope = membership.workspace.scope
        try await platform.pool.transaction(in: scope) { tx in
          try await tx.audit(
            actor ?? Actor(.operator, email), action, "operator", email, in: scope, at: scope.now)
        }
      }
    } catch {
      platform.logger.error(
        "audit lines of an account were not written",
        metadata: ["action": "\(action)", "error": "\(error.withoutValues)"])
    }
  }
}

extension Transaction {
  func setPassword(_ hash: String, of operatorID: Int64) async throws {
    try await execute(
      "update operators set password_hash = \(hash) where operator_id = \(operatorID)")
    try await execute("delete from sessions where operator_id = \(operatorID)")
    try await execute(
      """
      delete from reset_links where operator_id = \(operatorID) and kind = 'password'
        and used_at is null
      """)
  }
}
