import EStars
import Foundation
import HTTPTypes

/// One mismatch.
enum MismatchesController {
  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let view = try await visit.mismatchView()
    return try await visit.page(view.render)
  }
}

enum MismatchFixController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let id = try visit.inbound.id("mismatch")
    return try await visit.close(id) {
      try await Mismatch.fix(id, by: visit.actor, in: visit.scope, visit.platform)
    }
  }
}

enum MismatchAcceptanceController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let id = try visit.inbound.id("mismatch")
    let note = visit.inbound.words(try visit.inbound.form()["note"])
    let problem: MismatchView.Problem? =
      switch note.unicodeScalars.count {
      case 0: .missing
      case 1...Limits.noteCharacters: nil
      default: .long
      }
    if let problem {
      var view = try await visit.mismatchView()
      view.form = .init(note: note, problem: problem)
      var reply = try await visit.page(view.render)
      reply.status = .unprocessableContent
      return reply
    }
    return try await visit.close(id) {
      try await Mismatch.accept(
        id, note: note, by: visit.actor, in: visit.scope, visit.platform.pool)
    }
  }
}

extension Visit {
  fileprivate func close(
    _ id: Int64, _ change: () async throws -> Mismatch
  ) async throws -> Reply {
    func again(_ warning: MismatchView.Warning) async throws -> Reply {
      var view = try await mismatchView()
      view.warning = warning
      var reply = try await page(view.render)
      reply.status = .conflict
      return reply
    }
    do {
      _ = try await change()
    } catch MismatchRefusal.notFound {
      throw Refusal.notFound
    } catch MismatchRefusal.closed {
      // The same form sent twice: what it says is done, and once.
      let now = try await Mismatch.find(id: id, in: scope, platform.pool)
      guard now?.closedBy == actor.name else { return try await again(.closed) }
    } catch is MismatchRefusal {
      return try await again(.refused)
    }
    return .seeOther(Links.mismatch(workspace.slug, id))
  }

  fileprivate func mismatchView() async throws -> MismatchView {
    let pool = platform.pool
    guard
      let mismatch = try await Mismatch.find(id: inbound.id("mismatch"), in: scope, pool)
    else { throw Refusal.notFound }
    let sides = try await mismatch.sides(in: scope, pool)
    let customerID = mismatch.customerID ?? sides.payment?.customerID
    var customer: Customer?
    if let customerID { customer = try await Customer.find(id: customerID, in: scope, pool) }
    let bot = try await platform.directory.bot(mismatch.botID)
    let names = bot.map { [$0.id: BotLabel($0)] } ?? [:]
    let audit = try await AuditEntry.about("mismatch", String(mismatch.id), in: scope, pool)
    return MismatchView(
      mismatch: MismatchRow(mismatch, names, customer), happenedAt: sides.telegram?.at,
      partner: sides.telegram.map {
        [$0.partner, $0.kind].compactMap(\.self).joined(separator: ", ")
      },
      payment: sides.payment.map(PaymentKey.init), refundID: sides.refund?.id,
      ledgerCredits: sides.ledger?.credits, takenCredits: sides.ledger?.taken,
      effect: try await mismatch.effect(in: scope, platform).map(MismatchView.Effect.init),
      form: membership.role >= .manager ? .init() : nil,
      closed: mismatch.closedAt.flatMap { at in
        mismatch.closedBy.map { .init(at: at, by: $0, note: mismatch.note) }
      },
      audit: audit.map(PaymentView.AuditLine.init))
  }
}

extension MismatchView.Effect {
  init(_ effect: MismatchEffect) {
    switch effect {
    case .credits(let credits, let balance):
      self.init(kind: .credits, credits: credits, balance: balance)
    case .plan: self.init(kind: .plan)
    case .unmatched: self.init(kind: .unmatched)
    case .refund(let change, let balance):
      self.init(kind: .refund, credits: change, balance: balance)
    case .refundUnpaid: self.init(kind: .refundUnpaid)
    case .posting(let credits, let balance):
      self.init(kind: .posting, credits: credits, balance: balance)
    }
  }
}
