import Foundation
import Ledger
import Postgres
import Telegram

/// Puts the events of a history into the product, each through the function that real business
/// goes through, at its own time.
struct DemoWriter {
  let platform: Platform
  let scope: WorkspaceScope
  let bots: [Bot]
  let people: [DemoWorkspace.Person]
  let catalog: Catalog

  private var customerIDs: [Int: Int64] = [:]
  /// Debits that wait to travel together: a round trip each would take most of the time.
  private var waiting: [SQL] = []
  private var waitingPeople: Set<Int> = []

  init(
    platform: Platform, scope: WorkspaceScope, bots: [Bot], people: [DemoWorkspace.Person],
    catalog: Catalog
  ) {
    self.platform = platform
    self.scope = scope
    self.bots = bots
    self.people = people
    self.catalog = catalog
  }

  /// - Throws: ``Problem`` for an answer that a history cannot get; `PostgresError`.
  mutating func write(_ events: ArraySlice<DemoHistory.Event>, _ tx: Transaction) async throws {
    for event in events {
      if case .use(let use) = event.deed {
        waiting.append(debit(use, event))
        waitingPeople.insert(event.person)
        if waiting.count == 200 { try await flush(tx) }
      } else {
        // What a person did before comes before, other people's debits can wait.
        if waitingPeople.contains(event.person) { try await flush(tx) }
        try await write(event, tx)
      }
    }
    try await flush(tx)
  }

  struct Problem: Error, CustomStringConvertible {
    let description: String
  }

  private func debit(_ use: DemoHistory.Use, _ event: DemoHistory.Event) -> SQL {
    let check = CheckRequest(
      telegramID: people[event.person].telegramID, action: use.action, units: use.units)
    return Usage.posting(
      [
        DebitRequest(
          check: check, ref: use.ref, idempotencyKey: use.key, botID: bot(of: use.action))
      ], in: scope, at: event.at)
  }

  /// Which of the bots does it.
  private func bot(of action: String) -> Int64 {
    bots[action == "company_lookup" && bots.count > 1 ? 1 : 0].id
  }

  private mutating func flush(_ tx: Transaction) async throws {
    guard !waiting.isEmpty else { return }
    for rows in try await tx.pipeline(waiting) {
      switch try UsageAnswer(rows[0]).status {
      case .applied, .replayed, .insufficient: break
      case let status: throw Problem(description: "a debit was answered \(status.rawValue)")
      }
    }
    waiting.removeAll(keepingCapacity: true)
    waitingPeople.removeAll(keepingCapacity: true)
  }

  private mutating func write(_ event: DemoHistory.Event, _ tx: Transaction) async throws {
    switch event.deed {
    case .arrival:
      let person = people[event.person]
      let customer = try await tx.customer(
        telegramID: person.telegramID, name: person.name, in: scope, at: event.at)
      customerIDs[event.person] = customer.id
    case .invoice(let sale): _ = try await open(sale, event, tx)
    case .payment(let sale):
      let payload = try await open(sale, event, tx)
      try await pay(payload, chargeID: sale.chargeID, bot: sale.bot, event, tx)
    case .secondPayment(let sale, let chargeID):
      // The key finds the checkout that was paid before.
      let payload = try await open(sale, event, tx)
      try await pay(payload, chargeID: chargeID, bot: sale.bot, event, tx)
    case .foreignPayment(let bot, let stars, let payload, let chargeID):
      try await pay((stars, payload), chargeID: chargeID, bot: bot, event, tx)
    case .refund(let bot, let chargeID): try await refund(chargeID, bots[bot], event, tx)
    case .refundCase(let bot, let chargeID, let reason, let note):
      try await openCase(chargeID, bots[bot], reason, note, event, tx)
    case .hold(let use, let seconds): try await hold(use, seconds: seconds, event, tx)
    case .close(let use, let used): try await close(use, used: used, event, tx)
    case .gift(let gift): try await give(gift, event, tx)
    case .trial(let trial):
      _ = try await tx.decideTrial(
        TrialRequest(
          telegramID: people[event.person].telegramID, engagement: trial.engagement,
          intent: trial.intent, source: trial.source, idempotencyKey: trial.key),
        with: bots[0], in: scope, at: event.at)
    case .expiry:
      _ = try await tx.expire(try await account(event, tx), in: scope, at: event.at)
    case .plan(let deed): try await write(deed, event, tx)
    case .support(let deed): try await write(deed, event, tx)
    case .use: break
    }
  }

  private func open(
    _ sale: DemoHistory.Sale, _ event: DemoHistory.Event, _ tx: Transaction
  ) async throws -> (stars: Int64, payload: String) {
    let request = CheckoutRequest(
      telegramID: people[event.person].telegramID, sku: sale.sku,
      discountPercent: sale.discountPercent, resume: nil, idempotencyKey: sale.key)
    let (checkout, _) = try await tx.openCheckout(
      request, with: bots[sale.bot], catalog, platform.secrets, in: scope, at: sale.openedAt)
    return (checkout.stars, checkout.payload ?? "")
  }

