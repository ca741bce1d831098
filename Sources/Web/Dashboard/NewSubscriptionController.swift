import EStars
import Foundation
import HTTPTypes

/// A plan that an operator gives to a customer: one by agreement, or the trial of a paid one.
enum NewSubscriptionController {
  @Sendable static func new(_ visit: Visit) async throws -> Reply {
    let (view, _, _) = try await visit.newSubscription()
    return try await visit.page(view.render)
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let form = try visit.inbound.form()
    let (view, customer, bots) = try await visit.newSubscription()
    var draft = NewSubscriptionView.Draft(
      plan: visit.inbound.words(form["plan"]), bot: visit.inbound.words(form["bot"]),
      days: visit.inbound.words(form["days"]), reason: visit.inbound.words(form["reason"]))
    let offer = view.offers.first { $0.key == draft.plan }
    let days = Typed.whole(draft.days, 1...Int64(Limits.grantValidDays))
    if offer == nil { draft.problems.append(.plan) }
    if !draft.days.isEmpty {
      if days == nil {
        draft.problems.append(.days)
      } else if offer?.trialDays != nil {
        draft.problems.append(.trialDays)
      }
    }
    if draft.reason.isEmpty { draft.problems.append(.missing) }
    if draft.reason.unicodeScalars.count > Limits.noteCharacters { draft.problems.append(.long) }
    func again(_ status: HTTPResponse.Status) async throws -> Reply {
      var view = view
      view.draft = draft
      return try await visit.page(view.render, status)
    }
    guard draft.problems.isEmpty, let offer,
      let bot = bots.first(where: { String($0.id) == draft.bot }) ?? bots.first
    else { return try await again(.unprocessableContent) }
    do {
      let subscription = try await visit.give(offer, days: days, draft, to: customer, with: bot)
      return .seeOther(Links.subscription(visit.workspace.slug, subscription.id))
    } catch let refusal as SubscriptionRefusal {
      if refusal == .notFound { throw Refusal.notFound }
      let problems: [SubscriptionRefusal: NewSubscriptionView.Problem] = [
        .trialUsed: .trialUsed, .alreadySubscribed: .alreadySubscribed,
      ]
      draft.problems = [problems[refusal] ?? .plan]
      return try await again(.conflict)
    } catch is Workspace.Suspended {
      draft.problems = [.suspended]
      return try await again(.conflict)
    }
  }
}

extension Visit {
  /// The empty form for the customer in the path, and who it is about.
  fileprivate func newSubscription() async throws -> (NewSubscriptionView, Customer, [Bot]) {
    let customer = try await livingCustomer()
    let plans = try await Plan.all(in: scope, platform.pool).filter {
      !$0.isWithdrawn && ($0.kind == .custom || $0.hasTrial)
    }
    let bots = try await Bot.all(in: scope, platform.pool).filter(\.isConnected)
    let present = try await Subscription.current(of: customer.id, in: scope, platform.pool)
    let view = NewSubscriptionView(
      customer: CustomerLabel(customer), present: present.map(SubscriptionRow.init),
      offers: plans.map {
        .init(key: $0.key, title: $0.title, trialDays: $0.kind == .custom ? nil : $0.trialDays)
      }, bots: bots.map { .init(key: String($0.id), title: "@" + $0.username) })
    return (view, customer, bots)
  }

  /// - Throws: ``SubscriptionRefusal``
  fileprivate func give(
    _ offer: NewSubscriptionView.Offer, days: Int64?, _ draft: NewSubscriptionView.Draft,
    to customer: Customer, with bot: Bot
  ) async throws -> Subscription {
    if offer.trialDays != nil {
      return try await Subscription.startTrial(
        TrialStart(telegramID: customer.telegramID, plan: offer.key, idempotencyKey: nil),
        with: bot,
        by: actor, in: scope, platform.pool
      ).subscription
    }
    let until = days.map { scope.now.addingTimeInterval(Double($0) * 86_400) }
    return try await Subscription.give(
      PlanGift(plan: offer.key, customerID: customer.id, until: until, reason: draft.reason),
      with: bot, by: actor, in: scope, platform.pool)
  }
}
