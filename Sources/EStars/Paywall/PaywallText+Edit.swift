import Foundation
import Ledger
import Postgres

extension PaywallText {
  /// Puts the operator's words in the place of ours; nil takes them away again.
  ///
  /// - Parameters:
  ///   - language: as ``tag(_:)`` spells it.
  ///   - body: 1 to ``Limits/paywallCharacters`` characters.
  /// - Throws: ``RuleRefusal/tooMany`` languages.
  public static func write(
    _ body: String?, for state: PaywallState, in language: String, by actor: Actor,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let workspace = scope.workspaceID
      let known = try await tx.query(
        "select state, language, body from paywall_texts where workspace_id = \(workspace)")
      let subject = "\(state.rawValue):\(language)"
      var before: String?
      var languages: Set<String> = []
      for row in known {
        let rowLanguage: String = try row.get("language")
        languages.insert(rowLanguage)
        if rowLanguage == language, try row.get("state", as: String.self) == state.rawValue {
          before = try row.get("body")
        }
      }
      guard before != body else { return }
      if let body {
        guard languages.contains(language) || languages.count < Limits.paywallLanguages else {
          throw RuleRefusal.tooMany
        }
        try await tx.execute(
          """
          insert into paywall_texts (workspace_id, state, language, body)
          values (\(workspace), \(state.rawValue), \(language), \(body))
          on conflict (workspace_id, state, language) do update set body = excluded.body
          """)
      } else {
        try await tx.execute(
          """
          delete from paywall_texts where workspace_id = \(workspace)
            and state = \(state.rawValue) and language = \(language)
          """)
      }
      try await tx.audit(
        actor, body == nil ? "paywall.reset" : "paywall.edited", "paywall", subject,
        before: before.map { ["body": $0] } ?? [:], after: body.map { ["body": $0] } ?? [:],
        in: scope, at: scope.now)
    }
  }
}
