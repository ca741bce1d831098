import Foundation

/// The addresses that pages link to, in one place.
enum Links {
  static let login = "/login"
  static let loginTOTP = "/login/totp"
  /// Where prospects ask to be let in.
  static let openAPI = "/openapi.json"
  static let logout = "/logout"
  static let workspaces = "/workspaces"
  static let account = "/account"
  static let accountPassword = account + "/password"
  static let accountTOTP = account + "/totp"
  static let accountSessions = account + "/sessions"
  static let admin = "/admin"
  static func admin(_ place: PageContext.AdminPlace) -> String {
    place == .home ? admin : admin + "/" + place.rawValue.replacing("_", with: "-")
  }
  static func adminApplication(_ id: Int64) -> String { admin(.applications) + "/\(id)" }
  static func adminWorkspace(_ id: Int64) -> String { admin(.workspaces) + "/\(id)" }
  static func adminOperator(_ id: Int64) -> String { admin(.operators) + "/\(id)" }
  static func expansionRequest(_ id: Int64) -> String { admin + "/expansion-requests/\(id)" }
  static func pilot(_ language: Language) -> String { language.sitePrefix + "/pilot" }
  static func application(_ token: String) -> String { "/applications/\(token)" }
  static func invitation(_ token: String) -> String { "/invitations/\(token)" }
  static func reset(_ token: String) -> String { "/resets/\(token)" }

  /// What somebody may do who has to set up a second factor first.
  static func isOpenWithoutSecondFactor(_ path: String) -> Bool {
    path == logout || path == accountTOTP || path == accountTOTP + "/confirmation"
  }

  /// A developer page; nil = the first of them.
  static func docs(_ page: String?, _ language: Language) -> String {
    language.sitePrefix + "/docs" + (page.map { "/" + $0 } ?? "")
  }

  static func place(_ slug: String, _ place: PageContext.Place) -> String {
    switch place {
    case .overview: overview(slug)
    case .support: supportCases(slug)
    default: "/w/\(slug)/\(place.rawValue)"
    }
  }

  static func analytics(_ slug: String) -> String { "/w/\(slug)/analytics" }
  static func overview(_ slug: String) -> String { "/w/\(slug)" }
  static func customers(_ slug: String) -> String { "/w/\(slug)/customers" }
  static func customer(_ slug: String, _ id: Int64) -> String { "/w/\(slug)/customers/\(id)" }
  static func newCustomer(_ slug: String) -> String { customers(slug) + "/new" }
  static func grants(_ slug: String, _ customer: Int64) -> String {
    Links.customer(slug, customer) + "/grants"
  }
  static func newGrant(_ slug: String, _ customer: Int64) -> String {
    grants(slug, customer) + "/new"
  }
  static func newCreditAnswer(_ slug: String, _ customer: Int64) -> String {
    creditAnswers(slug, customer) + "/new"
  }
  static func creditAnswers(_ slug: String, _ customer: Int64) -> String {
    Links.customer(slug, customer) + "/credit-answers"
  }
  static func erasure(_ slug: String, _ customer: Int64) -> String {
    Links.customer(slug, customer) + "/erasure"
  }
  static func lot(_ slug: String, _ key: LotKey) -> String {
    customer(slug, key.customer) + "/lots/\(key.unit)/\(key.lot)"
  }
  /// A ledger entry on the customer's timeline, which begins with it.
  static func entry(_ slug: String, _ key: LotKey, version: Int64) -> String {
    with(
      customer(slug, key.customer),
      [("unit", key.unit == 1 ? nil : String(key.unit)), ("after", String(version + 1))])
      + "#v\(version)"
  }
  static func creditPolicy(_ slug: String) -> String { "/w/\(slug)/credit-policy" }
  static func holds(_ slug: String) -> String { "/w/\(slug)/holds" }
  static func hold(_ slug: String, _ id: Int64) -> String { "/w/\(slug)/holds/\(id)" }

  static func supportCases(_ slug: String) -> String { "/w/\(slug)/support-cases" }
  static func supportCase(_ slug: String, _ id: Int64) -> String {
    "/w/\(slug)/support-cases/\(id)"
  }
  static func newSupportCase(
    _ slug: String, _ customer: Int64, about payment: PaymentKey? = nil
  ) -> String {
    with(
      Links.customer(slug, customer) + "/support-cases/new",
      [("bot", payment.map { String($0.botID) }), ("charge", payment?.chargeID)])
  }
  static func supportSLA(_ slug: String) -> String { "/w/\(slug)/support-sla" }
  static func replyTemplates(_ slug: String) -> String { "/w/\(slug)/reply-templates" }
  static func newReplyTemplate(_ slug: String) -> String { "/w/\(slug)/reply-templates/new" }
  static func replyTemplate(_ slug: String, _ key: String) -> String {
    "/w/\(slug)/reply-templates/\(key)"
  }
  static func team(_ slug: String) -> String { "/w/\(slug)/team" }
  static func member(_ slug: String, _ id: Int64) -> String { "/w/\(slug)/team/\(id)" }
  static func invitations(_ slug: String) -> String { "/w/\(slug)/invitations" }
  static func audit(_ slug: String) -> String { "/w/\(slug)/audit" }
  static func onboarding(_ slug: String) -> String { "/w/\(slug)/onboarding" }
  static func settings(_ slug: String) -> String { "/w/\(slug)/settings" }
  static func pilot(_ slug: String) -> String { "/w/\(slug)/pilot" }
  static func gates(_ slug: String) -> String { "/w/\(slug)/gates" }
  static func drillRuns(_ slug: String) -> String { "/w/\(slug)/drill-runs" }
  static func drillRun(_ slug: String, _ id: Int64) -> String { "/w/\(slug)/drill-runs/\(id)" }
  static func sandboxBots(_ slug: String) -> String { "/w/\(slug)/sandbox-bots" }
  static func expansionRequests(_ slug: String) -> String { "/w/\(slug)/expansion-requests" }

