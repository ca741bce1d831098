import Foundation
@_spi(Guard) import Ledger
import Postgres
import Telegram

/// The workspace that `estars demo` shows: a small studio in São Paulo with an AI bot and a service
/// bot on its test side. Everything goes through the same functions as real business.
public struct DemoWorkspace: Sendable {
  public struct BotPlan: Sendable {
    public let token: String
    public let username: String
    public let name: String
    public let segment: Bot.Segment
    public let action: String

    public init(
      token: String, username: String, name: String, segment: Bot.Segment, action: String
    ) {
      self.token = token
      self.username = username
      self.name = name
      self.segment = segment
      self.action = action
    }
  }

  /// A payment of the history, for the books of whoever plays Telegram.
  public struct Charge: Sendable {
    public let botID: Int64
    public let telegramID: Int64
    public let chargeID: String
    public let title: String
    public let stars: Int64
    public let payload: String
    public let paidAt: Date
    public let refundedAt: Date?
    /// Of a month of a plan.
    public let month: Month?
  }

  /// The month of a plan that a payment paid.
  public struct Month: Sendable {
    /// Telegram knows a subscription by its first charge.
    public let firstChargeID: String
    public let endsAt: Date
    public let renewal: Subscription.Renewal
  }

  public static let slug = "estudio-aurora"
  public static let testSlug = slug + "-test"

  /// The team's member who gives plans by agreement.
  public static let managerEmail = "manager@aurora.example"

  /// The team's member who opens cases for customers.
  public static let supportEmail = "support@aurora.example"

  /// Stands in a payment of the history where Telegram puts the provider's charge id.
  static let chargeMark = "demo"

  private let platform: Platform

  public init(platform: Platform) { self.platform = platform }

  /// Opens the workspace with its catalogue and bots. Safe to repeat: what exists stays.
  public func open(
    _ plans: [BotPlan], endpoint: BotAPIEndpoint, at: Date
  ) async throws -> (live: Workspace, test: Workspace, bots: [Bot]) {
    let pool = platform.pool
    let all = try await Workspace.all(pool)
    let live: Workspace
    let test: Workspace
    if let known = all.first(where: { $0.slug == Self.slug }),
      let twin = all.first(where: { $0.id == known.twinID })
    {
      (live, test) = (known, twin)
    } else {
      (live, test) = try await Workspace.open(
        WorkspaceRequest(
          slug: Self.slug, name: "Estúdio Aurora", segment: .aiBot,
          timeZone: "America/Sao_Paulo", locale: "pt-BR"), at: at, pool)
    }
    try await Onboarding.putAway([live, test], at: at, pool)
    for side in [live, test] {
      try await side.defineCredits(pool)
      try await pool.transaction(in: side.scope) { tx in
        try await DemoCatalog.write(in: side.scope, tx)
        try await DemoPlans.write(in: side.scope, at: at, tx)
        try await DemoSupport.writeTemplates(in: side.scope, tx)
      }
    }
    var bots: [Bot] = []
    for plan in plans {
      let bot = try await Bot.register(
        token: plan.token, username: plan.username, name: plan.name, segment: plan.segment,
        endpoint: endpoint, in: test, at: at, platform)
      // The demo's bots confirm payments in words of their own, until somebody says otherwise.
      let isNew = abs(bot.createdAt.timeIntervalSince(at)) < 0.001
      bots.append(isNew ? try await bot.sendingReceipts(false, pool) ?? bot : bot)
    }
    return (live, test, bots)
  }

  /// How far the history is.
  public struct Progress: Sendable {
    public let written: Int
    public let of: Int
  }

  /// The history that this workspace has or was promised; nil before the first.
  public func history(in workspace: Workspace) async throws -> DemoHistory? {
    try await DemoRecord(scope: workspace.scope).history(platform.pool)
  }

  /// Writes a history: what is there already stays as it is, and one that was cut off goes on where
  /// it ended.
  ///
  /// - Parameter progress: Called after each part of it.
  /// - Returns: Whether anything was to do.
  /// - Throws: `PostgresError`; ``DemoRecord/Problem`` where the workspace has another history.
  public func write(
    _ history: DemoHistory, _ bots: [Bot], _ plans: [BotPlan], in workspace: Workspace,
    progress: (Progress) async throws -> Void = { _ in }
  ) async throws -> Bool {
    let record = DemoRecord(scope: workspace.scope)
    guard try await !record.isComplete(history, platform.pool) else { return false }
    let people = history.people
    let catalog = try await Catalog.load(in: workspace.scope, platform.pool)
    let events = history.events(people, plans, catalog)
    let done = try await record.parts(platform.pool)
    var writer = DemoWriter(
      platform: platform, scope: workspace.scope, bots: bots, people: people, catalog: catalog)
    let parts = DemoRecord.parts(of: events)
    for (number, part) in parts.enumerated() where !done.contains(number) {
      writer = try await platform.pool.transaction(in: workspace.scope) { [writer] tx in
        var writer = writer
        try await record.begin(part: number, of: parts.count, history, tx)
        try await writer.write(events[part], tx)
        return writer
      }
      try await progress(Progress(written: part.upperBound, of: events.count))
    }
    return true
  }

  /// Counts the figures of what was written, for the first page that shows them.
  public func countFigures(in workspace: Workspace) async throws {
    let rollup = Rollup(platform)
    try await rollup.follow(in: workspace.scope)
    try await rollup.countTops(in: workspace.scope)
  }

  /// The history's payments, oldest first.
  public func charges(of history: DemoHistory, in workspace: Workspace) async throws -> [Charge] {
    let people = history.people.map(\.telegramID)
    return try await platform.pool.query(
      """
      select p.bot_id, c.telegram_id, p.charge_id, coalesce(p.title, 'Tip') as title, p.stars,
        p.invoice_payload, p.paid_at, p.refunded_at, s.first_charge_id, p.period_ends_at,
        s.renewal
      from payments p join customers c using (workspace_id, customer_id)
      left join subscriptions s using (workspace_id, subscription_id)
      where p.workspace_id = \(workspace.id) and p.provider_charge_id = \(Self.chargeMark)
        and c.telegram_id = any(\(people))
      order by p.paid_at, p.payment_id
      """, in: workspace.scope
    ).map { row in
      Charge(
        botID: try row.get("bot_id"), telegramID: try row.get("telegram_id"),
        chargeID: try row.get("charge_id"), title: try row.get("title"),
        stars: try row.get("stars"), payload: try row.get("invoice_payload"),
        paidAt: try row.get("paid_at"), refundedAt: try row.getIfPresent("refunded_at"),
        month: try Month(row))
    }
  }
}

extension DemoWorkspace.Month {
  /// nil: the payment was not of a plan.
  fileprivate init?(_ row: Row) throws {
    guard let first = try row.getIfPresent("first_charge_id", as: String.self),
      let end = try row.getIfPresent("period_ends_at", as: Date.self)
    else { return nil }
    self.init(
      firstChargeID: first, endsAt: end,
      renewal: Subscription.Renewal(rawValue: try row.get("renewal")) ?? .off)
  }
}