  private func pay(
    _ invoice: (stars: Int64, payload: String), chargeID: String, bot: Int,
    _ event: DemoHistory.Event, _ tx: Transaction
  ) async throws {
    let person = people[event.person]
    let payment = SuccessfulPayment(
      currency: starsCurrency, totalAmount: invoice.stars, invoicePayload: invoice.payload,
      telegramPaymentChargeID: chargeID, providerPaymentChargeID: DemoWorkspace.chargeMark)
    // Telegram's times are whole seconds.
    let paidAt = Date(timeIntervalSince1970: event.at.timeIntervalSince1970.rounded(.down))
    _ = try await tx.recordPayment(
      ReportedCharge(
        payment: payment, buyerTelegramID: person.telegramID, buyerName: person.name,
        paidAt: paidAt), to: bots[bot], platform.secrets, in: scope, at: event.at)
  }

  /// As Telegram reports a refund that was made elsewhere.
  private func refund(
    _ chargeID: String, _ bot: Bot, _ event: DemoHistory.Event, _ tx: Transaction
  ) async throws {
    let row = try await tx.query(
      """
      select stars, invoice_payload from payments where workspace_id = \(scope.workspaceID)
        and bot_id = \(bot.id) and charge_id = \(chargeID)
      """
    ).first
    guard let row else { throw Problem(description: "a refund comes before its payment") }
    _ = try await tx.recordRefund(
      RefundedPayment(
        currency: starsCurrency, totalAmount: try row.get("stars"),
        invoicePayload: try row.get("invoice_payload"), telegramPaymentChargeID: chargeID),
      payerTelegramID: people[event.person].telegramID,
      refundedAt: Date(timeIntervalSince1970: event.at.timeIntervalSince1970.rounded(.down)),
      by: bot, in: scope, at: event.at)
  }

  private func openCase(
    _ chargeID: String, _ bot: Bot, _ reason: Refund.Reason, _ note: String,
    _ event: DemoHistory.Event, _ tx: Transaction
  ) async throws {
    let payment = try await tx.payment(
      of: Charge(botID: bot.id, chargeID: chargeID), in: scope)
    guard let payment else { throw Problem(description: "a case comes before its payment") }
    _ = try await tx.requestRefund(
      payment, source: .operator, reason: reason, note: note,
      by: Actor(.operator, DemoWorkspace.supportEmail), in: scope, at: event.at)
  }

  private mutating func hold(
    _ use: DemoHistory.Use, seconds: Double, _ event: DemoHistory.Event, _ tx: Transaction
  ) async throws {
    let price = catalog.action(use.action)?.priceCredits ?? 1
    let answer = try await tx.hold(
      Debit(
        use.units * price, key: "api:\(use.key)", action: use.action, units: Int32(use.units),
        ref: use.ref, botID: bot(of: use.action)), from: try await account(event, tx),
      until: event.at.addingTimeInterval(seconds), in: scope, at: event.at)
    try check(answer, "hold", [.insufficient])
  }

  private func close(
    _ use: DemoHistory.Use, used: Int64?, _ event: DemoHistory.Event, _ tx: Transaction
  ) async throws {
    let holdKey = "api:\(use.key)"
    let price = catalog.action(use.action)?.priceCredits ?? 1
    let answer =
      switch used {
      case nil:
        try await tx.release(hold: holdKey, key: "job:release:\(holdKey)", in: scope, at: event.at)
      case 0:
        try await tx.release(hold: holdKey, key: "\(holdKey):release", in: scope, at: event.at)
      case let used?:
        try await tx.commit(
          Commit(
            hold: holdKey, used: used * price, key: "\(holdKey):commit", units: Int32(used)),
          in: scope, at: event.at)
      }
    // Unknown: the credits had not reached for the hold.
    try check(answer, "close", [.unknown])
  }

  private mutating func give(
    _ gift: DemoHistory.Gift, _ event: DemoHistory.Event, _ tx: Transaction
  ) async throws {
    let source: LotSource =
      switch gift.kind {
      case .promo: .promo
      case .goodwill: .goodwill
      }
    let account = try await account(event, tx)
    let answer = try await tx.credit(
      Grant(gift.credits, source: source, expiresAt: gift.expiresAt, reason: gift.reason),
      to: account, key: "\(gift.kind.rawValue):\(gift.key)", in: scope, at: event.at)
    try check(answer, "gift", [])
  }

  private func check(
    _ answer: PostingAnswer, _ name: String, _ others: [PostingStatus]
  ) throws {
    guard ([.applied, .replayed] + others).contains(answer.status) else {
      throw Problem(description: "a \(name) was answered \(answer.status.rawValue)")
    }
  }

  mutating func account(
    _ event: DemoHistory.Event, _ tx: Transaction
  ) async throws -> Account {
    if let id = customerIDs[event.person] { return Account(id) }
    let customer = try await tx.customer(
      telegramID: people[event.person].telegramID, name: nil, in: scope, at: event.at)
    customerIDs[event.person] = customer.id
    return Account(customer.id)
  }
}
