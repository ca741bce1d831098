import Foundation
import Ledger
import Postgres

/// The workspace's rule for refunds: what it speaks for, and what it decides without a person.
public struct RefundPolicy: Sendable, Equatable {
  /// Hours between the payment and now.
  public var maxAgeHours: Int
  /// Of the credits that the charge gave.
  public var maxUsedPercent: Int
  public var onePerCustomer: Bool
  /// What the rule speaks for is approved at once.
  public var autoApproves: Bool
  /// From so many Stars on, two people agree; nil = one is enough.
  public var fourEyesStars: Int64?
  /// What becomes of credits that were used.
  public var debtPolicy: DebtPolicy

  public static let ageRange: ClosedRange<Int64> = 1...8760
  public static let percentRange: ClosedRange<Int64> = 0...100
  public static let starsRange: ClosedRange<Int64> = 1...10_000_000

  /// What every workspace begins with.
  public static let standard = RefundPolicy()

  public init(
    maxAgeHours: Int = 24, maxUsedPercent: Int = 0, onePerCustomer: Bool = true,
    autoApproves: Bool = false, fourEyesStars: Int64? = nil, debtPolicy: DebtPolicy = .forgive
  ) {
    self.maxAgeHours = maxAgeHours
    self.maxUsedPercent = maxUsedPercent
    self.onePerCustomer = onePerCustomer
    self.autoApproves = autoApproves
    self.fourEyesStars = fourEyesStars
    self.debtPolicy = debtPolicy
  }

  /// Whether one person is not enough.
  public func needsTwo(for stars: Int64) -> Bool { fourEyesStars.map { stars >= $0 } ?? false }

  func verdict(on facts: RefundFacts, at: Date) -> RefundVerdict {
    RefundVerdict(
      policy: self, facts: facts, ageSeconds: max(0, at.timeIntervalSince(facts.paidAt)))
  }

  init(_ row: Row) throws {
    maxAgeHours = try row.get("max_age_hours")
    maxUsedPercent = try row.get("max_used_percent")
    onePerCustomer = try row.get("one_per_customer")
    autoApproves = try row.get("auto_approves")
    fourEyesStars = try row.getIfPresent("four_eyes_stars")
    debtPolicy = DebtPolicy(rawValue: try row.get("refund_debt_policy")) ?? .forgive
  }

  /// A workspace that has settled nothing has the standard.
  static func row(of scope: WorkspaceScope) -> SQL {
    let standard = RefundPolicy.standard
    return """
      select w.refund_debt_policy, p.four_eyes_stars,
        coalesce(p.max_age_hours, \(standard.maxAgeHours))::int as max_age_hours,
        coalesce(p.max_used_percent, \(standard.maxUsedPercent))::int as max_used_percent,
        coalesce(p.one_per_customer, \(standard.onePerCustomer)) as one_per_customer,
        coalesce(p.auto_approves, \(standard.autoApproves)) as auto_approves
      from workspaces w left join refund_policies p on p.workspace_id = w.workspace_id
      where w.workspace_id = \(scope.workspaceID)
      """
  }

  public static func load(in scope: WorkspaceScope, _ pool: Pool) async throws -> RefundPolicy {
    try RefundPolicy(try await pool.query(row(of: scope), in: scope)[0])
  }
}

/// What a rule is asked about.
struct RefundFacts: Sendable, Equatable {
  let paidAt: Date
  /// Whether the payment bought something here.
  let isCredited: Bool
  /// Credits that the charge gave.
  let granted: Int64
  /// Of these, used or held for running work.
  let used: Int64
  /// Whether the customer has another refund, done or on its way.
  let hasOther: Bool

  /// Another refund of the buyer of `payments p`. An invoice that was paid twice is nobody's second
  /// wish: it neither counts nor is it refused for an earlier one.
  static let hasOther: SQL = """
    p.review is distinct from 'second_payment' and exists (
      select from refunds o where o.workspace_id = p.workspace_id
        and o.customer_id = p.customer_id
        and (o.bot_id, o.charge_id) <> (p.bot_id, p.charge_id)
        and o.source <> 'second_payment'
        and o.state in ('approved', 'sending', 'unknown', 'confirmed'))
    """
}

/// What the workspace's rule says about a refund.
public struct RefundVerdict: Sendable, Equatable {
  public enum Clause: String, Sendable, CaseIterable {
    /// It speaks for the refund; all others speak against it.
    case withinPolicy = "within_policy"
    case tooOld = "too_old"
    case tooMuchUsed = "too_much_used"
    case notTheFirst = "not_the_first"
    /// The payment bought nothing here, so the rule cannot know what it was for.
    case notCredited = "not_credited"
    /// It gave access and no credits: the ledger does not show how much of that was used, so a
    /// person decides.
    case accessOnly = "access_only"
  }

  /// The rule it was made by.
  public let policy: RefundPolicy
  let facts: RefundFacts
  /// Seconds between the payment and now.
  public let ageSeconds: Double

  public var isInTime: Bool { ageSeconds <= Double(policy.maxAgeHours) * 3600 }
  /// Whether no more was used than the rule allows.
  public var isLittleUsed: Bool {
    facts.used == 0
      || Int128(facts.used) * 100 <= Int128(policy.maxUsedPercent) * Int128(facts.granted)
  }
  public var isFirst: Bool { !facts.hasOther }
  public var used: Int64 { facts.used }
  public var granted: Int64 { facts.granted }
  public var paidAt: Date { facts.paidAt }

  public var clause: Clause {
    if !facts.isCredited { return .notCredited }
    if !isInTime { return .tooOld }
    if !isLittleUsed { return .tooMuchUsed }
    if policy.onePerCustomer && !isFirst { return .notTheFirst }
    return facts.granted == 0 ? .accessOnly : .withinPolicy
  }

  public var recommendsRefund: Bool { clause == .withinPolicy }
}

extension Transaction {
  /// Read with the decision itself: a cached one could be the one before the last change.
  func refundPolicy(in scope: WorkspaceScope) async throws -> RefundPolicy {
    try RefundPolicy(try await query(RefundPolicy.row(of: scope))[0])
  }
}
