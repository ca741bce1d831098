import Foundation
import Mustache

/// The pages that are drawn from a file of the same name in `Templates/`.
enum TemplateName: String, Sendable, CaseIterable {
  case login = "dashboard/login"
  case loginTOTP = "dashboard/login-totp"
  case invitation = "dashboard/invitation"
  case reset = "dashboard/reset"
  case linkGone = "dashboard/link-gone"
  case account = "dashboard/account"
  case accountTOTP = "dashboard/account-totp"
  case recoveryCodes = "dashboard/recovery-codes"
  case accountSessions = "dashboard/account-sessions"
  case team = "dashboard/team"
  case settings = "dashboard/settings"
  case onboarding = "dashboard/onboarding"
  case onboardingTemplates = "dashboard/onboarding-templates"
  case quickstart = "dashboard/quickstart"
  case member = "dashboard/member"
  case audit = "dashboard/audit"
  case gates = "dashboard/gates"
  case pilot = "dashboard/pilot"
  case drillRun = "dashboard/drill-run"
  case workspaces = "dashboard/workspaces"
  case overview = "dashboard/overview"
  case analytics = "dashboard/analytics"
  case customers = "dashboard/customers"
  case customer = "dashboard/customer"
  case newCustomer = "dashboard/new-customer"
  case creditGrant = "dashboard/credit-grant"
  case creditAnswer = "dashboard/credit-answer"
  case erasure = "dashboard/erasure"
  case creditPolicy = "dashboard/credit-policy"
  case lot = "dashboard/lot"
  case carts = "dashboard/carts"
  case holds = "dashboard/holds"
  case hold = "dashboard/hold"
  case checkouts = "dashboard/checkouts"
  case checkout = "dashboard/checkout"
  case newCheckout = "dashboard/new-checkout"
  case payments = "dashboard/payments"
  case payment = "dashboard/payment"
  case refunds = "dashboard/refunds"
  case refund = "dashboard/refund"
  case supportCases = "dashboard/support-cases"
  case supportCase = "dashboard/support-case"
  case newSupportCase = "dashboard/support-case-new"
  case replyTemplates = "dashboard/reply-templates"
  case replyTemplate = "dashboard/reply-template"
  case refundPolicy = "dashboard/refund-policy"
  case packs = "dashboard/packs"
  case pack = "dashboard/pack"
  case rates = "dashboard/rates"
  case staff = "dashboard/staff"
  case actions = "dashboard/actions"
  case action = "dashboard/action"
  case tiers = "dashboard/tiers"
  case entitlements = "dashboard/entitlements"
  case subscriptions = "dashboard/subscriptions"
  case subscription = "dashboard/subscription"
  case subscriptionNew = "dashboard/subscription-new"
  case plans = "dashboard/plans"
  case plan = "dashboard/plan"
  case paywall = "dashboard/paywall"
  case trials = "dashboard/trials"
  case events = "dashboard/events"
  case event = "dashboard/event"
  case eventAddress = "dashboard/event-address"
  case reconciliation = "dashboard/reconciliation"
  case mismatch = "dashboard/mismatch"
  case bots = "dashboard/bots"
  case botNew = "dashboard/bot-new"
  case bot = "dashboard/bot"
  case botConnection = "dashboard/bot-connection"
  case botReplies = "dashboard/bot-replies"
  case alerts = "dashboard/alerts"
  case alert = "dashboard/alert"
  case alertRules = "dashboard/alert-rules"
  case alertChats = "dashboard/alert-chats"
  case alertCode = "dashboard/alert-code"
  case keys = "dashboard/keys"
  case keyNew = "dashboard/key-new"
  case key = "dashboard/key"
  case secret = "dashboard/secret"
  case newApplication = "site/application-new"
  case application = "site/application"
  case admin = "admin/home"
  case adminApplications = "admin/applications"
  case adminApplication = "admin/application"
  case invitationCodes = "admin/invitation-codes"
  case adminWorkspaces = "admin/workspaces"
  case adminWorkspace = "admin/workspace"
  case adminOperators = "admin/operators"
  case adminOperator = "admin/operator"
  case adminGates = "admin/gates"
  case adminAudit = "admin/audit"
  case error = "error"
  case landing = "site/landing"
  case howItWorks = "site/how-it-works"
  case prose = "site/prose"
  case faq = "site/faq"
  case compare = "site/compare"
  case siteMargin = "site/margin"
  case siteGates = "site/gates"
  case docs = "site/docs"
  case docsTable = "site/docs-table"
}

/// Every template, parsed once at boot.
struct Templates: Sendable {
  private let library: MustacheLibrary
  /// Source of each template by its name, for checks.
  let sources: [String: String]

  /// Folders below `Templates/` that belong to other programs or hold no templates.
  private static let foreignFolders = ["sandbox/", "strings/"]

  /// - Throws: `ContentError` for a file that does not parse, a page that has no file and a partial
  ///   that is named but missing.
  init(directory: URL) throws {
    var sources: [String: String] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: directory.path).sorted() {
      guard path.hasSuffix(".mustache"),
        !Self.foreignFolders.contains(where: { path.hasPrefix($0) })
      else { continue }
      let bytes = try Data(contentsOf: directory.appending(path: path))
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw ContentError(file: "Templates/\(path)", message: "is not valid UTF-8")
      }
      sources[String(path.dropLast(".mustache".count))] = text
    }
    self.sources = sources
    self.library = try Self.parse(sources)
    try Self.check(sources)
  }

  private static func parse(_ sources: [String: String]) throws -> MustacheLibrary {
    var templates: [String: MustacheTemplate] = [:]
    for (name, source) in sources {
      do {
        templates[name] = try MustacheTemplate(string: prepared(source))
      } catch let error as MustacheTemplate.ParserError {
        throw ContentError(
          file: "Templates/\(name).mustache",
          message: "line \(error.context.lineNumber): \(error.error)")
      }
    }
    return MustacheLibrary(templates: templates)
  }

  /// Values arrive escaped (`TemplateValue`), so the engine's own escape, which works by grapheme
  /// and can be evaded, is switched off. Indentation is dropped: it would be sent with every page.
  private static func prepared(_ source: String) -> String {
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.drop(while: { $0 == " " }) }
    return "{{% CONTENT_TYPE:TEXT}}" + lines.joined(separator: "\n")
  }

  private static func check(_ sources: [String: String]) throws {
    for name in TemplateName.allCases where sources[name.rawValue] == nil {
      throw ContentError(file: "Templates/\(name.rawValue).mustache", message: "is missing")
    }
    for (name, source) in sources {
      for match in source.matches(of: /\{\{[<>]\s*([^}\s]+)\s*\}\}/) {
        let partial = String(match.output.1)
        guard sources[partial] == nil else { continue }
        throw ContentError(
          file: "Templates/\(name).mustache",
          message: "names the partial `\(partial)`, and there is no Templates/\(partial).mustache")
      }
    }
  }

  /// Keys of the form `t.section.key` that templates use.
  var stringKeys: Set<Strings.Key> {
    Set(
      sources.values.flatMap { source in
        source.matches(of: /\{\{[#^]?\s*t\.([A-Za-z0-9_.]+)\s*\}\}/)
          .map { Strings.Key(String($0.output.1)) }
      })
  }

  func render(_ name: TemplateName, _ model: [String: TemplateValue]) -> String {
    // Every name was found at boot, so there is always a template.
    library.render(TemplateValue.record(model).rendered ?? [:], withTemplate: name.rawValue) ?? ""
  }
}
