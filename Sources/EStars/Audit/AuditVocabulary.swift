import Ledger
import Telegram

/// Every action that the audit log may hold, with the facts of its lines. Whoever writes another one
/// is told so by a debug build; pages have words for all of these.
public enum AuditVocabulary {
  /// Facts by action. One that is told for each tier, feature or language stands here without it:
  /// `units_per_day` for `units_per_day:pro`.
  public static let facts: [String: Set<String>] = money.merging(rules) { one, _ in one }
    .merging(desk) { one, _ in one }.merging(connections) { one, _ in one }
    .merging(pilots) { one, _ in one }

  /// What a line may be about.
  public static let subjectKinds: Set<String> = [
    "action", "alert", "alert_rule", "bot", "carts", "checkout", "customer", "drill_run",
    "entitlement", "event", "expansion_request", "hold", "invitation", "key", "mismatch",
    "operator", "pack", "payment", "paywall", "plan", "rates", "refund", "refund_policy",
    "reply_template", "settings", "staff", "subscription",
    "support_case", "tier", "trial_policy", "workspace",
  ]

  /// `units_per_day` for `units_per_day:pro`.
  public static func base(of fact: String) -> String {
    fact.split(separator: ":", maxSplits: 1).first.map(String.init) ?? fact
  }

  /// `refund` for `refund.approved`.
  public static func noun(of action: String) -> String {
    action.split(separator: ".", maxSplits: 1).first.map(String.init) ?? action
  }

  static func knows(_ action: String, _ names: some Sequence<String>, about kind: String) -> Bool {
    guard let known = facts[action], subjectKinds.contains(kind) else { return false }
    return names.allSatisfy { known.contains(base(of: $0)) }
  }

  private static let money: [String: Set<String>] = [
    "checkout.cancelled": ["state"],
    "checkout.opened": ["item", "stars", "delivery"],
    "credit_grant.adjustment": grant, "credit_grant.goodwill": grant, "credit_grant.promo": grant,
    "hold.released": ["state", "credits", "units", "balance"],
    "mismatch.accepted": ["kind", "charge"], "mismatch.fixed": ["kind", "charge"],
    "outage.booked": outage, "outage.uncollected": outage,
    "payment.credited": ["stars", "sku"], "payment.unmatched": ["stars", "sku"],
    "payment.receipt_resent": [], "payment.refunded": refunded.union(["sku"]),
    "reconciliation.asked": [], "reconciliation.rule_set": ["reconciles_by_itself"],
    "refund.approved": ["state", "stars", "credits_held", "used", "debt_policy", "verdict"],
    "refund.confirmed": refunded,
    "refund.declined": ["state", "reason", "verdict"],
    "refund.failed": [],
    "refund.goodwill": ["state", "credits", "verdict"],
    "refund.proposal_withdrawn": ["proposed_by"],
    "refund.proposed": ["stars", "verdict"],
    "refund.requested": ["stars", "reason"],
    "refund.told": ["decision"], "refund.untold": ["decision"],
    "subscription.allowed": ["asked_by"], "subscription.canceled": ["asked_by"],
    "subscription.cancellation": wish, "subscription.downgrade": wish,
    "subscription.reactivation": wish, "subscription.refused": ["asked"],
    "subscription.given": ["plan", "until"], "subscription.trial_started": ["plan", "days"],
    "subscription.withdrawn": ["plan"],
  ]

