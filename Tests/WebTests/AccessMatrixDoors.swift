extension AccessMatrixTests {
  /// Written out so that a route cannot change its door unnoticed.
  static let doors = """
    GET / anyone
    GET /assets/:asset anyone
    GET /docs anyone
    GET /docs/:page anyone
    GET /favicon.ico anyone
    GET /healthz anyone
    GET /margin anyone
    GET /compare/tribute anyone
    GET /faq anyone
    GET /gates anyone
    GET /security anyone
    GET /privacy anyone
    GET /terms anyone
    GET /how-it-works anyone
    GET /login anyone
    GET /openapi.json anyone
    GET /pt-br anyone
    GET /pt-br/docs anyone
    GET /pt-br/docs/:page anyone
    GET /pt-br/margin anyone
    GET /pt-br/compare/tribute anyone
    GET /pt-br/faq anyone
    GET /pt-br/gates anyone
    GET /pt-br/security anyone
    GET /pt-br/privacy anyone
    GET /pt-br/terms anyone
    GET /pt-br/how-it-works anyone
    GET /readyz anyone
    GET /robots.txt anyone
    GET /sitemap.xml anyone
    GET /telegram/:bot none
    GET /v1/catalog key read
    GET /v1/customers/:user key read
    GET /v1/holds/:hold key read
    GET /w/:workspace member viewer
    GET /w/:workspace/actions member viewer
    GET /w/:workspace/analytics member viewer
    GET /w/:workspace/actions/:action member viewer
    GET /w/:workspace/actions/new member manager
    GET /w/:workspace/entitlements member viewer
    GET /w/:workspace/paywall member viewer
    GET /w/:workspace/customers/:customer/subscriptions/new member manager
    GET /w/:workspace/subscriptions member viewer
    GET /w/:workspace/subscriptions/:subscription member viewer
    GET /w/:workspace/plans member viewer
    GET /w/:workspace/plans/:plan member viewer
    GET /w/:workspace/plans/new member manager
    GET /w/:workspace/tiers member viewer
    GET /w/:workspace/trials member viewer
    GET /w/:workspace/bots/:bot/event-address member viewer
    GET /w/:workspace/customers member viewer
    GET /w/:workspace/credit-policy member viewer
    GET /w/:workspace/customers/:customer member viewer
    GET /w/:workspace/customers/:customer/grants/new member support
    GET /w/:workspace/customers/:customer/credit-answers/new member support
    POST /w/:workspace/customers/:customer/credit-answers member support
    GET /w/:workspace/customers/:customer/erasure member manager
    POST /w/:workspace/customers/:customer/erasure member manager
    GET /w/:workspace/customers/:customer/lots/:unit/:lot member viewer
    GET /w/:workspace/customers/new member manager
    GET /w/:workspace/holds member viewer
    GET /w/:workspace/holds/:hold member viewer
    GET /w/:workspace/events member viewer
    GET /w/:workspace/events/:event member viewer
    GET /w/:workspace/packs member viewer
    GET /w/:workspace/packs/:sku member viewer
    GET /w/:workspace/packs/new member manager
    GET /w/:workspace/alert-chats member viewer
    GET /w/:workspace/alert-rules member viewer
    GET /w/:workspace/alerts member viewer
    GET /w/:workspace/alerts/:alert member viewer
    GET /w/:workspace/carts member viewer
    GET /w/:workspace/payments member viewer
    GET /w/:workspace/checkouts member viewer
    GET /w/:workspace/checkouts/:checkout member viewer
    GET /w/:workspace/customers/:customer/checkouts/new member support
    GET /w/:workspace/payments/:bot/:charge member viewer
    GET /w/:workspace/rates member viewer
    GET /w/:workspace/reconciliation member viewer
    GET /w/:workspace/reconciliation/mismatches/:mismatch member viewer
    GET /w/:workspace/refund-policy member viewer
    GET /w/:workspace/refunds member viewer
    GET /w/:workspace/refunds/:refund member viewer
    GET /w/:workspace/staff member viewer
    GET /w/:workspace/bots member viewer
    GET /w/:workspace/bots/:bot member viewer
    GET /w/:workspace/bots/:bot/connection member owner
    GET /w/:workspace/bots/:bot/replies member viewer
    GET /w/:workspace/bots/new member owner
    GET /w/:workspace/keys member viewer
    GET /w/:workspace/keys/:key member viewer
    GET /w/:workspace/keys/new member owner
    GET /w/:workspace/team member viewer
    GET /w/:workspace/team/:operator member viewer
    GET /w/:workspace/audit member viewer
    GET /w/:workspace/gates member viewer
    GET /w/:workspace/settings member viewer
    GET /w/:workspace/onboarding member owner
    POST /w/:workspace/onboarding/dismissal member owner
    POST /w/:workspace/onboarding/sandbox-bot member owner
    GET /w/:workspace/onboarding/packs member owner
    POST /w/:workspace/onboarding/packs member owner
    GET /w/:workspace/onboarding/actions member owner
    POST /w/:workspace/onboarding/actions member owner
    GET /w/:workspace/onboarding/key member owner
    POST /w/:workspace/onboarding/key member owner
    GET /w/:workspace/pilot member viewer
    POST /w/:workspace/drill-runs member manager
    GET /w/:workspace/drill-runs/:drill_run member viewer
    POST /w/:workspace/sandbox-bots member owner
    POST /w/:workspace/expansion-requests member owner
    GET /account session
    GET /account/sessions session
    GET /account/totp session
    GET /invitations/:token anyone
    GET /login/totp awaiting totp
    GET /resets/:token anyone
    POST /account session
    POST /account/password session
    POST /account/sessions/:session/revocation session
    POST /account/sessions/revocation session
    POST /account/totp session
    POST /account/totp/confirmation session
    POST /account/totp/recovery-codes session
    POST /account/totp/removal session
    POST /invitations/:token anyone
    POST /login/totp awaiting totp
    POST /resets/:token anyone
    POST /w/:workspace/invitations member owner
    POST /w/:workspace/invitations/:invitation/revocation member owner
    POST /w/:workspace/team/:operator/removal member owner
    POST /w/:workspace/team/:operator/resets member owner
    POST /w/:workspace/team/:operator/role member owner
    GET /workspaces session
    POST /login anyone
    POST /logout session
    POST /telegram/:bot webhook
    POST /v1/checkouts key sell
    POST /v1/checks key use
    POST /v1/debits key use
    POST /v1/holds key use
    POST /v1/holds/:hold/commit key use
    POST /v1/holds/:hold/release key use
    POST /v1/trial-grants key use
    POST /v1/subscriptions key sell
    POST /v1/subscriptions/:user/cancellation key sell
    POST /v1/subscriptions/:user/downgrade key sell
    POST /v1/subscriptions/:user/reactivation key sell
    POST /v1/updates key sell
    POST /w/:workspace/bots member owner
    POST /w/:workspace/alert-chats member manager
    POST /w/:workspace/alert-rules/:kind member manager
    POST /w/:workspace/alert-rules/:kind/mute member manager
    POST /w/:workspace/alerts/:alert/acknowledgement member manager
    POST /w/:workspace/alerts/acknowledgement member manager
    POST /w/:workspace/alert-chats/:bot/:chat/removal member manager
    POST /w/:workspace/alert-chats/:bot/:chat/test member manager
    POST /w/:workspace/bots/:bot/commands member owner
    POST /w/:workspace/bots/:bot/connection member owner
    POST /w/:workspace/bots/:bot/receipts member manager
    POST /w/:workspace/carts member manager
    POST /w/:workspace/payments/:bot/:charge/receipts member support
    POST /w/:workspace/bots/:bot/disconnection member owner
    POST /w/:workspace/bots/:bot/replies member manager
    POST /w/:workspace/bots/:bot/token member owner
    POST /w/:workspace/keys member owner
    POST /w/:workspace/keys/:key/revocation member owner
    POST /w/:workspace/keys/:key/rotation member owner
    POST /w/:workspace/credit-policy member owner
    POST /w/:workspace/customers member manager
    POST /w/:workspace/customers/:customer/grants member support
    POST /w/:workspace/customers/:customer/checkouts member support
    POST /w/:workspace/checkouts/:checkout/cancellation member support
    POST /w/:workspace/actions member manager
    POST /w/:workspace/actions/:action member manager
    POST /w/:workspace/actions/:action/restoration member manager
    POST /w/:workspace/actions/:action/withdrawal member manager
    POST /w/:workspace/entitlements member manager
    POST /w/:workspace/entitlements/:entitlement member manager
    POST /w/:workspace/packs member manager
    POST /w/:workspace/packs/:sku member manager
    POST /w/:workspace/packs/:sku/discounts member manager
    POST /w/:workspace/packs/:sku/discounts/:percent/restoration member manager
    POST /w/:workspace/packs/:sku/discounts/:percent/withdrawal member manager
    POST /w/:workspace/packs/:sku/restoration member manager
    POST /w/:workspace/packs/:sku/withdrawal member manager
    POST /w/:workspace/paywall member manager
    POST /w/:workspace/customers/:customer/subscriptions member manager
    POST /w/:workspace/subscriptions/:subscription/cancellation member manager
    POST /w/:workspace/subscriptions/:subscription/downgrade member manager
    POST /w/:workspace/subscriptions/:subscription/end member manager
    POST /w/:workspace/subscriptions/:subscription/reactivation member manager
    POST /w/:workspace/plans member manager
    POST /w/:workspace/plans/:plan member manager
    POST /w/:workspace/plans/:plan/restoration member manager
    POST /w/:workspace/plans/:plan/withdrawal member manager
    POST /w/:workspace/rates member owner
    POST /w/:workspace/settings member owner
    POST /w/:workspace/staff member manager
    POST /w/:workspace/staff/:telegram_id/removal member manager
    POST /w/:workspace/paywall/reset member manager
    POST /w/:workspace/tiers member manager
    POST /w/:workspace/tiers/:tier member manager
    POST /w/:workspace/tiers/:tier/removal member manager
    POST /w/:workspace/trials member manager
    POST /w/:workspace/bots/:bot/event-address member owner
    POST /w/:workspace/bots/:bot/event-address/removal member owner
    POST /w/:workspace/bots/:bot/event-address/rotation member owner
    POST /w/:workspace/bots/:bot/event-address/test member owner
    POST /w/:workspace/events/:event/replay member manager
    POST /w/:workspace/holds/:hold/release member manager
    POST /w/:workspace/reconciliation/mismatches/:mismatch/acceptance member manager
    POST /w/:workspace/reconciliation/mismatches/:mismatch/fix member manager
    POST /w/:workspace/reconciliation/rule member owner
    POST /w/:workspace/reconciliation/runs member manager
    GET /pilot anyone
    POST /pilot anyone
    GET /pt-br/pilot anyone
    POST /pt-br/pilot anyone
    GET /applications/:token anyone
    POST /applications/:token/answer anyone
    POST /applications/:token/removal anyone
    GET /admin admin
    GET /admin/applications admin
    GET /admin/applications/:application admin
    POST /admin/applications/:application/notes admin
    POST /admin/applications/:application/question admin
    POST /admin/applications/:application/approval admin
    POST /admin/applications/:application/decline admin
    POST /admin/applications/:application/removal admin
    GET /admin/invitation-codes admin
    POST /admin/invitation-codes admin
    POST /admin/invitation-codes/:invitation_code/revocation admin
    GET /admin/workspaces admin
    GET /admin/workspaces/:business admin
    POST /admin/workspaces/:business/invitations admin
    POST /admin/workspaces/:business/suspension admin
    POST /admin/workspaces/:business/resumption admin
    POST /admin/workspaces/:business/visits admin
    POST /admin/expansion-requests/:expansion_request/approval admin
    POST /admin/expansion-requests/:expansion_request/decline admin
    GET /admin/gates admin
    GET /admin/operators admin
    GET /admin/operators/:operator admin
    POST /admin/operators/:operator/resets admin
    GET /admin/audit admin
    POST /v1/support-cases key support
    GET /w/:workspace/support-cases member viewer
    GET /w/:workspace/support-cases/:support_case member viewer
    GET /w/:workspace/customers/:customer/support-cases/new member support
    GET /w/:workspace/reply-templates member viewer
    GET /w/:workspace/reply-templates/:reply_template member viewer
    GET /w/:workspace/reply-templates/new member manager
    POST /w/:workspace/customers/:customer/support-cases member support
    POST /w/:workspace/support-cases/:support_case/replies member support
    POST /w/:workspace/support-cases/:support_case/notes member support
    POST /w/:workspace/support-cases/:support_case/assignment member support
    POST /w/:workspace/support-cases/:support_case/closure member support
    POST /w/:workspace/support-cases/:support_case/reopening member support
    POST /w/:workspace/support-sla member manager
    POST /w/:workspace/reply-templates member manager
    POST /w/:workspace/reply-templates/:reply_template member manager
    POST /w/:workspace/reply-templates/:reply_template/removal member manager
    POST /w/:workspace/refund-policy member owner
    POST /w/:workspace/refunds member support
    POST /w/:workspace/refunds/:refund/approval member manager
    POST /w/:workspace/refunds/:refund/decline member manager
    POST /w/:workspace/refunds/:refund/goodwill member manager
    POST /w/:workspace/refunds/:refund/withdrawal member manager
    """.split(separator: "\n").map(String.init).filter { !$0.hasSuffix("none") }
}
