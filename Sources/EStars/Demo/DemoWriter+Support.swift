import Foundation
import Ledger
import Postgres

extension DemoWriter {
  /// Whoever answers in the demo takes the case, as soon as there is such a member.
  func write(
    _ deed: DemoHistory.SupportDeed, _ event: DemoHistory.Event, _ tx: Transaction
  ) async throws {
    let agent = Actor(.operator, DemoWorkspace.supportEmail)
    switch deed {
    case .call(let bot, let topic, let text, let chargeID, let key):
      _ = try await tx.take(
        SupportReport(
          telegramID: people[event.person].telegramID, text: text, topic: topic,
          chargeID: chargeID, idempotencyKey: key), from: bots[bot], in: scope, at: event.at)
    case .words(let bot, let text, let key):
      _ = try await tx.take(
        SupportReport(
          telegramID: people[event.person].telegramID, text: text, idempotencyKey: key),
        from: bots[bot], in: scope, at: event.at)
    case .reply(let text, let key, let number):
      let operatorID = try await tx.query(
        "select operator_id from operators where email = \(agent.name)"
      ).first?.get("operator_id", as: Int64.self)
      _ = try await tx.reply(
        to: try await supportCase(key, tx).id, text, key: "\(key)-\(number)", by: agent,
        operatorID: operatorID, isSent: false, in: scope, at: event.at)
    case .note(let text, let key):
      _ = try await tx.keep(
        .init(author: .operator, authorName: agent.name, isNote: true, body: text),
        of: try await supportCase(key, tx), in: scope, at: event.at)
    case .closure(let key):
      try await tx.close(try await supportCase(key, tx), by: agent, in: scope, at: event.at)
    }
  }

  private func supportCase(_ key: String, _ tx: Transaction) async throws -> SupportCase {
    guard let found = try await tx.supportCase(key: "api:" + key, in: scope) else {
      throw Problem(description: "a support case is written about before it begins")
    }
    return found
  }
}
