import Foundation
import Ledger
import Postgres

/// The names and usernames of a workspace's customers, as functions/customers.sql finds them: every
/// question looks at a bounded number of rows, however many customers there are.
struct CustomerNames: Sendable {
  let scope: WorkspaceScope
  let pool: Pool
  /// How many people are wanted; one more tells that there are more.
  let limit: Int

  /// Those with this username.
  func named(_ username: String) async throws -> [Customer] {
    try await beginning(username).filter { $0.username.lowercased() == username }
  }

  /// Those whose name begins with the text, who have a word that does, or who have all of the words
  /// somewhere: best first.
  func matching(_ query: NameQuery) async throws -> [Customer] {
    var found = try await beginning(query.text)
    if found.count <= limit, let patterns = query.patterns {
      found += try await containing(patterns, limit + 1)
    }
    return ranked(found, by: query)
  }

  /// Those who match when a letter of each word is put right.
  func spelledLike(_ query: NameQuery) async throws -> [Customer] {
    var choices: [[String]] = [[]]
    for word in query.words.prefix(3) {
      let known = try await spellings(of: word)
      // A word that somebody has needs no correction.
      let wanted = known.first == word ? [word] : known
      if wanted.isEmpty { return [] }
      choices = Array(choices.flatMap { choice in wanted.map { choice + [$0] } }.prefix(6))
    }
    var found: [Customer] = []
    for words in choices where found.count <= limit {
      if words.count == 1 {
        found += try await beginning(words[0])
      } else if let patterns = NameQuery.patterns(words) {
        found += try await containing(patterns, limit + 1)
      }
    }
    return unique(found)
  }

  private func beginning(_ text: String) async throws -> [Customer] {
    try await pool.query(
      "select * from customers_beginning(\(text), \(limit + 1))", in: scope
    ).map(Customer.init)
  }

  private func containing(_ patterns: [String], _ limit: Int) async throws -> [Customer] {
    try await pool.query(
      "select * from customers_containing(\(patterns), \(limit))", in: scope
    ).map(Customer.init)
  }

  private func spellings(of word: String) async throws -> [String] {
    try await pool.query(
      "select * from customer_spellings(\(Spelling.variants(of: word)), 4) word", in: scope
    ).map { try $0.get("word") }
  }

  private func ranked(_ customers: [Customer], by query: NameQuery) -> [Customer] {
    unique(customers).map { (query.rank($0), $0) }.sorted { left, right in
      left.0 != right.0
        ? left.0 < right.0
        : (left.1.lastSeenAt, left.1.id) > (right.1.lastSeenAt, right.1.id)
    }.map(\.1)
  }

  private func unique(_ customers: [Customer]) -> [Customer] {
    var seen: Set<Int64> = []
    return customers.filter { seen.insert($0.id).inserted }
  }
}
