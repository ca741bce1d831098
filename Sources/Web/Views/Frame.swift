import Foundation

/// What stands around every page of a signed-in operator.
struct Frame: Sendable, Equatable {
  enum Side: String, Sendable { case live, test }

  struct Workspace: Sendable, Equatable {
    var slug: String
    var name: String
    var side: Side
    /// Slug of the other side of the same business, when the operator may enter it.
    var otherSideSlug: String?
    /// That and why the business stands still.
    var suspension: Suspension?
  }

  struct Suspension: Sendable, Equatable {
    var at: Date
    var reason: String
  }

  var language: Language
  /// The workspace's zone; UTC where there is no workspace.
  var timeZone: TimeZone
  /// The workspace's own clock, which a test side may have moved.
  var now: Date
  var csrfToken: String
  var operatorName: String
  var workspace: Workspace?
  /// Alerts that nobody has looked at, counted up to 100.
  var openAlerts = 0
  /// What the form did that led here.
  var done: Done?
  /// The reader may enter the admins' pages.
  var isAdmin = false
  /// Until when an admin, who belongs to no team here, looks into the workspace.
  var visitEndsAt: Date?
}

/// What a form did, as the page says it that is shown next: `?done=role`.
enum Done: String, Sendable, CaseIterable {
  case role
  case memberRemoved = "member_removed"
  case invitationRevoked = "invitation_revoked"
  case sessionEnded = "session_ended"
  case sessionsEnded = "sessions_ended"
  case templateSaved = "template_saved"
  case templateRemoved = "template_removed"
  case sla, alert, alerts, settings, packs, actions
  case putAway = "put_away"
  case sandboxBot = "sandbox_bot"
  case noted, asked, declined
  case applicationRemoved = "application_removed"
  case codeRevoked = "code_revoked"
  case suspended, resumed
  case expansionApproved = "expansion_approved"
  case expansionDeclined = "expansion_declined"

  /// The page that says so.
  func on(_ path: String) -> String { Links.with(path, [("done", rawValue)]) }
}

/// A frame together with what turns its values into words.
struct PageContext: Sendable {
  enum Place: String, Sendable, CaseIterable {
    case overview, analytics, customers, payments, checkouts, subscriptions, carts, refunds
    case support, holds
    case packs, plans, actions, trials, paywall
    case bots, keys, events, reconciliation, alerts
    case pilot, team, settings, audit, gates

    /// The rail, part by part.
    static let groups: [(name: String, places: [Place])] = [
      (
        "desk",
        [
          .overview, .analytics, .customers, .payments, .checkouts, .subscriptions, .carts,
          .refunds, .support, .holds,
        ]
      ),
      ("rules", [.packs, .plans, .actions, .trials, .paywall]),
      ("connections", [.bots, .keys, .events, .reconciliation, .alerts]),
      ("workspace", [.pilot, .team, .settings, .audit, .gates]),
    ]
  }

  /// The admins' pages, in the order of their rail.
  enum AdminPlace: String, Sendable, CaseIterable {
    case home, applications
    case invitationCodes = "invitation_codes"
    case workspaces, operators, gates, audit
  }

  let frame: Frame
  let renderer: Renderer
  let strings: Strings
  let format: Formatting

  init(frame: Frame, renderer: Renderer) {
    self.frame = frame
    self.renderer = renderer
    self.strings = renderer.strings(frame.language)
    self.format = Formatting(strings: strings, timeZone: frame.timeZone, now: frame.now)
  }

  var slug: String { frame.workspace?.slug ?? "" }

  func customer(_ customer: CustomerLabel) -> [String: TemplateValue] {
    [
      "name": .text(name(of: customer)),
      "username": .optional(customer.username.map { "@" + $0 }),
      "telegram_id": .optional(customer.telegramID.map(String.init)),
      "href": .text(Links.customer(slug, customer.id)),
    ]
  }

  func name(of customer: CustomerLabel) -> String {
    let name = customer.name.trimmingCharacters(in: .whitespacesAndNewlines)
    return name.isEmpty
      ? strings("customer.unnamed", ["n": String(customer.id)]) : name
  }

  /// A charge id is shown by its ends and kept whole in the title: it may be very long.
  func payment(_ key: PaymentKey) -> [String: TemplateValue] {
    let id = key.chargeID
    let short = id.count > 16 ? "\(id.prefix(7))…\(id.suffix(6))" : id
    return [
      "short": .text(short), "id": .text(id), "href": .text(Links.payment(slug, key)),
    ]
  }

  func lotName(_ number: Int64) -> String {
    strings("lot.number", ["n": format.number(number)])
  }

  /// `10 credits`; other units carry the operator's own word, which is in the plural.
  func amount(_ value: Int64, _ unit: UnitLabel) -> String {
    unit.name == UnitLabel.credits.name
      ? format.credits(value) : "\(format.number(value)) \(unit.name)"
  }

  func signedAmount(_ value: Int64, _ unit: UnitLabel) -> String {
    unit.name == UnitLabel.credits.name
      ? format.signedCredits(value) : "\(format.signed(value)) \(unit.name)"
  }

  /// As people call the unit where no number stands before it.
  func name(of unit: UnitLabel) -> String {
    unit.name == UnitLabel.credits.name ? strings["unit.name"] : unit.name
  }

