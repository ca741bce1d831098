import Foundation
import Postgres

extension Operator {
  public enum CreationProblem: Error, Equatable, CustomStringConvertible {
    case email, password, name, taken
    public var description: String {
      switch self {
      case .email: "the e-mail address is not one"
      case .password:
        "the password needs \(Limits.passwordCharacters) to \(Limits.passwordBytes) characters"
      case .name: "the name needs 1 to \(Limits.operatorNameCharacters) characters"
      case .taken: "an operator with this e-mail address exists already"
      }
    }
  }

  /// Somebody who is about to get an account: checked, the password hashed.
  struct Newcomer: Sendable {
    let email: String
    let name: String
    let passwordHash: String
    let locale: String

    /// - Throws: ``CreationProblem``; ``PasswordHasher/Problem/busy``
    init(
      email: String, name: String, password: String, locale: String, _ passwords: PasswordHasher
    ) async throws {
      self.email = email.trimmingCharacters(in: .whitespaces).lowercased()
      self.name = name
      self.locale = locale
      guard self.email.wholeMatch(of: /[^@\s]+@[^@\s]+/) != nil, self.email.utf8.count <= 254 else {
        throw CreationProblem.email
      }
      guard Operator.isName(name) else { throw CreationProblem.name }
      guard Operator.isPassword(password) else { throw CreationProblem.password }
      passwordHash = try await passwords.hash(password)
    }
  }

  public static func isPassword(_ text: String) -> Bool {
    text.count >= Limits.passwordCharacters && text.utf8.count <= Limits.passwordBytes
  }

  public static func isName(_ text: String) -> Bool {
    (1...Limits.operatorNameCharacters).contains(text.unicodeScalars.count)
  }

  /// Makes an operator who can sign in with the password.
  ///
  /// - Throws: ``CreationProblem``
  @discardableResult
  public static func create(
    email: String, name: String, password: String, locale: String, at: Date, _ platform: Platform
  ) async throws -> Operator {
    let newcomer = try await Newcomer(
      email: email, name: name, password: password, locale: locale, platform.passwords)
    return try await platform.pool.transaction { tx in
      try await tx.insert(newcomer, at: at)
    }
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

extension Transaction {
  /// - Throws: ``Operator/CreationProblem/taken``
  func insert(_ newcomer: Operator.Newcomer, at: Date) async throws -> Operator {
    let row = try await query(
      """
      insert into operators as o (email, name, password_hash, locale, created_at)
      values (\(newcomer.email), \(newcomer.name), \(newcomer.passwordHash), \(newcomer.locale),
        \(at))
      on conflict (email) do nothing returning \(Operator.columns)
      """
    ).first
    guard let row else { throw Operator.CreationProblem.taken }
    return try Operator(row)
  }
}
