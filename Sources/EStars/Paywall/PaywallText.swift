import Foundation
import Ledger
import Postgres

/// Why a user without credits is asked to buy.
public enum PaywallState: String, Sendable, CaseIterable {
  /// Never bought.
  case waitFirstPurchase = "wait_first_purchase"
  /// Bought before, and the credits are used up.
  case waitBuyCredit = "wait_buy_credit"

  public init(hasPurchased: Bool) { self = hasPurchased ? .waitBuyCredit : .waitFirstPurchase }
}

/// What a bot says to a user who has no credits.
public struct PaywallText: Sendable, Equatable {
  public let state: PaywallState
  /// In Telegram's spelling: `en`, `pt-br`.
  public let language: String
  public let body: String

  public init(state: PaywallState, language: String, body: String) {
    self.state = state
    self.language = language
    self.body = body
  }

  /// The operator's own words; where there are none, ours count.
  public static func all(in scope: WorkspaceScope, _ pool: Pool) async throws -> [PaywallText] {
    try await pool.query(
      """
      select state, language, body from paywall_texts where workspace_id = \(scope.workspaceID)
      order by language, state
      """, in: scope
    ).compactMap { row in
      guard let state = PaywallState(rawValue: try row.get("state")) else { return nil }
      return PaywallText(
        state: state, language: try row.get("language"), body: try row.get("body"))
    }
  }

  /// The text for somebody who reads these languages, the most wanted first. A language counts more
  /// than whose words they are: our Spanish comes before an operator's Portuguese.
  public static func text(
    for state: PaywallState, in languages: [String?], own: [PaywallText]
  ) -> PaywallText {
    let texts = own + builtIn
    let wanted = languages.compactMap { $0.flatMap(tag) }
    for language in wanted + ["en"] {
      let base = String(language.prefix(2))
      func found(_ matches: (PaywallText) -> Bool) -> PaywallText? {
        texts.first { $0.state == state && matches($0) }
      }
      let match =
        found { $0.language == language } ?? found { $0.language == base }
        ?? found { $0.language.prefix(2) == base }
      if let match { return match }
    }
    return builtIn[0]
  }

  /// `pt-br` for `pt-BR` and `pt_BR`, `zh` for `zh-hans`; nil for what is no language.
  public static func tag(_ language: String) -> String? {
    let parts = language.lowercased().split(whereSeparator: { $0 == "-" || $0 == "_" })
    func isPair(_ part: Substring) -> Bool { part.wholeMatch(of: /[a-z]{2}/) != nil }
    guard let first = parts.first, isPair(first) else { return nil }
    guard parts.count > 1, isPair(parts[1]) else { return String(first) }
    return "\(first)-\(parts[1])"
  }
}
