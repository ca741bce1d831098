import Foundation
@_spi(Guard) import Ledger
import Postgres
import Telegram

/// The workspace that `estars demo` shows: a small studio in São Paulo with an AI bot and a service
/// bot on its test side. Everything goes through the same functions as real business.
public struct DemoWorkspace: Sendable {
  public struct BotPlan: Sendable {
    public let token: String
    public let username: String
    public let name: String
    public let segment: Bot.Segment
    public let action: String

    public init(
      token: String, username: String, name: String, segment: Bot.Segment, action: String
    ) {
      self.token = token
      self.username = username
      self.name = name
      self.segment = segment
      self.action = action
    }
  }

  /// A person of the demo, with what she has bought and used so far.
  public struct Person: Sendable {
    public let telegramID: Int64
    public let firstName: String
    public let lastName: String
    public let username: String
    public let languageCode: String
    public let purchases: [Purchase]
  }

  public struct Purchase: Sendable {
    public let bot: Int
    public let sku: String
    public let daysAgo: Double
    /// How many times the bot's action was run after it.
    public let uses: Int
  }

  /// A purchase that was made, for the books of whoever plays Telegram.
  public struct Charge: Sendable {
    public let bot: Int
    public let person: Person
    public let chargeID: String
    public let title: String
    public let stars: Int64
    public let payload: String
    public let paidAt: Date
  }

  public static let slug = "estudio-aurora"
  public static let testSlug = slug + "-test"

  public static let people = [
    Person(
      telegramID: 5_001_001, firstName: "Ana", lastName: "Ribeiro", username: "anaribeiro",
      languageCode: "pt-br",
      purchases: [
        Purchase(bot: 0, sku: "try", daysAgo: 12.4, uses: 7),
        Purchase(bot: 0, sku: "start", daysAgo: 3.2, uses: 4),
      ]),
    Person(
      telegramID: 5_001_002, firstName: "João", lastName: "Carvalho", username: "joaocarvalho",
      languageCode: "pt-br", purchases: [Purchase(bot: 1, sku: "pop", daysAgo: 8.1, uses: 9)]),
    Person(
      telegramID: 5_001_003, firstName: "Marina", lastName: "Souza", username: "msouza",
      languageCode: "pt-br", purchases: [Purchase(bot: 0, sku: "pro", daysAgo: 6.6, uses: 18)]),
    Person(
      telegramID: 5_001_004, firstName: "Lucas", lastName: "Ferreira", username: "",
      languageCode: "pt-br", purchases: [Purchase(bot: 0, sku: "start", daysAgo: 1.3, uses: 2)]),
    Person(
      telegramID: 5_001_005, firstName: "Emily", lastName: "Clark", username: "emilyc",
      languageCode: "en", purchases: [Purchase(bot: 1, sku: "start", daysAgo: 4.9, uses: 5)]),
    Person(
      telegramID: 5_001_006, firstName: "Rafael", lastName: "Nunes", username: "rafanunes",
      languageCode: "pt-br", purchases: []),
  ]

  private let platform: Platform

  public init(platform: Platform) { self.platform = platform }

  /// Opens the workspace with its catalogue and bots. Safe to repeat: what exists stays.
  public func open(
    _ plans: [BotPlan], endpoint: BotAPIEndpoint, at: Date
  ) async throws -> (live: Workspace, test: Workspace, bots: [Bot]) {
    let pool = platform.pool
    let all = try await Workspace.all(pool)
    let live: Workspace
    let test: Workspace
    if let known = all.first(where: { $0.slug == Self.slug }),
      let twin = all.first(where: { $0.id == known.twinID })
    {
      (live, test) = (known, twin)
    } else {
      (live, test) = try await Workspace.open(
        WorkspaceRequest(
          slug: Self.slug, name: "Estúdio Aurora", segment: .aiBot,
          timeZone: "America/Sao_Paulo", locale: "pt-BR"), at: at, pool)
    }
    for side in [live, test] {
      try await side.defineCredits(pool)
      try await pool.transaction(in: side.scope) { try await DemoCatalog.write(in: side.scope, $0) }
    }
    var bots: [Bot] = []
    for plan in plans {
      bots.append(
        try await Bot.register(
          token: plan.token, username: plan.username, name: plan.name, segment: plan.segment,
          endpoint: endpoint, in: test, at: at, platform))
    }
    return (live, test, bots)
  }