  static func carts(_ slug: String) -> String { "/w/\(slug)/carts" }
  static func alerts(_ slug: String) -> String { "/w/\(slug)/alerts" }
  static func alert(_ slug: String, _ id: Int64) -> String { "/w/\(slug)/alerts/\(id)" }
  static func alertAcknowledgement(_ slug: String, _ id: Int64) -> String {
    alert(slug, id) + "/acknowledgement"
  }
  static func alertRules(_ slug: String) -> String { "/w/\(slug)/alert-rules" }
  /// On the page of all rules, or the address of its form.
  static func alertRule(_ slug: String, _ kind: AlertKind, isForm: Bool = false) -> String {
    alertRules(slug) + (isForm ? "/" + kind.name : "#" + kind.key)
  }
  static func alertMute(_ slug: String, _ kind: AlertKind) -> String {
    alertRule(slug, kind, isForm: true) + "/mute"
  }
  static func alertChats(_ slug: String) -> String { "/w/\(slug)/alert-chats" }

  static func payments(_ slug: String) -> String { "/w/\(slug)/payments" }
  static func checkouts(_ slug: String) -> String { "/w/\(slug)/checkouts" }
  static func checkout(_ slug: String, _ id: Int64) -> String { "/w/\(slug)/checkouts/\(id)" }
  static func newCheckout(_ slug: String, _ customer: Int64) -> String {
    Links.customer(slug, customer) + "/checkouts/new"
  }

  static func refundPolicy(_ slug: String) -> String { "/w/\(slug)/refund-policy" }
  static func refunds(_ slug: String) -> String { "/w/\(slug)/refunds" }
  static func refund(_ slug: String, _ id: Int64) -> String { "/w/\(slug)/refunds/\(id)" }

  static func packs(_ slug: String) -> String { "/w/\(slug)/packs" }
  static func newPack(_ slug: String) -> String { "/w/\(slug)/packs/new" }
  static func pack(_ slug: String, _ sku: String) -> String { "/w/\(slug)/packs/\(sku)" }
  static func rates(_ slug: String) -> String { "/w/\(slug)/rates" }
  static func staff(_ slug: String) -> String { "/w/\(slug)/staff" }
  static func actions(_ slug: String) -> String { "/w/\(slug)/actions" }
  static func newAction(_ slug: String) -> String { "/w/\(slug)/actions/new" }
  static func action(_ slug: String, _ key: String) -> String { "/w/\(slug)/actions/\(key)" }
  static func tiers(_ slug: String) -> String { "/w/\(slug)/tiers" }
  static func entitlements(_ slug: String) -> String { "/w/\(slug)/entitlements" }
  static func paywall(_ slug: String) -> String { "/w/\(slug)/paywall" }
  static func trials(_ slug: String) -> String { "/w/\(slug)/trials" }
  static func plans(_ slug: String) -> String { "/w/\(slug)/plans" }
  static func newPlan(_ slug: String) -> String { "/w/\(slug)/plans/new" }
  static func plan(_ slug: String, _ key: String) -> String { "/w/\(slug)/plans/\(key)" }
  static func subscriptions(_ slug: String) -> String { "/w/\(slug)/subscriptions" }
  static func newSubscription(_ slug: String, _ customer: Int64) -> String {
    Links.customer(slug, customer) + "/subscriptions/new"
  }
  static func subscription(_ slug: String, _ id: Int64) -> String {
    "/w/\(slug)/subscriptions/\(id)"
  }
  static func events(_ slug: String) -> String { "/w/\(slug)/events" }
  static func event(_ slug: String, _ id: Int64) -> String { "/w/\(slug)/events/\(id)" }
  static func eventAddress(_ slug: String, _ botID: Int64) -> String {
    "/w/\(slug)/bots/\(botID)/event-address"
  }
  static func reconciliation(_ slug: String) -> String { "/w/\(slug)/reconciliation" }
  static func mismatch(_ slug: String, _ id: Int64) -> String {
    "/w/\(slug)/reconciliation/mismatches/\(id)"
  }
  static func bots(_ slug: String) -> String { "/w/\(slug)/bots" }
  static func newBot(_ slug: String) -> String { "/w/\(slug)/bots/new" }
  static func bot(_ slug: String, _ id: Int64) -> String { "/w/\(slug)/bots/\(id)" }

  static func keys(_ slug: String) -> String { "/w/\(slug)/keys" }
  static func newKey(_ slug: String) -> String { "/w/\(slug)/keys/new" }
  static func key(_ slug: String, _ id: Int64) -> String { "/w/\(slug)/keys/\(id)" }

  static func payment(_ slug: String, _ key: PaymentKey) -> String {
    "/w/\(slug)/payments/\(key.botID)/\(segment(key.chargeID))"
  }

  /// An address with a query; absent and empty values are left out.
  static func with(_ path: String, _ query: [(name: String, value: String?)]) -> String {
    let pairs = query.compactMap { pair -> String? in
      guard let value = pair.value, !value.isEmpty else { return nil }
      return "\(pair.name)=\(segment(value))"
    }
    return pairs.isEmpty ? path : path + "?" + pairs.joined(separator: "&")
  }

  private static func segment(_ text: String) -> String {
    let unreserved = CharacterSet(
      charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
    return text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
  }
}
