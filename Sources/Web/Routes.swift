import EStars
import Foundation
import HTTPTypes

/// Every address of the product: method, path, who may, and what answers.
struct Route: Sendable {
  /// Who may enter, with the handler that such a caller reaches.
  enum Door: Sendable {
    /// Anybody, and everybody gets the same.
    case page(@Sendable (Pages) -> StaticBytes)
    case anyone(@Sendable (Server, Inbound) async throws -> Reply)
    /// A browser whose password was right and whose second factor is still to come.
    case awaitingTOTP(@Sendable (SessionCall) async throws -> Reply)
    /// A signed-in operator.
    case session(@Sendable (SessionCall) async throws -> Reply)
    /// A member of the workspace in the path, with this role or a higher one.
    case member(Role, @Sendable (Visit) async throws -> Reply)
    /// A signed-in admin of the platform, whose second factor is on.
    case admin(@Sendable (AdminCall) async throws -> Reply)
    /// A bot whose API key has this scope.
    case key(APIKey.Scope, @Sendable (BotCall) async throws -> Reply)
    /// Telegram, with the bot's webhook secret.
    case webhook(@Sendable (WebhookCall) async throws -> Reply)
  }

  let method: HTTPRequest.Method
  let path: String
  let door: Door

  init(_ method: HTTPRequest.Method, _ path: String, _ door: Door) {
    self.method = method
    self.path = path
    self.door = door
  }

  static let all =
    SitePlace.routes + applications + firstSteps + pilots + admin + rest

