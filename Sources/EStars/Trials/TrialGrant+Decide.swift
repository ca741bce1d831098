import Foundation
import Ledger
import Postgres

/// A bot's wish to let a customer try, with what it thinks of the customer.
public struct TrialRequest: Sendable, Equatable {
  public let telegramID: Int64
  /// 0–10: how much the customer takes part.
  public let engagement: Int
  /// 0–10: how clearly the customer wants what the bot does.
  public let intent: Int
  /// The traffic source, at most ``Limits/trialSourceCharacters``; empty when unknown.
  public let source: String
  public let idempotencyKey: String

  public init(
    telegramID: Int64, engagement: Int, intent: Int, source: String, idempotencyKey: String
  ) {
    self.telegramID = telegramID
    self.engagement = engagement
    self.intent = intent
    self.source = source
    self.idempotencyKey = idempotencyKey
  }

  /// With its bot: what one bot asked for, another one of the workspace never did.
  func fingerprint(of bot: Bot) -> Int64 {
    Bytes.fingerprint([
      "trial", String(bot.id), String(telegramID), String(engagement), String(intent), source,
    ])
  }
}

extension TrialGrant {
  /// Decides, gives the credits where the answer is yes, and keeps the decision, all in one
  /// transaction. A user nobody has seen yet becomes a customer.
  ///
  /// - Throws: ``Checkout/Refusal/keyReused``, ``Workspace/Suspended``
  public static func decide(
    _ request: TrialRequest, with bot: Bot, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> (grant: TrialGrant, isNew: Bool) {
    try await pool.transaction(in: scope) { tx in
      try await tx.decideTrial(request, with: bot, in: scope, at: scope.now)
    }
  }
}

extension Transaction {
  func decideTrial(
    _ request: TrialRequest, with bot: Bot, in scope: WorkspaceScope, at: Date
  ) async throws -> (grant: TrialGrant, isNew: Bool) {
    let fingerprint = request.fingerprint(of: bot)
    let claimed = try await claimKey(
      request.idempotencyKey, operation: "trial", fingerprint: fingerprint, in: scope, at: at)
    guard claimed else {
      let known = try await query(
        """
        select * from trial_grants where workspace_id = \(scope.workspaceID)
          and idempotency_key = \(request.idempotencyKey)
        """
      ).first.map(TrialGrant.init)
      guard let known else { throw Checkout.Refusal.keyReused }
      return (known, false)
    }
    try await refuseWhileSuspended(in: scope)
    let customerID = try await customer(
      telegramID: request.telegramID, name: nil, in: scope, at: at
    ).id
    try await noteSource(request.source, of: customerID, in: scope)
    let facts = try await TrialFacts(customerID, in: scope, at: at, self)
    let policy = facts.policy
    let isPaid = policy.isPaid(request.source)
    let score = request.engagement + request.intent + (isPaid ? policy.paidBonus : 0)
    var given = facts.givenToday
    let outcome: TrialGrant.Outcome
    if facts.hasPurchased {
      outcome = .hasPurchased
    } else if max(0, facts.balance) + facts.held > 0 {
      outcome = .hasCredits
    } else if score < policy.minScore {
      outcome = .scoreTooLow
    } else {
      // Whoever holds the day's row gives; the others wait and see what is left then.
      given = try await lockTrialDay(facts.day, in: scope)
      outcome = given + policy.credits <= policy.creditsPerDay ? .granted : .dailyLimit
    }
    if outcome == .granted {
      try await giveTrial(policy.credits, to: customerID, request, facts.day, in: scope, at: at)
    }
    let row = try await query(
      """
      insert into trial_grants (workspace_id, bot_id, customer_id, idempotency_key, fingerprint,
        engagement, intent, source, is_paid_source, score, min_score, balance, held, given_today,
        daily_limit, outcome, credits, created_at)
      values (\(scope.workspaceID), \(bot.id), \(customerID), \(request.idempotencyKey),
        \(fingerprint), \(request.engagement), \(request.intent), \(request.source),
        \(isPaid), \(score), \(policy.minScore), \(facts.balance), \(facts.held), \(given),
        \(policy.creditsPerDay), \(outcome.rawValue), \(outcome == .granted ? policy.credits : 0),
        \(at))
      returning *
      """)[0]
    return (try TrialGrant(row), true)
  }

