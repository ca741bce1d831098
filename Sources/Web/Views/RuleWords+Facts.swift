import Foundation

extension RuleWords {
  /// What a fact's value is.
  enum Kind: Sendable {
    /// As somebody wrote it, or a name.
    case text
    /// Tells one thing from another. It counts nothing, so it has no separators.
    case id
    /// A number, or a code for the lack of one.
    case number
    case decimal
    /// ISO 8601, or seconds since 1970.
    case time
    case yesOrNo
    /// One of the product's own names, or several of them with spaces between.
    case code
  }

  /// By the action's noun and the fact, or by the fact alone; nil where nobody has settled it.
  static func kind(of fact: String, in action: String) -> Kind? {
    kinds["\(noun(of: action)).\(fact)"] ?? kinds[fact]
  }

  private static let kinds: [String: Kind] = {
    let names: [(Kind, String)] = [
      (
        .text,
        """
        title description body title_in description_in name invited invited_by chat code_of sku url
        emoji currency bot username relay commands own_texts assignee paid_sources action item plan
        next_plan proposed_by tier entitlement entitlements required_entitlement
        unmetered_entitlement time_zone slug
        """
      ),
      (.id, "charge chat_id seed event key credit_grant key.bot drill_run invitation"),
      (
        .number,
        """
        price_credits max_units outage_cap_units units_per_day units_per_month units_lifetime
        free_units place trial_credits credits_per_day min_score paid_bonus stars credits_per_cycle
        rollover_cap_credits trial_days trial_credits_given grace_days threshold max_age_hours
        max_used_percent four_eyes_stars credits bonus_credits price_stars credits_valid_days
        entitlement_days discount_percent unassigned_cases count units balance unit valid_days
        credits_held credits_taken credits_used used days minutes customers goodwill_cap_credits
        low_credits_threshold passed failed max_uses
        """
      ),
      (.decimal, "unit_cost usd_per_100_stars currency_per_usd credit_cost"),
      (.time, "muted_until until accepted_at"),
      (
        .yesOrNo,
        """
        is_on in_chat is_hidden one_per_customer auto_approves both_sides reconciles_by_itself
        sends_receipts answers_commands reminds alerts
        """
      ),
      (
        .code,
        """
        role resets kind state reason verdict debt_policy decision delivery outage_policy
        free_period plan_kind available_to listing refund_debt_policy environment language mode
        webhook topic
        source renewal asked asked_by scopes overlap_seconds stage
        locale pre_checkout_policy
        """
      ),
    ]
    var kinds: [String: Kind] = [:]
    for (kind, list) in names {
      for name in list.split(whereSeparator: \.isWhitespace) { kinds[String(name)] = kind }
    }
    return kinds
  }()

  /// What a fact is called.
  func label(_ name: String, in action: String) -> String {
    let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
    let words = Self.label(parts[0], in: action, page.strings) ?? parts[0]
    return parts.count < 2
      ? words : "\(tiers[parts[1]] ?? entitlements[parts[1]] ?? parts[1]): \(words)"
  }

  /// - Parameter fact: Without the tier, feature or language that it is told for.
  /// - Returns: nil where there are no words.
  static func label(_ fact: String, in action: String, _ strings: Strings) -> String? {
    // The workspace's rule about them has the same name, and longer words.
    let own: [Strings.Key] =
      fact == "debt_policy" ? [] : ["rule.\(noun(of: action))_\(fact)"]
    return first(own + ["rule.\(fact)"], strings)
  }

  func value(_ value: String, of name: String, in action: String) -> String {
    let fact = String(name.prefix { $0 != ":" })
    let word = { Self.word($0, of: fact, in: action, page.strings) }
    switch Self.kind(of: fact, in: action) {
    case .number: return word(value) ?? Int64(value).map(page.format.number) ?? value
    case .decimal: return page.format.decimal(value)
    case .yesOrNo: return page.strings[["yes", "true"].contains(value) ? "rule.yes" : "rule.no"]
    case .time: return Self.time(value).map(page.format.exact) ?? value
    case .code:
      return value.split(separator: " ").map { word(String($0)) ?? String($0) }
        .joined(separator: ", ")
    case .text, .id, nil: return named(value, fact)
    }
  }