  /// A language that the product speaks to buyers.
  ///
  /// - Parameter code: As Telegram has it: `pt-br`.
  func buyerLanguage(_ code: String) -> String {
    strings[.init("buyer_language.\(code.replacing("-", with: "_"))")]
  }

  func strip(_ rows: [StripRow], showsOwnPayment: Bool = true) -> TemplateValue {
    .records(rows) { $0.model(self, showsOwnPayment: showsOwnPayment) }
  }

  /// Draws a page inside the frame.
  ///
  /// - Parameters:
  ///   - place: the entry of the rail to mark.
  ///   - trail: the crumbs before this page.
  func page(
    _ template: TemplateName, title: String, place: Place?,
    trail: [(title: String, href: String)] = [], _ values: [String: TemplateValue]
  ) -> String {
    page(
      template, title: title, rail: frame.workspace.map { .record(rail($0, place: place)) },
      // The page of customers has the box itself.
      finds: template != .customers, trail: trail, values)
  }

  /// The same for a page of admins.
  func adminPage(
    _ template: TemplateName, title: String, place: AdminPlace,
    trail: [(title: String, href: String)] = [], _ values: [String: TemplateValue]
  ) -> String {
    page(
      template, title: title, rail: .record(adminRail(place)), finds: false, trail: trail, values)
  }

  private func page(
    _ template: TemplateName, title: String, rail: TemplateValue?, finds: Bool,
    trail: [(title: String, href: String)], _ values: [String: TemplateValue]
  ) -> String {
    let shared: [String: TemplateValue] = [
      "frame": .record(frameModel(rail: rail, finds: finds)),
      "heading": .text(title),
      "done": .optional(frame.done.map { strings[.init("done.\($0.rawValue)")] }),
      "crumbs": trail.isEmpty
        ? .none
        : .record([
          "steps": .records(trail) { ["title": .text($0.title), "href": .text($0.href)] },
          "here": .text(title),
        ]),
    ]
    let windowTitle = [title, frame.workspace?.name, "eStars"].compactMap { $0 }
    return renderer.page(
      template, language: frame.language, title: windowTitle.joined(separator: " · "),
      shared.merging(values) { _, own in own })
  }

  private func frameModel(rail: TemplateValue?, finds: Bool) -> [String: TemplateValue] {
    [
      "rail": rail ?? .none,
      "admin": frame.isAdmin ? .text(Links.admin) : .none,
      "visit": .optional(
        frame.visitEndsAt.map { strings("admin.visiting", ["time": format.exact($0)]) }),
      "find": finds ? .optional(frame.workspace.map { Links.customers($0.slug) }) : .none,
      "now": .text(format.iso(frame.now)),
      "csrf": .text(frame.csrfToken),
      "operator": .text(frame.operatorName),
      "home": .text(frame.workspace.map { Links.overview($0.slug) } ?? Links.workspaces),
      "workspaces": .text(Links.workspaces),
      "account": .text(Links.account),
      "suspension": .optional(frame.workspace?.suspension) {
        ["time": format.time($0.at), "reason": .text($0.reason)]
      },
      "logout": .text(Links.logout),
      "workspace": .optional(frame.workspace) { workspaceModel($0) },
    ]
  }

  private func adminRail(_ place: AdminPlace) -> [String: TemplateValue] {
    [
      "label": .text(strings["admin.name"]),
      "groups": [
        [
          "title": .text(strings["admin.name"]),
          "places": .records(AdminPlace.allCases) { entry in
            [
              "title": .text(strings[.init("admin.nav_\(entry.rawValue)")]),
              "href": .text(Links.admin(entry)), "current": .flag(entry == place),
              "badge": .none,
            ]
          },
        ]
      ],
    ]
  }

  private var badge: [String: TemplateValue] {
    let open = Int64(frame.openAlerts)
    let number = open > 99 ? "99+" : format.number(open)
    return [
      "number": .text(number), "words": .text(strings("alerts.badge", count: open, ["n": number])),
    ]
  }

  private func rail(_ workspace: Frame.Workspace, place: Place?) -> [String: TemplateValue] {
    [
      "label": .text(strings["nav.main"]),
      "groups": .records(Place.groups) { group in
        [
          "title": .text(strings[.init("nav_group.\(group.name)")]),
          "places": .records(group.places) { entry in
            [
              "title": .text(strings[.init("nav.\(entry.rawValue)")]),
              "href": .text(Links.place(workspace.slug, entry)),
              "current": .flag(entry == place),
              "badge": entry == .alerts && frame.openAlerts > 0 ? .record(badge) : .none,
            ]
          },
        ]
      },
    ]
  }

  private func workspaceModel(_ workspace: Frame.Workspace) -> [String: TemplateValue] {
    let other: Frame.Side = workspace.side == .live ? .test : .live
    return [
      "name": .text(workspace.name),
      "side": .text(strings[.init("side.\(workspace.side.rawValue)")]),
      "side_class": .text(workspace.side.rawValue),
      "switch": .optional(workspace.otherSideSlug) { slug in
        [
          "href": .text(Links.overview(slug)),
          "title": .text(strings[.init("side.switch_\(other.rawValue)")]),
        ]
      },
    ]
  }
}