  /// Writes the past of the demo's people: each purchase is a checkout, a payment and the debits that
  /// followed, each at its own time and all of them in that order. Every step has its permanent key,
  /// so what is there already stays as it is, and a start that was killed half-way is completed.
  ///
  /// - Returns: All the charges of that past.
  public func writeHistory(
    _ bots: [Bot], _ plans: [BotPlan], in workspace: Workspace, at: Date
  ) async throws -> [Charge] {
    let scope = workspace.scope
    var charges: [Charge] = []
    for event in Self.events(until: at) {
      let purchase = event.person.purchases[event.purchase]
      if let use = event.use {
        try await self.use(
          use, of: purchase, event, action: plans[purchase.bot].action, in: scope)
      } else {
        charges.append(try await buy(purchase, event, with: bots[purchase.bot], in: scope))
      }
    }
    return charges
  }

  /// A purchase, or one of the uses that followed it.
  private struct Event {
    let at: Date
    let person: Person
    let purchase: Int
    let use: Int?
  }

  private static func events(until now: Date) -> [Event] {
    var events: [Event] = []
    for person in people {
      for (index, purchase) in person.purchases.enumerated() {
        let paidAt = now.addingTimeInterval(-purchase.daysAgo * 86_400)
        events.append(Event(at: paidAt, person: person, purchase: index, use: nil))
        let step = purchase.daysAgo * 86_400 / Double(purchase.uses + 2)
        for use in 0..<purchase.uses {
          events.append(
            Event(
              at: paidAt.addingTimeInterval(Double(use + 1) * step), person: person,
              purchase: index, use: use))
        }
      }
    }
    return events.sorted { $0.at < $1.at }
  }

  private func buy(
    _ purchase: Purchase, _ event: Event, with bot: Bot, in scope: WorkspaceScope
  ) async throws -> Charge {
    let (person, number, at) = (event.person, event.purchase, event.at)
    let catalog = try await Catalog.load(in: scope, platform.pool)
    let request = CheckoutRequest(
      telegramID: person.telegramID, sku: purchase.sku, discountPercent: 0, resume: nil,
      idempotencyKey: "demo-\(person.telegramID)-\(number)")
    let chargeID = "stxDemo\(person.telegramID)n\(number)"
    return try await platform.pool.transaction(in: scope) { tx in
      let (checkout, _) = try await tx.openCheckout(
        request, with: bot, catalog, platform.secrets, in: scope, at: at)
      let payment = SuccessfulPayment(
        currency: starsCurrency, totalAmount: checkout.stars,
        invoicePayload: checkout.payload ?? "", telegramPaymentChargeID: chargeID,
        providerPaymentChargeID: "demo")
      let name = CustomerName(
        firstName: person.firstName, lastName: person.lastName, username: person.username,
        languageCode: person.languageCode)
      let charge = ReportedCharge(
        payment: payment, buyerTelegramID: person.telegramID, buyerName: name, paidAt: at)
      _ = try await tx.recordPayment(
        charge, to: bot, platform.secrets, in: scope, at: at)
      return Charge(
        bot: purchase.bot, person: person, chargeID: chargeID, title: checkout.title,
        stars: checkout.stars, payload: checkout.payload ?? "", paidAt: checkout.createdAt)
    }
  }

  private func use(
    _ use: Int, of purchase: Purchase, _ event: Event, action: String, in scope: WorkspaceScope
  ) async throws {
    _ = try await platform.usage.debit(
      DebitRequest(
        check: CheckRequest(telegramID: event.person.telegramID, action: action, units: 1),
        ref: "demo-job-\(event.purchase)-\(use + 1)",
        idempotencyKey: "demo-\(event.person.telegramID)-\(event.purchase)-\(use)"),
      in: scope, at: event.at)
  }
}