  /// What stands for a key is its title.
  private func named(_ value: String, _ fact: String) -> String {
    switch fact {
    case "required_entitlement", "unmetered_entitlement", "entitlement":
      return entitlements[value] ?? value
    case "tier": return tiers[value] ?? value
    case "entitlements":
      return value.split(separator: ", ").map { entitlements[String($0)] ?? String($0) }
        .joined(separator: ", ")
    case "own_texts":
      return value.split(separator: " ").map { "/\($0)" }.joined(separator: ", ")
    default: return value
    }
  }

  /// - Returns: nil where the code has no words.
  static func word(
    _ code: String, of fact: String, in action: String, _ strings: Strings
  ) -> String? {
    let (noun, code) = (noun(of: action), code.replacing(".", with: "_").replacing("-", with: "_"))
    let elsewhere: Strings.Key? =
      switch (noun, fact) {
      case ("alert", "kind"): "alert_kind.\(code)"
      case ("mismatch", "kind"): "mismatch.kind_\(code)"
      case ("refund", "state"), ("refund", "decision"): "refund_state.\(code)"
      case ("refund", "verdict"): "refunds.says_\(code)"
      case ("refund", "reason"):
        verb(of: action) == "declined" ? "decline_reason.\(code)" : "refund_reason.\(code)"
      case ("hold", "state"): "hold_state.\(code)"
      case ("checkout", "state"): "checkout_state.\(code)"
      case ("event", "state"): "event_state.\(code)"
      case ("drill_run", "state"): "pilot.state_\(code)"
      case ("support", "state"): "support_state.\(code)"
      case ("support", "topic"): "support_topic.\(code)"
      case ("subscription", "renewal"): "renewal.\(code)"
      case ("subscription", "asked"): "renewal.asked_\(code)"
      case ("subscription", "asked_by"): "subscription_actor.\(code)"
      case ("key", "scopes"): "key.scope_\(code)"
      case ("key", "overlap_seconds"): "key.overlap_\(code)"
      case ("bot", "environment"): "bot.environment_\(code)"
      case ("bot", "mode"): "bot.mode_\(code)"
      case ("bot", "language"): "replies.language_\(code)"
      case (_, "role"): "role.\(code)"
      case (_, "stage"): "stage.\(code)"
      case (_, "locale"): "settings.locale_\(code.lowercased())"
      case (_, "pre_checkout_policy"): "settings.policy_\(code)"
      case (_, "debt_policy"): "rule.refund_debt_policy_\(code)"
      case (_, "outage_policy"): "rule.outage_\(code)"
      case (_, "free_period"): "rule.period_\(code)"
      case (_, "available_to"): "packs.audience_\(code)"
      case (_, "entitlement_days") where code == "good": "packs.for_good"
      case (_, "credits_per_cycle") where code == "unlimited": "plans.unlimited"
      default: nil
      }
    return first(
      (elsewhere.map { [$0] } ?? []) + ["rule.\(noun)_\(fact)_\(code)", "rule.\(fact)_\(code)"],
      strings)
  }

  /// Why, in words; some reasons are codes of ours, the others somebody's words or Telegram's.
  func reason(_ reason: String, of action: String) -> String {
    let key: Strings.Key? =
      switch (Self.noun(of: action), Self.verb(of: action)) {
      case ("refund", "failed"): "refund.problem_\(reason)"
      case ("subscription", "refused"): "subscription.error_\(reason)"
      case ("outage", "uncollected"): "rule.uncollected_\(reason)"
      default: nil
      }
    return key.flatMap { Self.first([$0], page.strings) } ?? reason
  }

  private static func first(_ keys: [Strings.Key], _ strings: Strings) -> String? {
    keys.first { strings.keys.contains($0) }.map { strings[$0] }
  }

  private static func noun(of action: String) -> String { String(action.prefix { $0 != "." }) }

  private static func verb(of action: String) -> String {
    action.split(separator: ".").last.map(String.init) ?? action
  }

  private static func time(_ text: String) -> Date? {
    Int64(text).map { Date(timeIntervalSince1970: TimeInterval($0)) }
      ?? (try? Date(text, strategy: .iso8601))
  }
}
