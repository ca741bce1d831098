import Foundation
import Ledger
import Postgres

/// A movement of Stars about which Telegram's books, our payments and the ledger do not agree.
public struct Mismatch: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    /// Telegram has a payment that we have not.
    case paymentUnseen = "payment_unseen"
    /// Telegram gave Stars back, and we do not know of it.
    case refundUnseen = "refund_unseen"
    /// Both know it, with different Stars.
    case amountDiffers = "amount_differs"
    /// A payment or a refund without its entry in the ledger.
    case creditsMissing = "credits_missing"
    /// Nothing that we know moves Stars so.
    case unknownPartner = "unknown_partner"
    /// We have a payment or a refund that Telegram's books lack.
    case notInTelegram = "not_in_telegram"

    /// What it takes is what Telegram's own update would have done, so no person is needed.
    var mendsItself: Bool { self == .paymentUnseen || self == .refundUnseen }
    /// There is something to do about it here.
    public var canBeFixed: Bool { mendsItself || self == .creditsMissing }
  }

  public enum State: String, Sendable, CaseIterable {
    case open
    case fixed
    /// A person said that it is as it should be.
    case accepted
  }

  public enum Direction: String, Sendable, CaseIterable { case incoming, outgoing }

  /// `closedBy` of one that Telegram's own update put right, which came after all.
  public static let byTelegram = "telegram"
  /// `closedBy` of one that the rule put right.
  public static let byRule = "rule"

  public let id: Int64
  public let botID: Int64
  /// A payment's charge id, where it is one.
  public let transactionID: String
  public let direction: Direction
  public let kind: Kind
  /// In Telegram's books; 0 where they lack it.
  public let stars: Int64
  /// In ours; nil where we lack it.
  public let ourStars: Int64?
  public let customerID: Int64?
  public let state: State
  public let foundAt: Date
  public let closedAt: Date?
  /// ``byRule``, ``byTelegram`` or an operator.
  public let closedBy: String?
  public let note: String

  public var charge: Charge { Charge(botID: botID, chargeID: transactionID) }

  init(_ row: Row) throws {
    id = try row.get("mismatch_id")
    botID = try row.get("bot_id")
    transactionID = try row.get("transaction_id")
    direction = Direction(rawValue: try row.get("direction")) ?? .incoming
    let name: String = try row.get("kind")
    guard let kind = Kind(rawValue: name) else {
      throw PostgresError(.decoding, "\"\(name)\" is not a kind of mismatch")
    }
    self.kind = kind
    stars = try row.get("stars")
    ourStars = try row.getIfPresent("our_stars")
    customerID = try row.getIfPresent("customer_id")
    state = State(rawValue: try row.get("state")) ?? .open
    foundAt = try row.get("found_at")
    closedAt = try row.getIfPresent("closed_at")
    closedBy = try row.getIfPresent("closed_by")
    note = try row.get("note")
  }

  public static func find(
    id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Mismatch? {
    try await pool.query(
      "select * from mismatches where workspace_id = \(scope.workspaceID) and mismatch_id = \(id)",
      in: scope
    ).first.map(Mismatch.init)
  }

  /// The workspace's mismatches, newest first.
  ///
  /// - Parameters:
  ///   - openOnly: Only those that wait for a person.
  ///   - before: A mismatch's number; only older ones.
  public static func recent(
    openOnly: Bool, before id: Int64?, limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Mismatch] {
    let open: SQL = openOnly ? "and state = 'open'" : ""
    let older: SQL = id.map { "and mismatch_id < \($0)" } ?? ""
    return try await pool.query(
      """
      select * from mismatches where workspace_id = \(scope.workspaceID) \(open) \(older)
      order by mismatch_id desc limit \(limit)
      """, in: scope
    ).map(Mismatch.init)
  }

  /// How many wait for a person, bot by bot.
  public static func open(
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Int64: Int64] {
    let rows = try await pool.query(
      """
      select bot_id, count(*) as open from mismatches
      where workspace_id = \(scope.workspaceID) and state = 'open' group by bot_id
      """, in: scope)
    return try rows.reduce(into: [:]) { $0[try $1.get("bot_id")] = try $1.get("open") }
  }
}

extension Mismatch {
  /// What each of the three books says about it.
  public struct Sides: Sendable, Equatable {
    public struct Telegram: Sendable, Equatable {
      public let stars: Int64
      public let partner: String
      public let kind: String?
      public let telegramID: Int64?
      public let at: Date
    }

    public struct Ledger: Sendable, Equatable {
      public let credits: Int64
      /// Taken back by a refund; nil: nothing was.
      public let taken: Int64?
    }

    /// nil: Telegram's books lack it.
    public let telegram: Telegram?
    public let payment: Payment?
    public let refund: Refund?
    /// nil: the charge has no credits.
    public let ledger: Ledger?
  }

  public func sides(in scope: WorkspaceScope, _ pool: Pool) async throws -> Sides {
    let (workspace, charge) = (scope.workspaceID, transactionID)
    let line = try await pool.query(
      """
      select * from star_transactions where workspace_id = \(workspace)
        and bot_id = \(botID) and transaction_id = \(charge) and direction = \(direction.rawValue)
      """, in: scope
    ).first
    let entry = try await pool.query(
      """
      select coalesce(sum(l.amount), 0)::bigint as credits, count(*) as lots,
        (select c.taken + c.used from clawbacks c where c.workspace_id = \(workspace)
          and c.bot_id = \(botID) and c.charge_id = \(charge)) as taken
      from lots l where l.workspace_id = \(workspace) and l.bot_id = \(botID)
        and l.charge_id = \(charge) and l.carried_from is null
      """, in: scope)[0]
    let refund = try await pool.query(
      """
      select * from refunds where workspace_id = \(workspace) and bot_id = \(botID)
        and charge_id = \(charge)
      """, in: scope
    ).first.map(Refund.init)
    return Sides(
      telegram: try line.map { line in
        .init(
          stars: try line.get("stars"), partner: try line.get("partner"),
          kind: try line.getIfPresent("transaction_type"),
          telegramID: try line.getIfPresent("telegram_id"), at: try line.get("at"))
      },
      payment: try await Payment.find(botID: botID, chargeID: charge, in: scope, pool),
      refund: refund,
      ledger: try entry.get("lots", as: Int64.self) == 0
        ? nil
        : .init(credits: try entry.get("credits"), taken: try entry.getIfPresent("taken")))
  }
}
