import Foundation
import Ledger
import Postgres
import Telegram

/// The drills up to the money: the bot, its rules, its webhook, a payment.
extension DrillRunner {
  /// The sandbox knows the bot by our token.
  func mapBot(_ scene: Scene) async throws -> Scene {
    var scene = scene
    var client = try platform.telegram(for: scene.bot)
    client.options.timeout = .seconds(Limits.botCallSeconds)
    let start = ContinuousClock.now
    let me = try await client.getMe()
    scene.facts = [
      "bot": "@\(me.username ?? scene.bot.username)", "mode": scene.bot.mode.rawValue,
      "answer_ms": start.milliseconds,
    ]
    guard me.id == scene.bot.id else { throw Drill.Failure(problem: .token) }
    for (index, id) in scene.people.enumerated() {
      try await scene.sandbox.makePerson(
        id, firstName: "Drill", lastName: "\(scene.run.id)-\(index + 1)", language: scene.locale,
        stars: Limits.drillStars)
    }
    return scene
  }

  /// A pack that everybody may buy, and an action that what it gives pays for.
  func readRules(_ scene: Scene) async throws -> Scene {
    var scene = scene
    let catalog = try await Catalog.load(in: scene.scope, platform.pool)
    let packs = catalog.listed.filter { $0.audience == .everyone }
    let actions = catalog.actions.filter { $0.priceCredits > 0 }
    scene.facts = [
      "packs": String(catalog.listed.count), "actions": String(catalog.actions.count),
    ]
    guard !packs.isEmpty else {
      throw Drill.Failure(problem: .noPack, facts: scene.facts)
    }
    guard let cheapest = actions.map(\.priceCredits).min() else {
      throw Drill.Failure(problem: .noAction, facts: scene.facts)
    }
    let pack = packs.filter { $0.credits + $0.bonusCredits >= cheapest }
      .min { ($0.stars, $0.sku) < ($1.stars, $1.sku) }
    guard let pack else {
      throw Drill.Failure(problem: .nothingAffordable, facts: scene.facts)
    }
    scene.pack = pack
    scene.actions = actions
    scene.facts["pack"] = pack.sku
    scene.facts["stars"] = String(pack.stars)
    scene.facts["credits"] = String(pack.credits + pack.bonusCredits)
    return scene
  }

  /// A person writes to the bot, and the update arrives here.
  func sayHello(_ scene: Scene) async throws -> Scene {
    var scene = scene
    scene.facts["mode"] = scene.bot.mode.rawValue
    guard scene.bot.mode != .forwarding else {
      throw Drill.Failure(problem: .webhookElsewhere, facts: scene.facts)
    }
    let (at, start) = (scene.scope.now, ContinuousClock.now)
    try await scene.sandbox.say("/start", from: scene.buyer, to: scene.bot.id)
    let update = try await see {
      try await platform.pool.query(
        """
        select update_id from updates where workspace_id = \(scene.scope.workspaceID)
          and bot_id = \(scene.bot.id) and kind = 'message' and received_at >= \(at)
        order by received_at limit 1
        """, in: scene.scope
      ).first?.get("update_id", as: Int64.self)
    }
    guard let update else {
      var client = try platform.telegram(for: scene.bot)
      client.options.timeout = .seconds(Limits.botCallSeconds)
      let info = try await client.getWebhookInfo()
      throw Drill.Failure(
        problem: .updateNotSeen, words: info.lastErrorMessage, facts: scene.facts)
    }
    scene.facts["update"] = String(update)
    scene.facts["arrived_ms"] = start.milliseconds
    return scene
  }

  func buy(_ scene: Scene) async throws -> Scene {
    var scene = scene
    let pack = try scene.mustHave(scene.pack)
    let start = ContinuousClock.now
    let payment = try await buy(pack, as: scene.buyer, "payment", scene)
    scene.payment = payment
    scene.facts = payment.evidence
    scene.facts["credited_ms"] = start.milliseconds
    try await check(payment, gave: pack, scene)
    return scene
  }

  /// The sandbox sends the same update twice at the same time, as Telegram does when an answer is
  /// lost.
  func buyDeliveredTwice(_ scene: Scene) async throws -> Scene {
    var scene = scene
    let pack = try scene.mustHave(scene.pack)
    let began = scene.scope.now
    try await scene.sandbox.deliverNextTwice(bot: scene.bot.id)
    let payment = try await buy(pack, as: scene.buyer, "double", scene)
    scene.facts = payment.evidence
    let times = try await see {
      let update = try await platform.pool.query(
        """
        select update_id from updates where workspace_id = \(scene.scope.workspaceID)
          and bot_id = \(scene.bot.id) and payment_id = \(payment.id)
          and received_at >= \(began)
        """, in: scene.scope
      ).first?.get("update_id", as: Int64.self)
      let tries = try await scene.sandbox.deliveries(bot: scene.bot.id).filter {
        $0.updateId == update && $0.status == 200
      }
      return tries.contains(where: \.isDuplicate) && tries.count > 1 ? tries.count : nil
    }
    guard let times else { throw Drill.Failure(problem: .notRepeated, facts: scene.facts) }
    scene.facts["deliveries"] = String(times)
    try await check(payment, gave: pack, scene)
    return scene
  }

