import Foundation
import Ledger
import Postgres

/// Words that operators use again and again, in the languages that buyers are spoken to in.
public struct ReplyTemplate: Sendable, Equatable {
  public struct Words: Sendable, Equatable {
    public let title: String
    public let body: String

    public init(title: String, body: String) {
      self.title = title
      self.body = body
    }
  }

  /// What stands in braces and is filled in for each buyer.
  public enum Place: String, Sendable, CaseIterable {
    /// What the buyer is called.
    case name
    /// The credits that the buyer has, with their noun.
    case balance
    /// Where the buyer's credits went.
    case creditsAnswer = "credits_answer"
  }

  public let key: String
  public let words: [BuyerLanguage: Words]

  public init(key: String, words: [BuyerLanguage: Words]) {
    self.key = key
    self.words = words
  }

  /// The words for a buyer: in the buyer's language, else in the workspace's, else in any.
  public func words(
    in language: BuyerLanguage, else fallback: BuyerLanguage
  ) -> (language: BuyerLanguage, words: Words)? {
    let order = [language, fallback] + BuyerLanguage.allCases
    return order.lazy.compactMap { choice in words[choice].map { (choice, $0) } }.first
  }

  /// Places in a text that nothing fills.
  public static func unknownPlaces(in text: String) -> [String] {
    text.matches(of: /\{([A-Za-z_]+)\}/).map { String($0.output.1) }
      .filter { Place(rawValue: $0) == nil }
  }

  /// The places that a text has.
  public static func places(in text: String) -> Set<Place> {
    Set(text.matches(of: /\{([a-z_]+)\}/).compactMap { Place(rawValue: String($0.output.1)) })
  }

  /// The text with its places filled, once: what a value brings along is left as it is.
  public static func fill(_ text: String, _ values: [Place: String]) -> String {
    text.replacing(/\{([a-z_]+)\}/) { match in
      Place(rawValue: String(match.output.1)).flatMap { values[$0] } ?? String(match.output.0)
    }
  }

  /// All of them, by key.
  public static func all(in scope: WorkspaceScope, _ pool: Pool) async throws -> [ReplyTemplate] {
    let rows = try await pool.query(
      """
      select * from reply_templates where workspace_id = \(scope.workspaceID)
      order by reply_template, language limit 1000
      """, in: scope)
    return try templates(rows)
  }

  public static func find(
    _ key: String, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> ReplyTemplate? {
    try templates(
      try await pool.query(
        """
        select * from reply_templates where workspace_id = \(scope.workspaceID)
          and reply_template = \(key)
        """, in: scope)
    ).first
  }

  static func templates(_ rows: [Row]) throws -> [ReplyTemplate] {
    var keys: [String] = []
    var words: [String: [BuyerLanguage: Words]] = [:]
    for row in rows {
      let key: String = try row.get("reply_template")
      guard let language = BuyerLanguage(rawValue: try row.get("language")) else { continue }
      if words[key] == nil { keys.append(key) }
      words[key, default: [:]][language] = Words(
        title: try row.get("title"), body: try row.get("body"))
    }
    return keys.map { ReplyTemplate(key: $0, words: words[$0] ?? [:]) }
  }
}

extension ReplyTemplate {
  /// Keeps the words in all languages; those without are taken away.
  ///
  /// - Parameter isNew: Whether the key must be free.
  /// - Throws: ``RuleRefusal``: `taken`, `notFound`, `tooMany`.
  public func keep(
    isNew: Bool, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      try await tx.keep(self, isNew: isNew, by: actor, in: scope, at: scope.now)
    }
  }

  /// - Throws: ``RuleRefusal/notFound``
  public static func remove(
    _ key: String, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let known = try await tx.replyTemplate(key, in: scope)
      guard let known else { throw RuleRefusal.notFound }
      try await tx.execute(
        """
        delete from reply_templates where workspace_id = \(scope.workspaceID)
          and reply_template = \(key)
        """)
      try await tx.audit(
        actor, "reply_template.removed", "reply_template", key, before: known.facts, in: scope,
        at: scope.now)
    }
  }

  /// For the audit log: title and text of each language.
  fileprivate var facts: [String: String] {
    var facts: [String: String] = [:]
    for (language, words) in words {
      facts["title_in:\(language.rawValue)"] = words.title
      facts["body:\(language.rawValue)"] = words.body
    }
    return facts
  }
}

extension Transaction {
  func keep(
    _ template: ReplyTemplate, isNew: Bool, by actor: Actor, in scope: WorkspaceScope, at: Date
  ) async throws {
    let workspace = scope.workspaceID
    // One at a time, so that the number of them is what it is.
    try await execute(
      "select pg_advisory_xact_lock(hashtextextended('reply_templates', \(workspace)))")
    let known = try await replyTemplate(template.key, in: scope)
    if isNew {
      guard known == nil else { throw RuleRefusal.taken }
      let count: Int = try await query(
        """
        select count(distinct reply_template)::int as n from reply_templates
        where workspace_id = \(workspace)
        """)[0].get("n")
      guard count < Limits.replyTemplates else { throw RuleRefusal.tooMany }
    } else if known == nil {
      throw RuleRefusal.notFound
    }
    guard known != template else { return }
    try await execute(
      """
      delete from reply_templates where workspace_id = \(workspace)
        and reply_template = \(template.key)
      """)
    for (language, words) in template.words {
      try await execute(
        """
        insert into reply_templates (workspace_id, reply_template, language, title, body)
        values (\(workspace), \(template.key), \(language.rawValue), \(words.title), \(words.body))
        """)
    }
    let (before, after) = (known?.facts ?? [:], template.facts)
    let changed = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }
    try await audit(
      actor, isNew ? "reply_template.created" : "reply_template.edited", "reply_template",
      template.key, before: before.filter { changed.contains($0.key) },
      after: after.filter { changed.contains($0.key) }, in: scope, at: at)
  }

  fileprivate func replyTemplate(
    _ key: String, in scope: WorkspaceScope
  ) async throws -> ReplyTemplate? {
    try ReplyTemplate.templates(
      try await query(
        """
        select * from reply_templates where workspace_id = \(scope.workspaceID)
          and reply_template = \(key)
        """)
    ).first
  }
}