  /// The first source that a bot names is where the customer came from. A workspace has as many as
  /// ``Limits/trafficSources``, as figures are kept of each; whoever comes from yet another is from
  /// ``Customer/otherSource``.
  private func noteSource(
    _ source: String, of customerID: Int64, in scope: WorkspaceScope
  ) async throws {
    guard !source.isEmpty else { return }
    try await execute(
      """
      insert into traffic_sources (workspace_id, source)
      select \(scope.workspaceID), \(source)::text
      where (select count(*) from traffic_sources where workspace_id = \(scope.workspaceID))
          < \(Limits.trafficSources)
      on conflict do nothing
      """)
    try await execute(
      """
      update customers set traffic_source = case when exists (
          select from traffic_sources
          where workspace_id = \(scope.workspaceID) and source = \(source)::text)
        then \(source)::text else \(Customer.otherSource)::text end
      where workspace_id = \(scope.workspaceID) and customer_id = \(customerID)
        and traffic_source = ''
      """)
  }

  private func lockTrialDay(_ day: String, in scope: WorkspaceScope) async throws -> Int64 {
    try await query(
      """
      insert into trial_days as d (workspace_id, day, credits)
      values (\(scope.workspaceID), \(day)::date, 0)
      on conflict (workspace_id, day) do update set credits = d.credits
      returning credits
      """)[0].get("credits")
  }

  private func giveTrial(
    _ credits: Int64, to customerID: Int64, _ request: TrialRequest, _ day: String,
    in scope: WorkspaceScope, at: Date
  ) async throws {
    let answer = try await credit(
      Grant(credits, source: .trial), to: Account(customerID), key: "api:\(request.idempotencyKey)",
      in: scope, at: at)
    // A debit that took the key at the same moment.
    guard answer.status != .conflict else { throw Checkout.Refusal.keyReused }
    guard answer.status == .applied else {
      throw PaymentProblem(description: "a trial grant was answered \(answer.status.rawValue)")
    }
    try await execute(
      """
      update trial_days set credits = credits + \(credits)
      where workspace_id = \(scope.workspaceID) and day = \(day)::date
      """)
  }
}

/// What a decision is made from, read with the customer's row in hand: neither another decision
/// about the customer nor a first purchase comes in between.
private struct TrialFacts {
  let policy: TrialPolicy
  /// In the workspace's time zone.
  let day: String
  let hasPurchased: Bool
  let balance: Int64
  let held: Int64
  let givenToday: Int64

  init(_ customerID: Int64, in scope: WorkspaceScope, at: Date, _ tx: Transaction) async throws {
    let workspace = scope.workspaceID
    hasPurchased = try await tx.query(
      """
      select has_purchased from customers
      where workspace_id = \(workspace) and customer_id = \(customerID) for no key update
      """)[0].get("has_purchased")
    let row = try await tx.query(
      """
      select \(TrialPolicy.columns), d.day::text, coalesce(t.credits, 0)::bigint as given,
        case when a.balance < 0 then a.balance else (
          select coalesce(sum(o.amount_left), 0)::bigint from open_lots o
          where o.workspace_id = w.workspace_id and o.account_id = \(customerID) and o.unit = 1
            and o.expires_at > \(at)) end as balance,
        (select coalesce(sum(h.amount), 0)::bigint from holds h
          where h.workspace_id = w.workspace_id and h.account_id = \(customerID)) as held
      from workspaces w
      cross join lateral (select (\(at)::timestamptz at time zone w.time_zone)::date as day) d
      left join trial_days t on t.workspace_id = w.workspace_id and t.day = d.day
      left join accounts a on a.workspace_id = w.workspace_id and a.account_id = \(customerID)
        and a.unit = 1
      where w.workspace_id = \(workspace)
      """)[0]
    policy = try TrialPolicy(row)
    day = try row.get("day")
    givenToday = try row.get("given")
    balance = try row.get("balance")
    held = try row.get("held")
  }
}