  /// Real pre-checkouts of several buyers at once. The time of each is the sandbox's: from its
  /// question until the answer was carried out.
  func buyManyTimes(_ scene: Scene) async throws -> Scene {
    var scene = scene
    let pack = try scene.mustHave(scene.pack)
    let last = try await scene.sandbox.deliveries(bot: scene.bot.id).map(\.updateId).max() ?? 0
    let current = scene
    try await withThrowingTaskGroup { group in
      for person in current.people.dropFirst() {
        group.addTask {
          for number in 1...Limits.drillPurchases {
            _ = try await buy(pack, as: person, "\(person) \(number)", current)
          }
        }
      }
      try await group.waitForAll()
    }
    let times = try await scene.sandbox.deliveries(bot: scene.bot.id).filter {
      $0.updateId > last && $0.kind == "pre_checkout_query" && $0.status == 200
    }.map(\.milliseconds).sorted()
    let limit = Limits.drillPreCheckoutMilliseconds
    scene.facts = ["count": String(times.count), "limit_ms": String(limit)]
    guard times.count >= Limits.drillBuyers * Limits.drillPurchases else {
      throw Drill.Failure(problem: .preCheckoutUnanswered, facts: scene.facts)
    }
    let p95 = Self.percentile(95, of: times)
    scene.facts["p50_ms"] = String(Self.percentile(50, of: times))
    scene.facts["p95_ms"] = String(p95)
    scene.facts["max_ms"] = String(times[times.count - 1])
    guard p95 <= limit else { throw Drill.Failure(problem: .tooSlow, facts: scene.facts) }
    return scene
  }

  /// The nearest rank: no value that nobody measured.
  ///
  /// - Parameter sorted: Smallest first; not empty.
  static func percentile(_ percent: Int, of sorted: [Int]) -> Int {
    sorted[max(0, (sorted.count * percent + 99) / 100 - 1)]
  }
}

extension DrillRunner {
  /// Opens a checkout, pays it at the sandbox and waits until it is booked here.
  ///
  /// - Parameter what: Tells this purchase from the others of the run.
  fileprivate func buy(
    _ pack: Pack, as person: Int64, _ what: String, _ scene: Scene
  ) async throws -> Payment {
    let request = CheckoutRequest(
      telegramID: person, item: .pack(sku: pack.sku, discountPercent: 0),
      openedBy: Actor(.job, Job.Kind.drillsRun.rawValue),
      idempotencyKey: Job.key(.drillsRun, "\(scene.run.id) \(what)"))
    let link: String
    do {
      let opened = try await Checkout.open(
        request, with: scene.bot, in: scene.scope, platform)
      link = opened.link ?? ""
    } catch let refusal as Checkout.Refusal {
      switch refusal {
      case .telegram(let words), .telegramRefused(let words), .unreachable(let words):
        throw Drill.Failure(problem: .sandboxRefused, words: words)
      default: throw Drill.Failure(problem: .checkoutRefused, words: "\(refusal)")
      }
    }
    switch try await scene.sandbox.pay(link, as: person) {
    case .refused(let words): throw Drill.Failure(problem: .paymentRefused, words: words)
    case .noAnswer: throw Drill.Failure(problem: .preCheckoutUnanswered)
    case .paid(let chargeID):
      let payment = try await see {
        try await Payment.find(
          botID: scene.bot.id, chargeID: chargeID, in: scene.scope, platform.pool)
      }
      guard let payment, payment.state == .credited else {
        throw Drill.Failure(problem: .notCredited, facts: ["charge": chargeID])
      }
      return payment
    }
  }

  /// The ledger has lots of the charge for what the pack gives, and for no more.
  fileprivate func check(_ payment: Payment, gave pack: Pack, _ scene: Scene) async throws {
    let granted = try await payment.lots(in: scene.scope, platform.pool)
      .reduce(0) { $0 + $1.granted }
    guard granted == pack.credits + pack.bonusCredits, payment.stars == pack.stars else {
      throw Drill.Failure(problem: .wrongCredits, facts: scene.facts)
    }
  }
}

extension Payment {
  fileprivate var evidence: [String: String] {
    [
      "charge": chargeID, "customer": String(customerID), "stars": String(stars),
      "credits": String(credits + bonusCredits),
    ]
  }
}

extension ContinuousClock.Instant {
  /// Since then, whole.
  var milliseconds: String { String(Int(duration(to: .now) / .milliseconds(1))) }
}
