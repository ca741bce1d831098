import Foundation
import Ledger
import Postgres

/// A person who uses an operator's bots. `id` is our own number and the ledger's account.
public struct Customer: Sendable, Equatable {
  public let id: Int64
  public let telegramID: Int64
  public let firstName: String
  public let lastName: String
  public let username: String
  /// As Telegram gave it (`pt-br`); empty when it gave none.
  public let languageCode: String
  public let isAdmin: Bool
  public let hasPurchased: Bool
  public let createdAt: Date
  public let lastSeenAt: Date
  /// Who it was is forgotten since then: no name, no Telegram id.
  public let erasedAt: Date?

  /// The traffic source of those whose own one was one too many.
  public static let otherSource = "other"

  /// Where Telegram finds the person; nil when that is forgotten.
  var chatID: Int64? { erasedAt == nil ? telegramID : nil }

  /// What to call the person: the name, else the username, else the Telegram id; who was erased has
  /// only a number left.
  public var displayName: String {
    let name = [firstName, lastName].filter { !$0.isEmpty }.joined(separator: " ")
    if !name.isEmpty { return name }
    if erasedAt != nil { return "#\(id)" }
    return username.isEmpty ? String(telegramID) : "@\(username)"
  }

  init(_ row: Row) throws {
    id = try row.get("customer_id")
    telegramID = try row.get("telegram_id")
    firstName = try row.get("first_name")
    lastName = try row.get("last_name")
    username = try row.get("username")
    languageCode = try row.get("language_code")
    isAdmin = try row.get("is_admin")
    hasPurchased = try row.get("has_purchased")
    createdAt = try row.get("created_at")
    lastSeenAt = try row.get("last_seen_at")
    erasedAt = try row.getIfPresent("erased_at")
  }

  public static func find(
    telegramID: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Customer? {
    try await pool.query(
      """
      select * from customers
      where workspace_id = \(scope.workspaceID) and telegram_id = \(telegramID)
      """, in: scope
    ).first.map(Customer.init)
  }

  public static func find(
    id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Customer? {
    try await pool.query(
      "select * from customers where workspace_id = \(scope.workspaceID) and customer_id = \(id)",
      in: scope
    ).first.map(Customer.init)
  }

  /// Lower case without diacritics, so that "joao" finds "João".
  static func fold(_ text: String) -> String {
    text.folding(
      options: [.caseInsensitive, .diacriticInsensitive, .widthInsensitive], locale: nil
    )
    .lowercased()
  }
}

/// The name that Telegram gave with an update, cut to what we keep and free of NUL, which Postgres
/// text cannot hold.
public struct CustomerName: Sendable, Equatable {
  public let firstName: String
  public let lastName: String
  public let username: String
  public let languageCode: String

  public init(firstName: String?, lastName: String?, username: String?, languageCode: String?) {
    func clean(_ text: String?, _ limit: Int) -> String {
      String((text ?? "").replacing("\0", with: "").prefix(limit))
    }
    self.firstName = clean(firstName, 128)
    self.lastName = clean(lastName, 128)
    self.username = clean(username, 64)
    self.languageCode = clean(languageCode, 16)
  }

  var searchName: String { Customer.fold("\(firstName) \(lastName) @\(username)") }
}

extension Transaction {
  /// The customer of a Telegram id, made at first sight. A name, where one is given, replaces the
  /// stored one.
  func customer(
    telegramID: Int64, name: CustomerName?, in scope: WorkspaceScope, at: Date
  ) async throws -> Customer {
    if name == nil,
      let known = try await query(
        """
        select * from customers
        where workspace_id = \(scope.workspaceID) and telegram_id = \(telegramID)
        """
      ).first
    {
      return try Customer(known)
    }
    let rows = try await query(
      """
      insert into customers as c (workspace_id, telegram_id, first_name, last_name, username,
        language_code, search_name, created_at, last_seen_at)
      values (\(scope.workspaceID), \(telegramID), \(name?.firstName ?? ""),
        \(name?.lastName ?? ""), \(name?.username ?? ""), \(name?.languageCode ?? ""),
        \(name?.searchName ?? ""), \(at), \(at))
      on conflict (workspace_id, telegram_id) do update set
        first_name = case when \(name != nil) then excluded.first_name else c.first_name end,
        last_name = case when \(name != nil) then excluded.last_name else c.last_name end,
        username = case when \(name != nil) then excluded.username else c.username end,
        language_code = case when \(name != nil) then excluded.language_code
          else c.language_code end,
        search_name = case when \(name != nil) then excluded.search_name else c.search_name end,
        last_seen_at = greatest(c.last_seen_at, excluded.last_seen_at)
      returning *
      """)
    return try Customer(rows[0])
  }
}
