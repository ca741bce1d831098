import Foundation
import Ledger
import Postgres

extension Bot {
  /// Says whether buyers are told of their payments by us.
  public func sendReceipts(
    _ sendsReceipts: Bool, by actor: Actor, in scope: WorkspaceScope, _ platform: Platform
  ) async throws {
    let changed = try await platform.pool.transaction(in: scope) { tx -> Bot? in
      let changed = try await tx.query(
        """
        update bots b set sends_receipts = \(sendsReceipts)
        where b.workspace_id = \(scope.workspaceID) and b.bot_id = \(id)
          and b.sends_receipts <> \(sendsReceipts)
        returning \(Self.columns)
        """
      ).first.map(Bot.init)
      guard let changed else { return nil }
      try await tx.audit(
        actor, "bot.receipts_changed", "bot", String(id),
        before: ["sends_receipts": String(!sendsReceipts)],
        after: ["sends_receipts": String(sendsReceipts)], in: scope, at: scope.now)
      return changed
    }
    if let changed { platform.directory.remember(changed) }
  }

  /// The same where nobody decides it: of a bot whose own words are known.
  func sendingReceipts(_ sendsReceipts: Bool, _ pool: Pool) async throws -> Bot? {
    try await pool.query(
      """
      update bots b set sends_receipts = \(sendsReceipts)
      where b.workspace_id = \(workspaceID) and b.bot_id = \(id) returning \(Self.columns)
      """
    ).first.map(Bot.init)
  }
}
