import Foundation
import Ledger
import Postgres

/// Why credits were not given as asked. Nothing was changed.
public enum CreditGrantRefusal: Error, Sendable, Equatable {
  case notFound
  /// The role does not reach for this kind of grant.
  case role(needed: Role)
  /// More than the workspace lets this role give one customer.
  case aboveCap(GoodwillRoom)
  /// The customer has as many open lots as fit, and none that this grant could flow into.
  case tooManyLots
  /// The form was sent before with other values.
  case formUsed
  case credits, validDays, reason, unit
}

/// Credits to give, as a form says it.
public struct CreditGrantOrder: Sendable, Equatable {
  public let source: CreditGrant.Source
  public let credits: Int64
  /// The credit unit; a workspace has one unless it defined more.
  public let unit: Int16
  /// Days until they expire; nil: never.
  public let validDays: Int?
  public let reason: String
  /// Of the form: sent twice, it gives once.
  public let formKey: String

  public init(
    _ credits: Int64, source: CreditGrant.Source, unit: Int16 = 1, validDays: Int? = nil,
    reason: String, formKey: String
  ) {
    self.credits = credits
    self.source = source
    self.unit = unit
    self.validDays = validDays
    self.reason = reason
    self.formKey = formKey
  }

  public static func newFormKey() -> String { Bytes.base64URL(Bytes.random(18)) }

  public func expiresAt(from time: Date) -> Date? {
    validDays.map { time.addingTimeInterval(Double($0) * 86_400) }
  }

  fileprivate func check() throws {
    guard (1...Limits.goodwillCredits).contains(credits) else { throw CreditGrantRefusal.credits }
    guard validDays.map({ (1...Limits.grantValidDays).contains($0) }) ?? true else {
      throw CreditGrantRefusal.validDays
    }
    guard (1...Limits.noteCharacters).contains(reason.unicodeScalars.count) else {
      throw CreditGrantRefusal.reason
    }
    guard (8...100).contains(formKey.unicodeScalars.count) else {
      throw CreditGrantRefusal.formUsed
    }
  }
}

extension CreditGrant {
  /// Gives a customer credits: ledger, grant and audit line in one transaction.
  ///
  /// - Returns: The grant, which is the first one's when the form was sent before.
  /// - Throws: ``CreditGrantRefusal``
  public static func give(
    _ order: CreditGrantOrder, to customer: Int64, by actor: Actor, as role: Role,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> CreditGrant {
    try order.check()
    return try await onceMore {
      try await pool.transaction(in: scope) { tx in
        try await tx.giveCredits(
          order, to: customer, by: actor, as: role, in: scope, at: scope.now)
      }
    }
  }

  /// Gives an opening balance to whoever has this Telegram id, known or not yet.
  ///
  /// - Parameter name: Kept where the person is new.
  /// - Throws: ``CreditGrantRefusal``
  public static func open(
    _ order: CreditGrantOrder, telegramID: Int64, name: String, by actor: Actor, as role: Role,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> CreditGrant {
    try order.check()
    return try await onceMore {
      try await pool.transaction(in: scope) { tx in
        let known = try await tx.query(
          """
          select customer_id from customers
          where workspace_id = \(scope.workspaceID) and telegram_id = \(telegramID)
          """
        ).first?.get("customer_id", as: Int64.self)
        var id = known
        if id == nil {
          id = try await tx.customer(
            telegramID: telegramID,
            name: CustomerName(firstName: name, lastName: nil, username: nil, languageCode: nil),
            in: scope, at: scope.now
          ).id
        }
        return try await tx.giveCredits(
          order, to: id ?? 0, by: actor, as: role, in: scope, at: scope.now)
      }
    }
  }

  /// A form that is sent twice at the same moment, the second time for somebody else, meets its
  /// twin in a unique key; a second look then finds the grant.
  private static func onceMore(
    _ work: @Sendable () async throws -> CreditGrant
  ) async throws -> CreditGrant {
    do {
      return try await work()
    } catch let error as PostgresError where error.sqlState == .uniqueViolation {
      return try await work()
    }
  }
}

extension Transaction {
  /// The customer's row is locked first: who gives at the same moment waits, and then sees what
  /// was given.
  fileprivate func giveCredits(
    _ order: CreditGrantOrder, to customer: Int64, by actor: Actor, as role: Role,
    in scope: WorkspaceScope, at: Date
  ) async throws -> CreditGrant {
    guard let locked = try await lockedCustomer(customer, in: scope), locked.erasedAt == nil else {
      throw CreditGrantRefusal.notFound
    }
    if let first = try await grant(ofForm: order.formKey, in: scope) {
      guard first.customerID == customer, first.source == order.source,
        first.credits == order.credits, first.unit == order.unit
      else { throw CreditGrantRefusal.formUsed }
      return first
    }
    try await checkPower(of: role, over: order, for: customer, in: scope, at: at)
    let account = Account(customer, unit: order.unit)
    let before = try await balance(of: account, in: scope, at: at)
    let posted = try await credit(
      Grant(order.credits, source: order.source.lotSource, expiresAt: order.expiresAt(from: at)),
      to: account, key: CreditGrant.postingKey(order.formKey), in: scope, at: at)
    guard posted.status != .lotLimit else { throw CreditGrantRefusal.tooManyLots }
    // At the same moment the form gave somebody else.
    guard posted.status != .conflict else { throw CreditGrantRefusal.formUsed }
    guard posted.status == .applied else {
      throw PaymentProblem(description: "a grant was answered \(posted.status.rawValue)")
    }
    let row = try await query(
      """
      insert into credit_grants (workspace_id, customer_id, credit_unit, source, credits, reason,
        form_key, granted_by, created_at)
      values (\(scope.workspaceID), \(customer), \(order.unit), \(order.source.rawValue),
        \(order.credits), \(order.reason), \(order.formKey), \(actor.name), \(at))
      returning *
      """)[0]
    let given = try CreditGrant(row)
    try await audit(
      actor, "credit_grant.\(order.source.rawValue)", "customer", String(customer),
      before: ["balance": String(before)],
      after: [
        "balance": String(posted.balance ?? 0), "credits": String(order.credits),
        "unit": String(order.unit), "valid_days": order.validDays.map(String.init) ?? "none",
        "credit_grant": String(given.id),
      ], in: scope, at: at)
    return given
  }

  private func grant(
    ofForm key: String, in scope: WorkspaceScope
  ) async throws -> CreditGrant? {
    try await query(
      """
      select * from credit_grants where workspace_id = \(scope.workspaceID) and form_key = \(key)
      """
    ).first.map(CreditGrant.init)
  }

  private func checkPower(
    of role: Role, over order: CreditGrantOrder, for customer: Int64, in scope: WorkspaceScope,
    at: Date
  ) async throws {
    guard role >= order.source.neededRole else {
      throw CreditGrantRefusal.role(needed: order.source.neededRole)
    }
    let units = try await query(
      """
      select 1 from credit_units where workspace_id = \(scope.workspaceID) and unit = \(order.unit)
      """)
    guard !units.isEmpty else { throw CreditGrantRefusal.unit }
    guard role < .manager else { return }
    let room = try await goodwillRoom(of: customer, in: scope, at: at)
    guard order.credits <= room.left else { throw CreditGrantRefusal.aboveCap(room) }
  }

  private func balance(
    of account: Account, in scope: WorkspaceScope, at: Date
  ) async throws -> Int64 {
    try await query(
      """
      select balance from ledger_balance(\(scope.workspaceID), \(account.id), \(account.unit), \(at))
      """
    ).first?.get("balance", as: Int64.self) ?? 0
  }
}
