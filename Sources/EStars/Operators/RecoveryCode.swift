import Foundation
import Postgres

/// One-time codes for whoever lost the phone: four groups of four letters and digits, 80 bits.
public enum RecoveryCode {
  private static let codeBytes = 10

  static func random() -> String {
    let text = Base32.encode(Bytes.random(codeBytes)).lowercased()
    return stride(from: 0, to: text.count, by: 4)
      .map { String(text.dropFirst($0).prefix(4)) }.joined(separator: "-")
  }

  /// However it was typed: with or without hyphens, spaces and capitals.
  static func hash(_ text: String) -> [UInt8]? {
    guard text.utf8.count <= 100, let bytes = Base32.decode(text), bytes.count == codeBytes else {
      return nil
    }
    return Bytes.sha256("recovery/" + Base32.encode(bytes))
  }

  /// How many nobody has used yet.
  public static func left(of person: Operator, _ pool: Pool) async throws -> Int {
    try await pool.query(
      """
      select count(*) from recovery_codes where operator_id = \(person.id) and used_at is null
      """)[0].get("count")
  }

  static func use(
    _ text: String, of operatorID: Int64, at: Date, _ pool: Pool
  ) async throws -> Bool {
    guard let hash = hash(text) else { return false }
    return try await pool.execute(
      """
      update recovery_codes set used_at = \(at)
      where operator_id = \(operatorID) and code_hash = \(hash) and used_at is null
      """) == 1
  }
}

extension Transaction {
  /// New codes in the place of all that there were; their text is nowhere stored.
  func renewRecoveryCodes(of operatorID: Int64) async throws -> [String] {
    try await execute("delete from recovery_codes where operator_id = \(operatorID)")
    let codes = (0..<Limits.recoveryCodes).map { _ in RecoveryCode.random() }
    for hash in codes.compactMap(RecoveryCode.hash) {
      try await execute(
        "insert into recovery_codes (operator_id, code_hash) values (\(operatorID), \(hash))")
    }
    return codes
  }
}
