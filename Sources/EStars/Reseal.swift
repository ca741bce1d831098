import Postgres

/// Everything that is sealed, sealed anew with the key that seals now: after it, no other key is
/// needed to open anything. A row at a time, so that the product goes on meanwhile.
public struct Reseal: Sendable {
  private let platform: Platform

  public init(platform: Platform) { self.platform = platform }

  /// Every column with sealed bytes, by its table.
  static let columns: [(table: String, key: String, columns: [String])] = [
    ("operators", "operator_id", ["totp_secret"]),
    (
      "bots", "bot_id",
      [
        "sealed_token", "sealed_relay_secret", "sealed_next_webhook_secret",
        "sealed_next_relay_secret", "sealed_event_secret", "sealed_event_secret_before",
      ]
    ),
  ]

  /// - Returns: How many values were sealed anew. Safe to repeat: the second time it is none.
  /// - Throws: ``Secrets/Problem/sealed`` at a value that no key opens; what came before it is done.
  public func run() async throws -> Int {
    var count = 0
    for (table, key, columns) in Self.columns {
      let ids = try await platform.pool.query(
        "select \(unsafe: key) as id from \(unsafe: table) order by 1"
      ).map { try $0.get("id", as: Int64.self) }
      for id in ids {
        count += try await platform.pool.transaction { tx in
          try await reseal(columns, of: table, where: key, id, tx)
        }
      }
    }
    return count
  }

  private func reseal(
    _ columns: [String], of table: String, where key: String, _ id: Int64, _ tx: Transaction
  ) async throws -> Int {
    var count = 0
    for column in columns {
      let row = try await tx.query(
        """
        select \(unsafe: column) as sealed from \(unsafe: table) where \(unsafe: key) = \(id)
        for no key update
        """
      ).first
      guard let sealed: [UInt8] = try row?.getIfPresent("sealed"),
        let anew = try platform.secrets.reseal(sealed)
      else { continue }
      try await tx.execute(
        "update \(unsafe: table) set \(unsafe: column) = \(anew) where \(unsafe: key) = \(id)")
      count += 1
    }
    return count
  }
}
