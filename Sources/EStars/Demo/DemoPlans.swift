import Foundation
import Ledger
import Postgres

/// The demo's plans: free, pro and premium for everybody, enterprise by agreement. What a plan may
/// do is its tier's; see ``DemoCatalog``.
enum DemoPlans {
  private struct Offer {
    let key: String
    let title: String
    let description: String
    let kind: Plan.Kind
    let tier: String
    var stars: Int64?
    var credits: Int64?
    var rollover: Int64 = 0
    var trialDays: Int64 = 0
    var trialCredits: Int64 = 0
    var features: [String] = []
    /// Title and description in Portuguese.
    let portuguese: (String, String)
  }

  private static let offers = [
    Offer(
      key: "free", title: "Free", description: "50 credits on the first of every month.",
      kind: .free, tier: "free", credits: 50,
      portuguese: ("Grátis", "50 créditos no dia 1º de cada mês.")),
    Offer(
      key: "pro", title: "Pro",
      description: "500 credits a month, a priority queue and HD quality.", kind: .recurring,
      tier: "pro", stars: 2000, credits: 500, rollover: 250, trialDays: 7, trialCredits: 50,
      features: ["priority_queue", "hd_quality"],
      portuguese: ("Pro", "500 créditos por mês, fila prioritária e qualidade HD.")),
    Offer(
      key: "premium", title: "Premium",
      description: "2000 credits a month, commercial use, API access and stems without a limit.",
      kind: .recurring, tier: "premium", stars: 6000, credits: 2000, rollover: 1000,
      features: ["priority_queue", "hd_quality", "commercial_use", "api_access"],
      portuguese: (
        "Premium", "2000 créditos por mês, uso comercial, acesso à API e stems sem limite."
      )),
    Offer(
      key: "enterprise", title: "Enterprise",
      description: "As many credits as you need and everything that Premium has, by agreement.",
      kind: .custom, tier: "enterprise",
      features: ["priority_queue", "hd_quality", "commercial_use", "api_access"],
      portuguese: ("Enterprise", "Créditos à vontade e tudo do Premium, sob consulta.")),
  ]

  /// Once: what an operator has changed since stays changed.
  static func write(in scope: WorkspaceScope, at: Date, _ tx: Transaction) async throws {
    let workspace = scope.workspaceID
    let isWritten = try await !tx.query(
      "select from plans where workspace_id = \(workspace) limit 1"
    ).isEmpty
    guard !isWritten else { return }
    try await writeTier(workspace, tx)
    for (position, offer) in offers.enumerated() {
      let inserted = try await tx.execute(
        """
        insert into plans (workspace_id, plan, title, description, kind, tier, stars,
          credits_per_cycle, rollover_cap_credits, trial_days, trial_credits, position, created_at)
        select \(workspace), \(offer.key)::text, \(offer.title), \(offer.description),
          \(offer.kind.rawValue), tier, \(offer.stars)::bigint, \(offer.credits)::bigint,
          \(offer.rollover)::bigint, \(offer.trialDays)::int, \(offer.trialCredits)::bigint,
          \(position)::int, \(at)::timestamptz
        from tiers where workspace_id = \(workspace) and tier = \(offer.tier)
        """)
      guard inserted == 1 else { continue }
      try await tx.execute(
        """
        insert into plan_entitlements (workspace_id, plan, entitlement)
        select workspace_id, \(offer.key)::text, entitlement from entitlements
        where workspace_id = \(workspace) and entitlement = any(\(offer.features))
        """)
      try await tx.execute(
        """
        insert into plan_names (workspace_id, plan, language, title, description)
        values (\(workspace), \(offer.key), 'pt-br', \(offer.portuguese.0), \(offer.portuguese.1))
        """)
    }
  }

  /// The rank above Premium, which no pack brings.
  private static func writeTier(_ workspace: Int64, _ tx: Transaction) async throws {
    try await tx.execute(
      """
      insert into entitlements (workspace_id, entitlement, title, position)
      select \(workspace), 'enterprise', 'Enterprise', max(position) + 1
      from entitlements where workspace_id = \(workspace) having count(*) > 0
      on conflict do nothing
      """)
    try await tx.execute(
      """
      insert into tiers (workspace_id, tier, title, entitlement, position)
      select \(workspace), 'enterprise', 'Enterprise', 'enterprise', max(position) + 1
      from tiers where workspace_id = \(workspace) having count(*) > 0
      on conflict do nothing
      """)
  }
}
