import EStars
import Foundation
import HTTPTypes

/// Who subscribes to what, and one subscription's whole story.
enum SubscriptionsController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let filter = SubscriptionsView.Filter(rawValue: visit.inbound.query["show"] ?? "") ?? .running
    let plan = visit.inbound.query["plan"].flatMap { $0.isEmpty || $0.contains("\0") ? nil : $0 }
    let before = visit.inbound.query["after"].flatMap { Int64($0) }
    async let standings = PlanStanding.all(in: scope, pool)
    async let tiers = Tier.all(in: scope, pool)
    var found = try await Subscription.list(
      filter.domain, plan: plan, before: before, limit: Limits.pageSize + 1, in: scope, pool)
    let hasMore = found.count > Limits.pageSize
    if hasMore { found.removeLast() }
    let people = try await Customer.named(found.map(\.customerID), in: scope, pool)
    let ranks = try await tiers
    let view = SubscriptionsView(
      filter: filter, plan: plan, standings: try await standings.map { .init($0, ranks) },
      rows: found.map { subscription in
        .init(
          subscription: SubscriptionRow(subscription),
          customer: people[subscription.customerID].map(CustomerLabel.init)
            ?? CustomerLabel(id: subscription.customerID, name: ""))
      },
      paging: Paging(
        nextCursor: hasMore ? found.last.map { String($0.id) } : nil, isFirst: before == nil))
    return try await visit.page(view.render)
  }

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let view = try await visit.subscriptionView(try await visit.subscription())
    return try await visit.page(view.render)
  }
}

enum SubscriptionCancellationController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    try await visit.change(.cancellation) { id, draft in
      _ = try await Subscription.cancel(
        id, by: visit.actor, reason: draft.reason, in: visit.scope, visit.platform.pool)
    }
  }
}

enum SubscriptionReactivationController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    try await visit.change(.reactivation) { id, draft in
      _ = try await Subscription.allow(
        id, by: visit.actor, reason: draft.reason, in: visit.scope, visit.platform.pool)
    }
  }
}

enum SubscriptionDowngradeController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    try await visit.change(.downgrade) { id, draft in
      _ = try await Subscription.downgrade(
        id, to: draft.plan, by: visit.actor, reason: draft.reason, in: visit.scope,
        visit.platform.pool)
    }
  }
}

enum SubscriptionEndController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    try await visit.change(.end) { id, draft in
      _ = try await Subscription.withdraw(
        id, reason: draft.reason, by: visit.actor, in: visit.scope, visit.platform.pool)
    }
  }
}

extension Visit {
  /// The subscription in the path.
  fileprivate func subscription() async throws -> Subscription {
    let id = try inbound.id("subscription")
    guard let subscription = try await Subscription.find(id: id, in: scope, platform.pool) else {
      throw Refusal.notFound
    }
    return subscription
  }

  /// Carries out what a form asks for, or shows the page again with what was typed.
  fileprivate func change(
    _ deed: SubscriptionView.Deed,
    _ act: (Int64, SubscriptionView.Draft) async throws -> Void
  ) async throws -> Reply {
    let subscription = try await subscription()
    let form = try inbound.form()
    var draft = SubscriptionView.Draft(
      deed: deed, reason: inbound.words(form["reason"]), plan: inbound.words(form["plan"]),
      problem: .missing)
    func again(
      _ problem: SubscriptionView.Problem, _ status: HTTPResponse.Status = .unprocessableContent
    ) async throws -> Reply {
      draft.problem = problem
      // As it stands now, not as it was before.
      var view = try await subscriptionView(try await self.subscription())
      view.draft = draft
      return try await page(view.render, status)
    }
    if draft.reason.isEmpty { return try await again(.missing) }
    if draft.reason.unicodeScalars.count > Limits.noteCharacters { return try await again(.long) }
    do {
      try await act(subscription.id, draft)
    } catch let refusal as SubscriptionRefusal {
      switch refusal {
      case .notFound: throw Refusal.notFound
      case .unknownPlan, .notLower: return try await again(.plan)
      default: return try await again(.moved, .conflict)
      }
    }
    return .seeOther(Links.subscription(workspace.slug, subscription.id))
  }

  fileprivate func subscriptionView(
    _ subscription: Subscription
  ) async throws -> SubscriptionView {
    let pool = platform.pool
    async let cycles = subscription.cycles(in: scope, pool)
    async let changes = subscription.changes(in: scope, pool)
    async let plans = Plan.all(in: scope, pool)
    async let tiers = Tier.all(in: scope, pool)
    async let audit = AuditEntry.about("subscription", String(subscription.id), in: scope, pool)
    guard let customer = try await Customer.find(id: subscription.customerID, in: scope, pool)
    else { throw Refusal.notFound }
    let bot = try await platform.directory.bot(subscription.botID)
    let known = try await plans
    let titles = Dictionary(known.map { ($0.key, $0.title) }) { first, _ in first }
    let lower = known.filter { plan in
      !plan.isWithdrawn && plan.kind != .custom && (plan.stars ?? 0) < subscription.stars
        && plan.key != subscription.nextPlan
    }
    let rank = try await tiers.first { $0.key == subscription.tier }
    return SubscriptionView(
      row: SubscriptionRow(subscription), customer: CustomerLabel(customer),
      botUsername: bot?.username ?? "", tier: rank?.title ?? subscription.tier,
      credits: subscription.creditsPerCycle, startedAt: subscription.startedAt,
      periodStartedAt: subscription.periodStartedAt,
      accessEndsAt: subscription.accessEndsAt.unlessNever,
      renewalEndedBy: subscription.renewal == .on
        ? nil
        : subscription.renewalEndedBy.flatMap { .init(rawValue: $0.rawValue) },
      wish: subscription.wish.flatMap { wish in
        guard let wish = SubscriptionWish(rawValue: wish.rawValue), let at = subscription.wishAt
        else { return nil }
        return .init(wish: wish, by: subscription.wishBy ?? "", at: at)
      },
      renewalError: subscription.renewalError,
      nextPlan: subscription.nextPlan.map { titles[$0] ?? $0 },
      firstPayment: PaymentKey(subscription.botID, subscription.firstChargeID),
      cycles: try await cycles.map { .init($0, of: subscription) },
      changes: try await changes.map { .init($0, of: subscription, titles) },
      deeds: membership.role >= .manager ? subscription.deeds(hasLower: !lower.isEmpty) : [],
      lower: lower.map { .init(key: $0.key, title: $0.title) },
      audit: try await audit.map(PaymentView.AuditLine.init))
  }
}

extension Subscription {
  /// What an operator may do about it now.
  fileprivate func deeds(hasLower: Bool) -> [SubscriptionView.Deed] {
    guard state.isRunning else { return [] }
    if planKind == .custom { return [.end] }
    guard isRecurring else { return [] }
    // What Telegram is being asked counts, so that the button for the way back is there.
    let isGoingOn = wish == .cancel ? false : renewal == .on || renewal == .failed || wish == .allow
    var deeds: [SubscriptionView.Deed] = isGoingOn ? [.cancellation] : [.reactivation]
    if renewal == .allowed, wish == nil { deeds = [.cancellation] }
    if hasLower { deeds.append(.downgrade) }
    return deeds
  }
}
