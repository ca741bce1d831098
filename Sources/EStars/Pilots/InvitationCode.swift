import Foundation
import Postgres

/// A word that shortens the queue: whoever applies with it is read first.
public struct InvitationCode: Sendable, Equatable {
  public enum State: String, Sendable, CaseIterable { case open, usedUp = "used_up", over, revoked }

  public enum Refusal: Error, Equatable, Sendable { case notFound }

  public let id: Int64
  /// For whom, in the admin's words.
  public let name: String
  public let madeBy: String
  public let madeAt: Date
  public let expiresAt: Date
  public let maxUses: Int
  public let uses: Int
  public let revokedAt: Date?

  public static let usesRange: ClosedRange<Int64> = 1...1000
  public static let daysRange: ClosedRange<Int64> = 1...365
  public static let nameCharacters = 80

  init(_ row: Row) throws {
    id = try row.get("invitation_code_id")
    name = try row.get("name")
    madeBy = try row.get("made_by")
    madeAt = try row.get("made_at")
    expiresAt = try row.get("expires_at")
    maxUses = try row.get("max_uses")
    uses = try row.get("uses")
    revokedAt = try row.getIfPresent("revoked_at")
  }

  public func state(at: Date) -> State {
    if revokedAt != nil { return .revoked }
    if uses >= maxUses { return .usedUp }
    return expiresAt <= at ? .over : .open
  }

  /// Newest first.
  public static func all(
    before: Int64? = nil, limit: Int, _ pool: Pool
  ) async throws -> [InvitationCode] {
    try await pool.query(
      """
      select * from invitation_codes where invitation_code_id < \(before ?? .max)
      order by invitation_code_id desc limit \(limit)
      """
    ).map(InvitationCode.init)
  }

  /// - Parameters:
  ///   - uses: How many may apply with it, within ``usesRange``.
  ///   - days: How long it is good, within ``daysRange``.
  /// - Returns: The code, which is nowhere stored.
  public static func make(
    for name: String, uses: Int, days: Int, by admin: Operator, at: Date, _ pool: Pool
  ) async throws -> String {
    // 80 bits, in letters that nobody mistakes for one another.
    let letters = Base32.encode(Bytes.random(10))
    let code = stride(from: 0, to: letters.count, by: 4).map {
      String(letters.dropFirst($0).prefix(4))
    }.joined(separator: "-")
    try await pool.transaction { tx in
      let id: Int64 = try await tx.query(
        """
        insert into invitation_codes (code_hash, name, made_by, made_at, expires_at, max_uses)
        values (\(hash(code)), \(name), \(admin.email), \(at),
          \(at.addingTimeInterval(Double(days) * 86_400)), \(uses))
        returning invitation_code_id
        """)[0].get("invitation_code_id")
      try await tx.auditAdmin(
        admin, "invitation_code.made", "invitation_code", String(id),
        after: ["max_uses": String(uses), "valid_days": String(days)], at: at)
    }
    return code
  }

  /// - Throws: ``Refusal/notFound`` where there is none that was not revoked before.
  public static func revoke(
    _ id: Int64, by admin: Operator, at: Date, _ pool: Pool
  ) async throws {
    try await pool.transaction { tx in
      let revoked = try await tx.execute(
        """
        update invitation_codes set revoked_at = \(at)
        where invitation_code_id = \(id) and revoked_at is null
        """)
      guard revoked == 1 else { throw Refusal.notFound }
      try await tx.auditAdmin(
        admin, "invitation_code.revoked", "invitation_code", String(id), at: at)
    }
  }

  /// Whether an application may come with it; one without any may.
  static func isGood(_ code: String, at: Date, _ pool: Pool) async throws -> Bool {
    guard !code.isEmpty else { return true }
    return try await !pool.query(
      """
      select from invitation_codes where code_hash = \(hash(code)) and revoked_at is null
        and expires_at > \(at) and uses < max_uses
      """
    ).isEmpty
  }

  /// Spaces, hyphens and small letters make no difference.
  static func hash(_ code: String) -> [UInt8] {
    Bytes.sha256("invitation code " + code.uppercased().filter { $0.isLetter || $0.isNumber })
  }
}

extension Transaction {
  /// Counts one use of a code.
  ///
  /// - Returns: The code's number; nil where none was given.
  /// - Throws: ``Application/ApplyRefusal/code``
  func useCode(_ code: String, at: Date) async throws -> Int64? {
    guard !code.isEmpty else { return nil }
    guard code.utf8.count <= 100,
      let row = try await query(
        """
        update invitation_codes set uses = uses + 1
        where code_hash = \(InvitationCode.hash(code)) and revoked_at is null
          and expires_at > \(at) and uses < max_uses
        returning invitation_code_id
        """
      ).first
    else { throw Application.ApplyRefusal.code }
    return try row.get("invitation_code_id")
  }
}
