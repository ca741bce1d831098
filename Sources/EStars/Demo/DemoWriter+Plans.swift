import Foundation
import Ledger
import Postgres
import Telegram

extension DemoWriter {
  /// What a person does with plans.
  mutating func write(
    _ deed: DemoHistory.PlanDeed, _ event: DemoHistory.Event, _ tx: Transaction
  ) async throws {
    let person = people[event.person]
    switch deed {
    case .payment(let invoice, let chargeID, let isFirst, let periodEndsAt):
      let (stars, payload) = try await open(invoice, event, tx)
      let payment = SuccessfulPayment(
        currency: starsCurrency, totalAmount: stars, invoicePayload: payload,
        telegramPaymentChargeID: chargeID, providerPaymentChargeID: DemoWorkspace.chargeMark,
        subscriptionExpirationDate: Int64(periodEndsAt.timeIntervalSince1970), isRecurring: true,
        isFirstRecurring: isFirst ? true : nil)
      _ = try await tx.recordPayment(
        ReportedCharge(
          payment: payment, buyerTelegramID: person.telegramID, buyerName: person.name,
          paidAt: event.at), to: bots[invoice.bot], platform.secrets, in: scope, at: event.at)
    case .renewal(let invoice, let word, let number):
      let (_, payload) = try await open(invoice, event, tx)
      let state: BotSubscriptionUpdated.State = word == .canceled ? .canceled : .failed
      _ = try await tx.hear(
        ReportedRenewal(telegramID: person.telegramID, payload: payload, state: state),
        updateID: number, bots[invoice.bot], platform.secrets, in: scope, at: event.at)
    case .aging:
      for subscription in try await running(event, tx) {
        try await tx.settle(subscription.id, in: scope, at: event.at)
      }
    case .trial(let plan, let key):
      _ = try await tx.startTrial(
        TrialStart(telegramID: person.telegramID, plan: plan, idempotencyKey: key),
        with: bots[0], by: Actor(.bot, bots[0].username), in: scope, at: event.at)
    case .downgrade(let plan):
      for subscription in try await running(event, tx) where subscription.isRecurring {
        _ = try await tx.downgrade(
          subscription.id, to: plan, by: Actor(.operator, DemoWorkspace.managerEmail),
          reason: "Asked in the chat", in: scope, at: event.at)
      }
    case .gift(let plan):
      let account = try await account(event, tx)
      _ = try await tx.give(
        PlanGift(
          plan: plan, customerID: account.id, until: nil, reason: "Yearly contract"),
        with: bots[0], by: Actor(.operator, DemoWorkspace.managerEmail), in: scope, at: event.at)
    }
  }

  /// The key finds the checkout that the first month was paid by.
  private func open(
    _ invoice: DemoHistory.PlanInvoice, _ event: DemoHistory.Event, _ tx: Transaction
  ) async throws -> (stars: Int64, payload: String) {
    let request = CheckoutRequest(
      telegramID: people[event.person].telegramID, item: .plan(invoice.plan),
      idempotencyKey: invoice.key)
    let (checkout, _) = try await tx.openCheckout(
      request, with: bots[invoice.bot], catalog, platform.secrets, in: scope,
      at: invoice.openedAt)
    return (checkout.stars, checkout.payload ?? "")
  }

  private mutating func running(
    _ event: DemoHistory.Event, _ tx: Transaction
  ) async throws -> [Subscription] {
    let account = try await account(event, tx)
    try await tx.lockCustomer(account.id, in: scope)
    return try await tx.running(of: account.id, in: scope)
  }
}
