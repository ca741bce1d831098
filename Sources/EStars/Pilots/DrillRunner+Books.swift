import Foundation
import Ledger
import Postgres
import Telegram

/// The drills after the money: a use, Stars that go back, and whether all books agree.
extension DrillRunner {
  /// A debit, and the same once more, as after an answer that was lost.
  func useAndRetry(_ scene: Scene) async throws -> Scene {
    var scene = scene
    let action = try await affordable(scene)
    let request = DebitRequest(
      check: CheckRequest(telegramID: scene.buyer, action: action, units: 1),
      ref: "drill \(scene.run.id)", idempotencyKey: Job.key(.drillsRun, "\(scene.run.id) debit"),
      botID: scene.bot.id)
    let first = try await platform.usage.debit(request, in: scene.scope)
    scene.facts["action"] = action
    guard first.status == .applied, let version = first.version else {
      throw Drill.Failure(
        problem: .notDebited, words: first.status.rawValue, facts: scene.facts)
    }
    let payment = try scene.mustHave(scene.payment)
    scene.facts["customer"] = String(payment.customerID)
    scene.facts["credits"] = String(first.cost)
    scene.facts["balance"] = String(first.balance)
    scene.facts["version"] = String(version)
    let again = try await platform.usage.debit(request, in: scene.scope)
    let entries = try await platform.pool.query(
      """
      select count(*) as entries from entries where workspace_id = \(scene.scope.workspaceID)
        and idempotency_key = \("api:" + request.idempotencyKey)
      """, in: scene.scope
    ).first?.get("entries", as: Int.self)
    guard again.status == .replayed, again.version == version, again.balance == first.balance,
      entries == 1
    else {
      throw Drill.Failure(
        problem: .notReplayed, words: again.status.rawValue, facts: scene.facts)
    }
    return scene
  }

  /// The first action that the buyer may run now, and that costs something.
  private func affordable(_ scene: Scene) async throws -> String {
    var refusal = UsageStatus.unknownAction
    for action in scene.actions {
      let answer = try await platform.usage.check(
        CheckRequest(telegramID: scene.buyer, action: action.key, units: 1), in: scene.scope)
      if answer.status == .allowed, answer.cost > 0 { return action.key }
      if answer.status != .allowed { refusal = answer.status }
    }
    throw Drill.Failure(problem: .notDebited, words: refusal.rawValue)
  }

  /// The first payment goes back as an operator would have it: asked for, decided by what the
  /// preview says, carried to Telegram.
  func giveBack(_ scene: Scene) async throws -> Scene {
    var scene = scene
    let payment = try scene.mustHave(scene.payment)
    let start = ContinuousClock.now
    let opened = try await Refund.request(
      payment, reason: .other, note: "drill \(scene.run.id)", by: asker(scene), in: scene.scope,
      platform.pool
    ).refund
    scene.facts = [
      "refund": String(opened.id), "charge": payment.chargeID, "stars": String(payment.stars),
    ]
    try await approve(opened.id, payment, scene)
    let done: Refund? = try await see(within: Limits.drillRefundSeconds) {
      await platform.refunds.settleNow(opened.id)
      let now = try await Refund.find(id: opened.id, in: scene.scope, platform.pool)
      return now?.state == .confirmed || now?.state == .failed ? now : nil
    }
    guard let done else {
      throw Drill.Failure(problem: .refundUnfinished, facts: scene.facts)
    }
    guard done.state == .confirmed else {
      throw Drill.Failure(
        problem: .refundFailed, words: done.problem?.text, facts: scene.facts)
    }
    scene.facts["confirmed_ms"] = start.milliseconds
    if let clawback = try await done.clawback(in: scene.scope, platform.pool) {
      scene.facts["credits_taken"] = String(clawback.taken)
      scene.facts["credits_used"] = String(clawback.used)
    }
    let charge = try await scene.sandbox.charges(of: scene.buyer)
      .first { $0.id == payment.chargeID }
    guard charge?.refundedAt != nil else {
      throw Drill.Failure(problem: .starsNotBack, facts: scene.facts)
    }
    return scene
  }

  /// Where two people have to agree, whoever asked for the drills is one of them. What the
  /// workspace's own rule has decided meanwhile is decided.
  private func approve(_ id: Int64, _ payment: Payment, _ scene: Scene) async throws {
    for actor in [asker(scene), Actor(.job, Job.Kind.drillsRun.rawValue), asker(scene)] {
      do {
        let preview = try await RefundPreview.of(payment, in: scene.scope, platform.pool)
        let refund = try await Refund.decide(
          id,
          RefundDecision(.refund(previewed: preview.fingerprint), note: "drill \(scene.run.id)"),
          by: actor, in: scene.scope, platform.pool)
        if !refund.state.waitsForDecision { return }
      } catch RefundRefusal.settled, RefundRefusal.decided {
        return
      } catch RefundRefusal.previewChanged, RefundRefusal.needsAnother {
        continue
      } catch let refusal as RefundRefusal {
        throw Drill.Failure(problem: .refundFailed, words: "\(refusal)", facts: scene.facts)
      }
    }
  }

  private func asker(_ scene: Scene) -> Actor { Actor(.operator, scene.run.askedBy) }

  /// Telegram's books of the bot and ours, movement by movement. One that began before this drill
  /// may have missed what the others did.
  func compareBooks(_ scene: Scene) async throws -> Scene {
    var scene = scene
    let began = scene.scope.now
    let actor = Actor(.job, Job.Kind.drillsRun.rawValue)
    var seen: Reconciliation?
    while seen.map({ $0.askedAt < began }) ?? true {
      let asked = try await Reconciliation.ask(
        scene.bot, by: actor, in: scene.scope, platform.pool)
      seen = try await see(within: Drill.Name.reconciliation.seconds) {
        await platform.reconciler.runNow(asked.id)
        let now = try await Reconciliation.find(id: asked.id, in: scene.scope, platform.pool)
        return now?.state.isUnderWay == false ? now : nil
      }
      if seen == nil { throw Drill.Failure(problem: .timeOver) }
    }
    let done = try scene.mustHave(seen)
    guard done.state == .done else {
      throw Drill.Failure(problem: .booksUnread, words: done.problem?.text)
    }
    let open = try await Mismatch.open(in: scene.scope, platform.pool)[scene.bot.id] ?? 0
    scene.facts = [
      "movements": String(done.nextPosition), "matched": String(done.matchedCount),
      "mismatches": String(open), "telegram_stars": String(done.balanceStars ?? 0),
      "books_stars": String(done.booksStars ?? 0),
    ]
    guard open == 0, done.matchedCount > 0, done.balanceStars == done.booksStars else {
      throw Drill.Failure(problem: .booksDiffer, facts: scene.facts)
    }
    return scene
  }

  /// Replays every entry and compares every balance.
  func verifyLedger(_ scene: Scene) async throws -> Scene {
    var scene = scene
    let start = ContinuousClock.now
    let result = try await Worker(platform: platform).verifyLedger(in: scene.scope)
    scene.facts = [
      "entries": String(result.entries), "problems": String(result.problems.count),
      "verified_ms": start.milliseconds,
    ]
    guard result.problems.isEmpty else {
      throw Drill.Failure(
        problem: .ledgerProblems, words: result.problems.first?.problem, facts: scene.facts)
    }
    return scene
  }
}
