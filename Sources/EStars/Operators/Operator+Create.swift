import Foundation
import Postgres

extension Operator {
  public enum CreationProblem: Error, Equatable, CustomStringConvertible {
    case email, password, taken
    public var description: String {
      switch self {
      case .email: "the e-mail address is not one"
      case .password: "the password needs 10 to \(Limits.passwordBytes) characters"
      case .taken: "an operator with this e-mail address exists already"
      }
    }
  }

  /// Makes an operator who can sign in with the password.
  ///
  /// - Throws: ``CreationProblem``
  @discardableResult
  public static func create(
    email: String, name: String, password: String, locale: String, at: Date, _ platform: Platform
  ) async throws -> Operator {
    let email = email.trimmingCharacters(in: .whitespaces).lowercased()
    guard email.count <= 254, email.split(separator: "@").count == 2, !email.contains(" ") else {
      throw CreationProblem.email
    }
    guard password.count >= 10, password.utf8.count <= Limits.passwordBytes else {
      throw CreationProblem.password
    }
    let hash = try await platform.passwords.hash(password)
    do {
      let row = try await platform.pool.query(
        """
        insert into operators as o (email, name, password_hash, locale, created_at)
        values (\(email), \(name), \(hash), \(locale), \(at)) returning \(columns)
        """)[0]
      return try Operator(row)
    } catch let error as PostgresError where error.sqlState == .uniqueViolation {
      throw CreationProblem.taken
    }
  }

  /// Replaces the password and ends every session opened with the old one.
  public func setPassword(_ password: String, _ platform: Platform) async throws {
    let hash = try await platform.passwords.hash(password)
    _ = try await platform.pool.pipeline([
      "update operators set password_hash = \(hash) where operator_id = \(id)",
      "delete from sessions where operator_id = \(id)",
    ])
  }

  public static func find(email: String, _ pool: Pool) async throws -> Operator? {
    try await pool.query(
      "select \(columns) from operators o where email = \(email.lowercased())"
    ).first.map(Operator.init)
  }

  /// Gives the operator a role on one side of a business, or changes it.
  public func join(_ workspace: Workspace, as role: Role, at: Date, _ pool: Pool) async throws {
    try await pool.execute(
      """
      insert into memberships (workspace_id, operator_id, role, created_at)
      values (\(workspace.id), \(id), \(role.rawValue), \(at))
      on conflict (workspace_id, operator_id) do update set role = excluded.role
      """)
  }
}
