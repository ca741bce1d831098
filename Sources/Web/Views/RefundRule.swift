import Foundation

/// The workspace's rule for refunds, as pages say it.
struct RefundRule: Sendable, Equatable {
  var maxAgeHours = 24
  var maxUsedPercent = 0
  var isOnePerCustomer = true
  var autoApproves = false
  /// nil: one person is enough.
  var fourEyesStars: Int64?

  /// `24 hours`, `2 days`.
  func limit(_ page: PageContext) -> String {
    let isDays = maxAgeHours > 24 && maxAgeHours.isMultiple(of: 24)
    let units: Set<Duration.UnitsFormatStyle.Unit> = isDays ? [.days] : [.hours]
    return Duration.seconds(maxAgeHours * 3600).formatted(
      .units(allowed: units, width: .wide).locale(page.frame.language.locale))
  }

  /// One sentence.
  func words(_ page: PageContext) -> String {
    let t = page.strings
    let used =
      maxUsedPercent == 0
      ? t["refund_policy.says_unused"]
      : t("refund_policy.says_used", ["n": String(maxUsedPercent)])
    let parts =
      [t("refund_policy.says_age", ["limit": limit(page)]), used]
      + (isOnePerCustomer ? [t["refund_policy.says_once"]] : [])
    return t("refund_policy.says", ["terms": parts.joined(separator: ", ")])
  }
}

extension RefundEffect.Verdict {
  /// What the verdict rests on, each with the rule's bound.
  func grounds(_ page: PageContext) -> String {
    let (t, format) = (page.strings, page.format)
    let age = t(
      "refund.grounds_\(isInTime ? "in_time" : "late")",
      ["when": format.relative(paidAt), "limit": rule.limit(page)])
    let nothing: Strings.Key =
      granted == 0 && clause != .notCredited ? "refund.grounds_access" : "refund.grounds_unused"
    let use =
      used == 0
      ? t[nothing]
      : t("refund.grounds_used", count: used, ["n": format.number(used)])
        + (granted > 0
          ? " "
            + t(
              "refund.grounds_percent",
              ["n": String(percent), "max": String(rule.maxUsedPercent)])
          : "")
    return ([age, use] + (isFirst ? [] : [t["refund.grounds_not_first"]]))
      .joined(separator: " · ")
  }

  /// Rounded up, so that a little over the bound does not read as the bound.
  private var percent: Int64 {
    let (whole, rest) = (Int128(used) * 100).quotientAndRemainder(dividingBy: Int128(granted))
    return Int64(clamping: rest == 0 ? whole : whole + 1)
  }
}

extension RefundEffect.Margin {
  func model(stars: Int64, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    func money(_ micros: Int64) -> String { page.format.money(micros: micros, currency) }
    return [
      "rows": [
        [
          "what": .text(t["refund.margin_stars"]),
          "quantity": .text(
            "\(page.format.signedStars(-stars)), \(money(-revenue))"),
        ],
        ["what": .text(t["refund.margin_cost"]), "quantity": .text(money(-cost))],
        [
          "what": .text(t["refund.margin_payment"]),
          "quantity": .text("\(money(revenue - cost)) → \(money(-cost))"),
        ],
      ],
      "note": .text(t["refund.margin_note"]), "href": .text(Links.rates(page.slug)),
    ]
  }
}