  private static let rules: [String: Set<String>] = [
    "action.created": action, "action.edited": action, "action.restored": [],
    "action.withdrawn": [],
    "carts.edited": ["minutes", "reminds", "discount_percent", "alerts"],
    "credit_policy.changed": ["goodwill_cap_credits", "low_credits_threshold"],
    "entitlement.created": ["title"], "entitlement.edited": ["title"],
    "pack.created": pack, "pack.edited": pack, "pack.restored": [], "pack.withdrawn": [],
    "pack.discount_added": ["discount_percent"], "pack.discount_restored": ["discount_percent"],
    "pack.discount_withdrawn": ["discount_percent"],
    "paywall.edited": ["body"], "paywall.reset": ["body"],
    "plan.created": plan, "plan.edited": plan, "plan.restored": [], "plan.withdrawn": [],
    "rates.confirmed": [],
    "rates.edited": ["currency", "usd_per_100_stars", "currency_per_usd", "credit_cost"],
    "refund_policy.edited": [
      "max_age_hours", "max_used_percent", "one_per_customer", "auto_approves", "four_eyes_stars",
      "refund_debt_policy",
    ],
    "staff.added": ["name"], "staff.removed": ["name"],
    "tier.created": tier, "tier.edited": tier, "tier.removed": tier,
    "trial_policy.edited": [
      "trial_credits", "credits_per_day", "min_score", "paid_bonus", "paid_sources",
    ],
  ]

  private static let desk: [String: Set<String>] = [
    "alert.acknowledged": ["kind"], "alert.all_acknowledged": ["count"],
    "alert_chat.code_made": [], "alert_chat.linked": ["chat", "chat_id", "code_of"],
    "alert_chat.unlinked": ["chat", "chat_id"],
    "alert_rule.edited": ["is_on", "in_chat", "threshold"],
    "alert_rule.muted": ["muted_until"], "alert_rule.unmuted": ["muted_until"],
    "customer.answered": ["bot"], "customer.erased": [],
    "demo.history": ["seed", "customers", "until"],
    "drill_run.finished": ["state", "passed", "failed"], "drill_run.started": ["bot"],
    "expansion_request.made": ["drill_run"],
    "operator.password_changed": [], "operator.password_reset": [],
    "operator.recovery_code_used": [], "operator.recovery_codes_renewed": [],
    "operator.sessions_revoked": [],
    "operator.totp_off": [], "operator.totp_on": [], "operator.totp_reset": [],
    "reply_template.created": ["title_in", "body"], "reply_template.edited": ["title_in", "body"],
    "reply_template.removed": ["title_in", "body"],
    "support.assigned": ["assignee"], "support.closed": ["state"], "support.noted": [],
    "support.opened": ["topic", "source"], "support.reopened": [], "support.replied": [],
    "support.sla_changed": ["minutes"],
    "team.invitation_revoked": ["invited"], "team.invited": ["invited", "role", "both_sides"],
    "team.joined": ["role", "invited_by"], "team.removed": ["role", "unassigned_cases"],
    "team.reset_made": ["resets"], "team.role_changed": ["role", "unassigned_cases"],
    "settings.confirmed": [], "settings.edited": settings,
    "workspace.resumed": ["stage"], "workspace.stage_changed": ["stage"],
    "workspace.suspended": ["stage"],
  ]

  private static let connections: [String: Set<String>] = [
    "bot.added": ["username", "environment"], "bot.token_renewed": ["username", "environment"],
    "bot.commands_added": ["commands"],
    "bot.connected": ["mode", "relay", "webhook"],
    "bot.disconnected": ["mode", "relay", "webhook"],
    "bot.receipts_changed": ["sends_receipts"],
    "bot.replies_changed": ["answers_commands", "language", "own_texts"],
    "event.replayed": ["state"], "event.tested": ["event"],
    "event_address.removed": ["url"], "event_address.rotated": [], "event_address.set": ["url"],
    "key.created": ["name", "bot", "scopes"], "key.revoked": [],
    "key.rotated": ["key", "overlap_seconds"],
  ]

  /// What admins of the platform did about the business.
  private static let pilots: [String: Set<String>] = [
    "expansion_request.approved": [], "expansion_request.declined": [],
    "workspace.approved": [], "workspace.visited": ["until"],
  ]