  /// What stands with no part of its own.
  private static let rest: [Route] = [
    Route(.get, "/docs", .anyone(SiteController.docs)),
    Route(.get, "/docs/:page", .anyone(SiteController.docs)),
    Route(.get, "/pt-br/docs", .anyone(SiteController.docs)),
    Route(.get, "/pt-br/docs/:page", .anyone(SiteController.docs)),
    Route(.get, Sitemap.path, .page(\.sitemap.xml)),
    Route(.get, Sitemap.robotsPath, .page(\.sitemap.robots)),
    Route(.get, "/openapi.json", .page(\.openAPI.bytes)),
    Route(.get, "/assets/:asset", .anyone(SiteController.asset)),
    Route(.get, "/favicon.ico", .anyone(SiteController.favicon)),
    Route(.get, "/healthz", .anyone(HealthController.live)),
    Route(.get, "/readyz", .anyone(HealthController.ready)),

    Route(.get, "/login", .anyone(LoginController.new)),
    Route(.post, "/login", .anyone(LoginController.create)),
    Route(.get, "/login/totp", .awaitingTOTP(LoginTOTPController.new)),
    Route(.post, "/login/totp", .awaitingTOTP(LoginTOTPController.create)),
    Route(.post, "/logout", .session(LoginController.destroy)),
    Route(.get, "/invitations/:token", .anyone(InvitationController.show)),
    Route(.post, "/invitations/:token", .anyone(InvitationController.create)),
    Route(.get, "/resets/:token", .anyone(ResetController.show)),
    Route(.post, "/resets/:token", .anyone(ResetController.create)),
    Route(.get, "/account", .session(AccountController.show)),
    Route(.post, "/account", .session(AccountController.update)),
    Route(.post, "/account/password", .session(AccountPasswordController.create)),
    Route(.get, "/account/totp", .session(AccountTOTPController.show)),
    Route(.post, "/account/totp", .session(AccountTOTPController.create)),
    Route(
      .post, "/account/totp/confirmation", .session(AccountTOTPConfirmationController.create)),
    Route(.post, "/account/totp/removal", .session(AccountTOTPRemovalController.create)),
    Route(.post, "/account/totp/recovery-codes", .session(RecoveryCodesController.create)),
    Route(.get, "/account/sessions", .session(AccountSessionsController.index)),
    Route(
      .post, "/account/sessions/revocation", .session(AccountSessionsRevocationController.create)),
    Route(
      .post, "/account/sessions/:session/revocation",
      .session(AccountSessionRevocationController.create)),
    Route(.get, "/workspaces", .session(WorkspacesController.index)),
    Route(.get, "/w/:workspace", .member(.viewer, OverviewController.show)),
    Route(.get, "/w/:workspace/analytics", .member(.viewer, AnalyticsController.show)),
    Route(.get, "/w/:workspace/customers", .member(.viewer, CustomersController.index)),
    Route(.get, "/w/:workspace/customers/new", .member(.manager, CustomersController.new)),
    Route(.post, "/w/:workspace/customers", .member(.manager, CustomersController.create)),
    Route(.get, "/w/:workspace/customers/:customer", .member(.viewer, CustomersController.show)),
    Route(
      .get, "/w/:workspace/customers/:customer/grants/new",
      .member(.support, CreditGrantsController.new)),
    Route(
      .post, "/w/:workspace/customers/:customer/grants",
      .member(.support, CreditGrantsController.create)),
    Route(
      .get, "/w/:workspace/customers/:customer/credit-answers/new",
      .member(.support, CreditAnswersController.new)),
    Route(
      .post, "/w/:workspace/customers/:customer/credit-answers",
      .member(.support, CreditAnswersController.create)),
    Route(
      .get, "/w/:workspace/customers/:customer/erasure",
      .member(.manager, ErasureController.show)),
    Route(
      .post, "/w/:workspace/customers/:customer/erasure",
      .member(.manager, ErasureController.create)),
    Route(
      .get, "/w/:workspace/customers/:customer/lots/:unit/:lot",
      .member(.viewer, LotsController.show)),
    Route(.get, "/w/:workspace/credit-policy", .member(.viewer, CreditPolicyController.show)),
    Route(.post, "/w/:workspace/credit-policy", .member(.owner, CreditPolicyController.update)),
    Route(.get, "/w/:workspace/holds", .member(.viewer, HoldsController.index)),
    Route(.get, "/w/:workspace/holds/:hold", .member(.viewer, HoldsController.show)),
    Route(
      .post, "/w/:workspace/holds/:hold/release", .member(.manager, HoldReleaseController.create)),
    Route(.get, "/w/:workspace/checkouts", .member(.viewer, CheckoutsController.index)),
    Route(.get, "/w/:workspace/checkouts/:checkout", .member(.viewer, CheckoutsController.show)),
    Route(
      .post, "/w/:workspace/checkouts/:checkout/cancellation",
      .member(.support, CheckoutCancellationController.create)),
    Route(
      .get, "/w/:workspace/customers/:customer/checkouts/new",
      .member(.support, CheckoutsController.new)),
    Route(
      .post, "/w/:workspace/customers/:customer/checkouts",
      .member(.support, CheckoutsController.create)),
    Route(.get, "/w/:workspace/carts", .member(.viewer, CartsController.index)),
    Route(.post, "/w/:workspace/carts", .member(.manager, CartsController.update)),
    Route(.get, "/w/:workspace/alerts", .member(.viewer, AlertsController.index)),
    Route(
      .post, "/w/:workspace/alerts/acknowledgement",
      .member(.manager, AlertAcknowledgementController.update)),
    Route(.get, "/w/:workspace/alerts/:alert", .member(.viewer, AlertsController.show)),
    Route(
      .post, "/w/:workspace/alerts/:alert/acknowledgement",
      .member(.manager, AlertAcknowledgementController.create)),
    Route(.get, "/w/:workspace/alert-rules", .member(.viewer, AlertRulesController.index)),
    Route(
      .post, "/w/:workspace/alert-rules/:kind", .member(.manager, AlertRulesController.update)),
    Route(
      .post, "/w/:workspace/alert-rules/:kind/mute", .member(.manager, AlertMuteController.create)
    ),
    Route(.get, "/w/:workspace/alert-chats", .member(.viewer, AlertChatsController.index)),
    Route(.post, "/w/:workspace/alert-chats", .member(.manager, AlertChatsController.create)),
    Route(
      .post, "/w/:workspace/alert-chats/:bot/:chat/test",
      .member(.manager, AlertChatTestController.create)),
    Route(
      .post, "/w/:workspace/alert-chats/:bot/:chat/removal",
      .member(.manager, AlertChatRemovalController.create)),
    Route(.get, "/w/:workspace/payments", .member(.viewer, PaymentsController.index)),
    Route(.get, "/w/:workspace/payments/:bot/:charge", .member(.viewer, PaymentsController.show)),
    Route(.get, "/w/:workspace/subscriptions", .member(.viewer, SubscriptionsController.index)),
    Route(
      .get, "/w/:workspace/subscriptions/:subscription",
      .member(.viewer, SubscriptionsController.show)),
    Route(
      .post, "/w/:workspace/subscriptions/:subscription/cancellation",
      .member(.manager, SubscriptionCancellationController.create)),
    Route(
      .post, "/w/:workspace/subscriptions/:subscription/reactivation",
      .member(.manager, SubscriptionReactivationController.create)),
    Route(
      .post, "/w/:workspace/subscriptions/:subscription/downgrade",
      .member(.manager, SubscriptionDowngradeController.create)),
    Route(
      .post, "/w/:workspace/subscriptions/:subscription/end",
      .member(.manager, SubscriptionEndController.create)),
    Route(
      .get, "/w/:workspace/customers/:customer/subscriptions/new",
      .member(.manager, NewSubscriptionController.new)),
    Route(
      .post, "/w/:workspace/customers/:customer/subscriptions",
      .member(.manager, NewSubscriptionController.create)),
    Route(
      .post, "/w/:workspace/payments/:bot/:charge/receipts",
      .member(.support, ReceiptsController.create)),
    Route(.get, "/w/:workspace/refunds", .member(.viewer, RefundsController.index)),
    Route(.post, "/w/:workspace/refunds", .member(.support, RefundsController.create)),
    Route(.get, "/w/:workspace/refunds/:refund", .member(.viewer, RefundsController.show)),
    Route(
      .post, "/w/:workspace/refunds/:refund/approval",
      .member(.manager, RefundApprovalController.create)),
    Route(
      .post, "/w/:workspace/refunds/:refund/goodwill",
      .member(.manager, RefundGoodwillController.create)),
    Route(
      .post, "/w/:workspace/refunds/:refund/decline",
      .member(.manager, RefundDeclineController.create)),
    Route(
      .post, "/w/:workspace/refunds/:refund/withdrawal",
      .member(.manager, RefundWithdrawalController.create)),
    Route(.get, "/w/:workspace/support-cases", .member(.viewer, SupportCasesController.index)),
    Route(
      .get, "/w/:workspace/support-cases/:support_case",
      .member(.viewer, SupportCasesController.show)),
    Route(
      .post, "/w/:workspace/support-cases/:support_case/replies",
      .member(.support, SupportRepliesController.create)),
    Route(
      .post, "/w/:workspace/support-cases/:support_case/notes",
      .member(.support, SupportNotesController.create)),
    Route(
      .post, "/w/:workspace/support-cases/:support_case/assignment",
      .member(.support, SupportAssignmentController.create)),
    Route(
      .post, "/w/:workspace/support-cases/:support_case/closure",
      .member(.support, SupportClosureController.create)),
    Route(
      .post, "/w/:workspace/support-cases/:support_case/reopening",
      .member(.support, SupportReopeningController.create)),
    Route(
      .get, "/w/:workspace/customers/:customer/support-cases/new",
      .member(.support, SupportCasesController.new)),
    Route(
      .post, "/w/:workspace/customers/:customer/support-cases",
      .member(.support, SupportCasesController.create)),
    Route(.post, "/w/:workspace/support-sla", .member(.manager, SupportSLAController.update)),
    Route(
      .get, "/w/:workspace/reply-templates", .member(.viewer, ReplyTemplatesController.index)),
    Route(
      .post, "/w/:workspace/reply-templates", .member(.manager, ReplyTemplatesController.create)),
    Route(
      .get, "/w/:workspace/reply-templates/new", .member(.manager, ReplyTemplatesController.new)),
    Route(
      .get, "/w/:workspace/reply-templates/:reply_template",
      .member(.viewer, ReplyTemplatesController.show)),
    Route(
      .post, "/w/:workspace/reply-templates/:reply_template",
      .member(.manager, ReplyTemplatesController.update)),
    Route(
      .post, "/w/:workspace/reply-templates/:reply_template/removal",
      .member(.manager, ReplyTemplateRemovalController.create)),
    Route(.get, "/w/:workspace/refund-policy", .member(.viewer, RefundPolicyController.show)),
    Route(.post, "/w/:workspace/refund-policy", .member(.owner, RefundPolicyController.update)),

    Route(.get, "/w/:workspace/packs", .member(.viewer, PacksController.index)),
    Route(.get, "/w/:workspace/packs/new", .member(.manager, PacksController.new)),
    Route(.post, "/w/:workspace/packs", .member(.manager, PacksController.create)),
    Route(.get, "/w/:workspace/packs/:sku", .member(.viewer, PacksController.show)),
    Route(.post, "/w/:workspace/packs/:sku", .member(.manager, PacksController.update)),
    Route(
      .post, "/w/:workspace/packs/:sku/withdrawal",
      .member(.manager, PackWithdrawalController.create)),
    Route(
      .post, "/w/:workspace/packs/:sku/restoration",
      .member(.manager, PackRestorationController.create)),
    Route(
      .post, "/w/:workspace/packs/:sku/discounts", .member(.manager, DiscountsController.create)),
    Route(
      .post, "/w/:workspace/packs/:sku/discounts/:percent/withdrawal",
      .member(.manager, DiscountWithdrawalController.create)),
    Route(
      .post, "/w/:workspace/packs/:sku/discounts/:percent/restoration",
      .member(.manager, DiscountRestorationController.create)),
    Route(.get, "/w/:workspace/rates", .member(.viewer, RatesController.show)),
    Route(.post, "/w/:workspace/rates", .member(.owner, RatesController.update)),
    Route(.get, "/w/:workspace/staff", .member(.viewer, StaffController.index)),
    Route(.post, "/w/:workspace/staff", .member(.manager, StaffController.create)),
    Route(
      .post, "/w/:workspace/staff/:telegram_id/removal",
      .member(.manager, StaffRemovalController.create)),

    Route(.get, "/w/:workspace/actions", .member(.viewer, ActionsController.index)),
    Route(.get, "/w/:workspace/actions/new", .member(.manager, ActionsController.new)),
    Route(.post, "/w/:workspace/actions", .member(.manager, ActionsController.create)),
    Route(.get, "/w/:workspace/actions/:action", .member(.viewer, ActionsController.show)),
    Route(.post, "/w/:workspace/actions/:action", .member(.manager, ActionsController.update)),
    Route(
      .post, "/w/:workspace/actions/:action/withdrawal",
      .member(.manager, ActionWithdrawalController.create)),
    Route(
      .post, "/w/:workspace/actions/:action/restoration",
      .member(.manager, ActionRestorationController.create)),
    Route(.get, "/w/:workspace/tiers", .member(.viewer, TiersController.index)),
    Route(.post, "/w/:workspace/tiers", .member(.manager, TiersController.create)),
    Route(.post, "/w/:workspace/tiers/:tier", .member(.manager, TiersController.update)),
    Route(
      .post, "/w/:workspace/tiers/:tier/removal", .member(.manager, TierRemovalController.create)),
    Route(.get, "/w/:workspace/entitlements", .member(.viewer, EntitlementsController.index)),
    Route(.post, "/w/:workspace/entitlements", .member(.manager, EntitlementsController.create)),
    Route(
      .post, "/w/:workspace/entitlements/:entitlement",
      .member(.manager, EntitlementsController.update)),
    Route(.get, "/w/:workspace/plans", .member(.viewer, PlansController.index)),
    Route(.get, "/w/:workspace/plans/new", .member(.manager, PlansController.new)),
    Route(.post, "/w/:workspace/plans", .member(.manager, PlansController.create)),
    Route(.get, "/w/:workspace/plans/:plan", .member(.viewer, PlansController.show)),
    Route(.post, "/w/:workspace/plans/:plan", .member(.manager, PlansController.update)),
    Route(
      .post, "/w/:workspace/plans/:plan/withdrawal",
      .member(.manager, PlanWithdrawalController.create)),
    Route(
      .post, "/w/:workspace/plans/:plan/restoration",
      .member(.manager, PlanRestorationController.create)),
    Route(.get, "/w/:workspace/paywall", .member(.viewer, PaywallController.show)),
    Route(.post, "/w/:workspace/paywall", .member(.manager, PaywallController.update)),
    Route(.post, "/w/:workspace/paywall/reset", .member(.manager, PaywallResetController.create)),
    Route(.get, "/w/:workspace/trials", .member(.viewer, TrialsController.index)),
    Route(.post, "/w/:workspace/trials", .member(.manager, TrialsController.update)),
    Route(.get, "/w/:workspace/events", .member(.viewer, EventsController.index)),
    Route(.get, "/w/:workspace/events/:event", .member(.viewer, EventsController.show)),
    Route(
      .post, "/w/:workspace/events/:event/replay",
      .member(.manager, EventReplayController.create)),
    Route(
      .get, "/w/:workspace/bots/:bot/event-address",
      .member(.viewer, EventAddressController.show)),
    Route(
      .post, "/w/:workspace/bots/:bot/event-address",
      .member(.owner, EventAddressController.create)),
    Route(
      .post, "/w/:workspace/bots/:bot/event-address/rotation",
      .member(.owner, EventAddressRotationController.create)),
    Route(
      .post, "/w/:workspace/bots/:bot/event-address/removal",
      .member(.owner, EventAddressRemovalController.create)),
    Route(
      .post, "/w/:workspace/bots/:bot/event-address/test",
      .member(.owner, EventAddressTestController.create)),
    Route(
      .get, "/w/:workspace/reconciliation", .member(.viewer, ReconciliationController.index)),
    Route(
      .post, "/w/:workspace/reconciliation/runs",
      .member(.manager, ReconciliationController.create)),
    Route(
      .post, "/w/:workspace/reconciliation/rule",
      .member(.owner, ReconciliationRuleController.update)),
    Route(
      .get, "/w/:workspace/reconciliation/mismatches/:mismatch",
      .member(.viewer, MismatchesController.show)),
    Route(
      .post, "/w/:workspace/reconciliation/mismatches/:mismatch/fix",
      .member(.manager, MismatchFixController.create)),
    Route(
      .post, "/w/:workspace/reconciliation/mismatches/:mismatch/acceptance",
      .member(.manager, MismatchAcceptanceController.create)),
    Route(.get, "/w/:workspace/bots", .member(.viewer, BotsController.index)),
    Route(.post, "/w/:workspace/bots", .member(.owner, BotsController.create)),
    Route(.get, "/w/:workspace/bots/new", .member(.owner, BotsController.new)),
    Route(.get, "/w/:workspace/bots/:bot", .member(.viewer, BotsController.show)),
    Route(
      .get, "/w/:workspace/bots/:bot/connection", .member(.owner, BotConnectionController.show)),
    Route(
      .post, "/w/:workspace/bots/:bot/connection", .member(.owner, BotConnectionController.create)
    ),
    Route(
      .post, "/w/:workspace/bots/:bot/disconnection",
      .member(.owner, BotDisconnectionController.create)),
    Route(.post, "/w/:workspace/bots/:bot/token", .member(.owner, BotTokenController.create)),
    Route(
      .post, "/w/:workspace/bots/:bot/receipts", .member(.manager, BotReceiptsController.update)),
    Route(
      .post, "/w/:workspace/bots/:bot/commands", .member(.owner, BotCommandsController.create)),
    Route(.get, "/w/:workspace/bots/:bot/replies", .member(.viewer, BotRepliesController.show)),
    Route(
      .post, "/w/:workspace/bots/:bot/replies", .member(.manager, BotRepliesController.update)),
    Route(.get, "/w/:workspace/keys", .member(.viewer, KeysController.index)),
    Route(.post, "/w/:workspace/keys", .member(.owner, KeysController.create)),
    Route(.get, "/w/:workspace/keys/new", .member(.owner, KeysController.new)),
    Route(.get, "/w/:workspace/keys/:key", .member(.viewer, KeysController.show)),
    Route(
      .post, "/w/:workspace/keys/:key/rotation", .member(.owner, KeyRotationController.create)),
    Route(
      .post, "/w/:workspace/keys/:key/revocation", .member(.owner, KeyRevocationController.create)
    ),

    Route(.get, "/w/:workspace/team", .member(.viewer, TeamController.index)),
    Route(.get, "/w/:workspace/team/:operator", .member(.viewer, TeamController.show)),
    Route(
      .post, "/w/:workspace/team/:operator/role", .member(.owner, MemberRoleController.create)),
    Route(
      .post, "/w/:workspace/team/:operator/removal",
      .member(.owner, MemberRemovalController.create)),
    Route(
      .post, "/w/:workspace/team/:operator/resets", .member(.owner, MemberResetController.create)),
    Route(.post, "/w/:workspace/invitations", .member(.owner, InvitationsController.create)),
    Route(
      .post, "/w/:workspace/invitations/:invitation/revocation",
      .member(.owner, InvitationRevocationController.create)),
    Route(.get, "/w/:workspace/audit", .member(.viewer, AuditController.index)),
    Route(.get, "/w/:workspace/gates", .member(.viewer, GatesController.index)),

    Route(.get, "/v1/catalog", .key(.read, CatalogEndpoint.show)),
    Route(.get, "/v1/customers/:user", .key(.read, CustomerEndpoint.show)),
    Route(.post, "/v1/checks", .key(.use, CheckEndpoint.create)),
    Route(.post, "/v1/debits", .key(.use, DebitEndpoint.create)),
    Route(.post, "/v1/holds", .key(.use, HoldEndpoint.create)),
    Route(.get, "/v1/holds/:hold", .key(.read, HoldEndpoint.show)),
    Route(.post, "/v1/holds/:hold/commit", .key(.use, HoldCommitEndpoint.create)),
    Route(.post, "/v1/holds/:hold/release", .key(.use, HoldReleaseEndpoint.create)),
    Route(.post, "/v1/trial-grants", .key(.use, TrialGrantEndpoint.create)),
    Route(.post, "/v1/checkouts", .key(.sell, CheckoutEndpoint.create)),
    Route(.post, "/v1/subscriptions", .key(.sell, SubscriptionEndpoint.create)),
    Route(
      .post, "/v1/subscriptions/:user/cancellation", .key(.sell, SubscriptionAskEndpoint.cancel)),
    Route(
      .post, "/v1/subscriptions/:user/reactivation",
      .key(.sell, SubscriptionAskEndpoint.reactivate)),
    Route(
      .post, "/v1/subscriptions/:user/downgrade", .key(.sell, SubscriptionAskEndpoint.downgrade)),
    Route(.post, "/v1/support-cases", .key(.support, SupportCaseEndpoint.create)),
    Route(.post, "/v1/updates", .key(.sell, UpdateEndpoint.create)),

    Route(.post, "/telegram/:bot", .webhook(TelegramWebhook.create)),
  ]

  var bodyLimit: Int {
    switch door {
    case .page, .anyone, .awaitingTOTP, .session, .member, .admin: ServingLimits.formBodyBytes
    case .key, .webhook: ServingLimits.jsonBodyBytes
    }
  }

  /// Whether callers of this path are programs: they get problem objects, people get pages.
  static func isForMachines(_ path: String) -> Bool {
    ["/v1", "/telegram", "/healthz", "/readyz"].contains { path == $0 || path.hasPrefix($0 + "/") }
  }

  /// What to say where no route fits: 405 when the path exists for another method.
  static func unrouted(_ method: HTTPRequest.Method, _ path: String) -> Refusal {
    let parts = path.split(separator: "/")
    let methods = all.filter { route in
      let pattern = route.path.split(separator: "/")
      return pattern.count == parts.count
        && zip(pattern, parts).allSatisfy { $0.hasPrefix(":") || $0 == $1 }
    }.map(\.method.rawValue)
    guard !methods.isEmpty else { return .notFound }
    var refusal = Refusal(
      .methodNotAllowed, "method_not_allowed",
      "This address answers \(methods.joined(separator: " and ")) only.")
    refusal.headers[.allow] = methods.joined(separator: ", ")
    return refusal
  }
}
