import EStars
import Foundation
import HTTPTypes

/// `POST /v1/subscriptions`: begins the trial of a plan. A paid subscription begins with a payment;
/// see ``CheckoutEndpoint``.
enum SubscriptionEndpoint {
  private struct Request: Decodable {
    let user: Int64
    let plan: String
  }

  @Sendable static func create(_ call: BotCall) async throws -> Reply {
    let key = try call.idempotencyKey()
    let sent = try call.inbound.json(Request.self)
    let user = try UserID.check(sent.user)
    let plan = try SubscriptionAnswer.plan(sent.plan)
    try await Newcomers.admit(user, call)
    do {
      let (subscription, isReplay) = try await Subscription.startTrial(
        TrialStart(telegramID: user, plan: plan, idempotencyKey: key), with: call.bot,
        by: call.actor, in: call.scope, call.platform.pool)
      return try await SubscriptionAnswer.reply(
        subscription, isReplay: isReplay, status: .created, call)
    } catch let refusal as SubscriptionRefusal {
      throw Refusal.of(refusal)
    } catch Checkout.Refusal.keyReused { throw Refusal.keyReused }
  }
}

/// `POST /v1/subscriptions/{user}/cancellation` and its like: Telegram is asked, and what it has not
/// confirmed is not told as done.
enum SubscriptionAskEndpoint {
  private struct Request: Decodable {
    let plan: String?
  }

  private struct DowngradeRequest: Decodable {
    let plan: String
  }

  @Sendable static func cancel(_ call: BotCall) async throws -> Reply {
    try await ask(.cancellation, call)
  }

  @Sendable static func reactivate(_ call: BotCall) async throws -> Reply {
    try await ask(.reactivation, call)
  }

  @Sendable static func downgrade(_ call: BotCall) async throws -> Reply {
    let sent = try call.inbound.json(DowngradeRequest.self)
    return try await ask(.downgrade(try SubscriptionAnswer.plan(sent.plan)), of: nil, call)
  }

  private static func ask(_ deed: SubscriptionAsk.Deed, _ call: BotCall) async throws -> Reply {
    let sent = call.inbound.body.isEmpty ? nil : try call.inbound.json(Request.self).plan
    return try await ask(deed, of: try sent.map(SubscriptionAnswer.plan), call)
  }

  private static func ask(
    _ deed: SubscriptionAsk.Deed, of plan: String?, _ call: BotCall
  ) async throws -> Reply {
    let key = try call.idempotencyKey()
    let user = try UserID.parse(call.inbound.parameters["user"])
    try await Newcomers.admit(user, call)
    do {
      let (subscription, isReplay) = try await Subscription.ask(
        SubscriptionAsk(deed, telegramID: user, plan: plan, idempotencyKey: key), by: call.actor,
        in: call.scope, call.platform.pool)
      return try await SubscriptionAnswer.reply(
        subscription, isReplay: isReplay, status: .accepted, call)
    } catch let refusal as SubscriptionRefusal {
      throw Refusal.of(refusal)
    } catch Checkout.Refusal.keyReused { throw Refusal.keyReused }
  }
}

/// A subscription as a bot is told of it.
struct SubscriptionBody: Encodable {
  let id: Int64
  let plan: String
  let title: String
  let state: String
  /// As Telegram has confirmed it.
  let renewal: String
  /// What Telegram was asked and has not confirmed.
  let asked: String?
  let trial: Bool
  let stars: Int64
  /// Absent when it has no end, and so is the next one.
  let periodEndsAt: Date?
  let accessEndsAt: Date?
  let nextPlan: String?

  /// - Parameter title: of the plan, in the reader's language.
  init(_ subscription: Subscription, title: String) {
    id = subscription.id
    plan = subscription.plan
    self.title = title
    state = subscription.state.rawValue
    renewal = subscription.renewal.rawValue
    asked = subscription.wish?.rawValue
    trial = subscription.isTrial
    stars = subscription.stars
    periodEndsAt = subscription.periodEndsAt.unlessNever
    accessEndsAt = subscription.accessEndsAt.unlessNever
    nextPlan = subscription.nextPlan
  }
}

/// What writes about subscriptions answer with.
struct SubscriptionAnswer: Encodable {
  let subscription: SubscriptionBody

  static func reply(
    _ subscription: Subscription, isReplay: Bool, status: HTTPResponse.Status, _ call: BotCall
  ) async throws -> Reply {
    let (scope, pool) = (call.scope, call.platform.pool)
    let customer = try await Customer.find(id: subscription.customerID, in: scope, pool)
    let title = try await subscription.title(for: customer, call)
    var reply = try Reply.json(
      SubscriptionAnswer(subscription: SubscriptionBody(subscription, title: title)),
      status: isReplay ? .ok : status)
    if isReplay { reply.headers[.idempotencyReplayed] = "true" }
    return reply
  }

  /// - Throws: ``Refusal``
  static func plan(_ key: String) throws -> String {
    guard Typed.isKey(key, max: 32) else { throw Refusal.of(.unknownPlan) }
    return key
  }
}

extension Subscription {
  /// What its plan is called in the language of the customer, else of the workspace.
  func title(for customer: Customer?, _ call: BotCall) async throws -> String {
    let plan = try await Plan.find(plan, in: call.scope, call.platform.pool)
    return plan?.title(PackBody.language(nil, of: customer, in: call.workspace)) ?? planTitle
  }
}

extension BotCall {
  var actor: Actor { Actor(.bot, bot.username) }
}

extension Refusal {
  static func of(_ refusal: SubscriptionRefusal) -> Refusal {
    switch refusal {
    case .notFound:
      Refusal(
        .notFound, "no_subscription",
        "This user has no subscription that runs, or none of this plan.")
    case .unknownPlan, .notCustom:
      Refusal(.unprocessableContent, "unknown_plan", "No plan of that key is on sale.")
    case .noTrial:
      Refusal(
        .unprocessableContent, "no_trial", "This plan is not tried. Open a checkout of it instead.")
    case .trialUsed:
      Refusal(.conflict, "trial_used", "This user has had this plan or its trial before.")
    case .alreadySubscribed:
      Refusal(.conflict, "already_subscribed", "This user has a subscription that runs.")
    case .notRenewable, .pastEnd:
      Refusal(
        .conflict, "not_renewable",
        "Telegram renews nothing here: it is a trial, a plan by agreement, or over.")
    case .notLower:
      Refusal(
        .unprocessableContent, "not_lower",
        "A plan to move down to costs less. For a dearer one open a checkout.")
    }
  }
}