  private static let action: Set<String> = [
    "title", "price_credits", "unit_cost", "max_units", "outage_policy", "outage_cap_units",
    "required_entitlement", "unmetered_entitlement", "units_per_day", "units_per_month",
    "units_lifetime", "free_units", "free_period",
  ]
  private static let grant: Set<String> = [
    "balance", "credits", "unit", "valid_days", "credit_grant",
  ]
  private static let outage: Set<String> = ["action", "units", "credits", "key", "accepted_at"]
  private static let pack: Set<String> = [
    "title", "description", "credits", "bonus_credits", "price_stars", "available_to", "listing",
    "emoji", "credits_valid_days", "entitlement_days",
  ]
  private static let plan: Set<String> = [
    "title", "description", "tier", "credits_per_cycle", "rollover_cap_credits", "trial_days",
    "trial_credits_given", "grace_days", "is_hidden", "stars", "entitlements", "title_in",
    "description_in", "plan_kind", "place",
  ]
  private static let refunded: Set<String> = [
    "stars", "debt_policy", "credits_taken", "credits_used",
  ]
  private static let settings: Set<String> = [
    "name", "locale", "time_zone", "pre_checkout_policy",
  ]
  private static let tier: Set<String> = ["title", "entitlement", "place"]
  private static let wish: Set<String> = ["renewal", "asked", "next_plan"]
}

extension AuditVocabulary {
  /// The codes that a fact may have; none where it has no codes.
  public static func codes(of fact: String, in action: String) -> [String] {
    codes["\(action).\(fact)"] ?? codes["\(noun(of: action)).\(fact)"] ?? codes[fact] ?? []
  }

  private static let codes: [String: [String]] = [
    "alert.kind": values(Alert.Kind.self), "available_to": values(Pack.Audience.self),
    "bot.language": values(ReplyLanguage.self), "bot.mode": values(Bot.Mode.self),
    "bot.webhook": ["untouched", "restored", "deleted", "refused"],
    "bot.environment": values(BotAPIEndpoint.Environment.self),
    "checkout.state": values(Checkout.State.self), "checkout.delivery": ["link", "chat"],
    "credit_grant.unit": ["1"], "credit_grant.valid_days": ["none"],
    "credits_per_cycle": ["unlimited"], "debt_policy": ["forgive", "debt"],
    "drill_run.state": values(DrillRun.State.self), "entitlement_days": ["good"],
    "event.state": values(Event.State.self),
    "four_eyes_stars": ["off"], "free_period": values(ActionRules.Allowance.Period.self),
    "hold.state": values(Hold.State.self), "key.overlap_seconds": values(APIKey.Overlap.self),
    "key.scopes": values(APIKey.Scope.self), "listing": ["listed", "hidden"],
    "mismatch.kind": values(Mismatch.Kind.self),
    "outage_policy": values(ActionRules.OutagePolicy.self), "plan_kind": values(Plan.Kind.self),
    "refund.decision": values(Refund.State.self),
    "refund.declined.reason": values(Refund.DeclineReason.self),
    "refund.requested.reason": values(Refund.Reason.self),
    "refund.state": values(Refund.State.self), "refund.verdict": values(RefundVerdict.Clause.self),
    "refund_debt_policy": ["forgive", "debt"], "resets": values(ResetLink.Kind.self),
    "role": values(Role.self), "settings.locale": WorkspaceSettings.locales,
    "settings.pre_checkout_policy": values(Workspace.OutagePolicy.self),
    "subscription.asked": ["cancel", "allow"],
    "subscription.asked_by": ["user", "operator", "bot", "upgrade", "downgrade", "refund"],
    "subscription.renewal": values(Subscription.Renewal.self),
    "support.source": values(SupportCase.Source.self),
    "support.state": values(SupportCase.State.self),
    "support.topic": values(SupportCase.Topic.self),
    "workspace.stage": values(Workspace.Stage.self),
  ]

  private static func values<Code: CaseIterable & RawRepresentable<String>>(
    _: Code.Type
  ) -> [String] { Code.allCases.map(\.rawValue) }
}
