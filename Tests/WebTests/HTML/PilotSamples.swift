import Foundation

@testable import Web

extension Samples {
  private static func drill(
    _ name: DrillRow.Name, _ facts: [String: String], _ milliseconds: Int64 = 240
  ) -> DrillRow {
    DrillRow(
      name: name, state: .passed, botID: shop.id, facts: facts, finishedAt: ago(hour),
      milliseconds: milliseconds)
  }

  static let passedDrills: [DrillRow] = [
    drill(.botMapped, ["bot": "@estudio_1x_bot", "mode": "webhook", "answer_ms": "9"]),
    drill(
      .rulesDefined,
      ["packs": "3", "actions": "1", "pack": "start", "stars": "75", "credits": "10"], 14),
    drill(.webhookSeen, ["mode": "webhook", "update": "512349876", "arrived_ms": "21"]),
    drill(
      .paymentCredited,
      [
        "charge": "stx0017", "customer": "7", "stars": "75", "credits": "10",
        "credited_ms": "112",
      ]),
    drill(
      .doubleDelivery,
      [
        "charge": longCharge, "customer": "7", "stars": "75", "credits": "10",
        "deliveries": "2",
      ]),
    drill(
      .preCheckoutP95,
      [
        "count": "20", "p50_ms": "11", "p95_ms": "34", "max_ms": "1041", "limit_ms": "2000",
      ], 1_870),
    drill(
      .debitRetried,
      ["action": "sticker", "credits": "1", "balance": "19", "customer": "7", "version": "3"]),
    drill(
      .refund,
      [
        "refund": "31", "charge": "stx0017", "stars": "75", "credits_taken": "9",
        "credits_used": "1", "confirmed_ms": "187",
      ]),
    drill(
      .reconciliation,
      [
        "movements": "1023", "matched": "1023", "mismatches": "0", "telegram_stars": "1575",
        "books_stars": "1575",
      ]),
    drill(.ledgerVerified, ["entries": "4207", "problems": "0", "verified_ms": "61"]),
  ]

  static let passedRun = DrillRunRow(
    id: 12, state: .passed, bot: shop, askedBy: "ana@estudio.example", askedAt: ago(hour),
    finishedAt: ago(hour - 9), drills: passedDrills)

  /// One line for each way to fail.
  static let failedRun: DrillRunRow = {
    var run = passedRun
    run.id = 11
    run.state = .failed
    run.askedBy = hostile
    run.drills = DrillRow.Problem.allCases.map { problem in
      var row = DrillRow(
        name: .paymentCredited, state: .failed, problem: problem, botID: shop.id,
        facts: [
          "problem": problem.rawValue, "stars": "75", "p95_ms": "2412", "limit_ms": "2000",
          "mismatches": "2", "telegram_stars": "75", "books_stars": "150", "problems": "1",
        ], finishedAt: ago(hour), milliseconds: 10_004)
      if [.sandboxRefused, .paymentRefused, .refundFailed].contains(problem) {
        row.facts["words"] = hostile
      }
      return row
    }
    run.drills.append(
      DrillRow(name: .refund, state: .skipped, missing: .paymentCredited, botID: shop.id))
    return run
  }()

  static let runningRun: DrillRunRow = {
    var run = passedRun
    run.state = .running
    run.finishedAt = nil
    run.askedAt = ago(4)
    run.drills = zip(DrillRow.Name.allCases, passedDrills).map { name, passed in
      switch name {
      case .botMapped, .rulesDefined: passed
      case .webhookSeen: DrillRow(name: name, state: .running, botID: shop.id)
      default: DrillRow(name: name, state: .waiting, botID: shop.id)
      }
    }
    return run
  }()

  private static let asked = ExpansionPart.Request(
    state: .asked, askedAt: ago(day), askedBy: "ana@estudio.example", body: hostile, run: 12)

  private static func pilot(_ change: (inout PilotView) -> Void = { _ in }) -> PilotView {
    var view = PilotView(
      stage: .pilot, drillSlug: "figurinhas-lab-test", run: passedRun,
      expansion: ExpansionPart(liveSlug: "figurinhas-lab", limit: 2000))
    change(&view)
    return view
  }

  static let pilotPages: [GoldenTests.Page] = [
    GoldenTests.Page(name: "pilot") {
      pilot {
        $0.history = [failedRun]
        $0.paging = Paging(nextCursor: "11")
      }.render(with: $0, in: frame())
    },
    GoldenTests.Page(name: "pilot-pt") {
      pilot { $0.expansion.draft = String(repeating: "á", count: 2001) }
        .render(with: $0, in: frame(.ptBR, side: .live))
    },
    GoldenTests.Page(name: "pilot-running") {
      pilot {
        $0.run = runningRun
        $0.expansion.refusal = .noDrills
      }.render(with: $0, in: frame())
    },
    GoldenTests.Page(name: "pilot-waits-pt") {
      pilot {
        $0.run = runningRun
        $0.run?.drills = DrillRow.Name.allCases.map {
          DrillRow(name: $0, state: .waiting, botID: shop.id)
        }
        $0.mayRun = false
        $0.expansion.refusal = .owners
      }.render(with: $0, in: frame(.ptBR))
    },
    GoldenTests.Page(name: "pilot-no-bot") {
      pilot {
        $0.stage = .approved
        $0.run = nil
        $0.obstacle = .bot
        $0.mayStartBot = true
        $0.trouble = .connection
      }.render(with: $0, in: frame())
    },
    GoldenTests.Page(name: "pilot-no-sandbox-pt") {
      pilot {
        $0.run = nil
        $0.obstacle = .sandbox
        $0.expansion.refusal = .noDrills
      }.render(with: $0, in: frame(.ptBR))
    },
    GoldenTests.Page(name: "pilot-live-only") {
      pilot {
        $0.run = nil
        $0.drillSlug = nil
        $0.obstacle = .otherSide
        $0.expansion.request = asked
        $0.expansion.refusal = .owners
      }.render(with: $0, in: frame(side: .live))
    },
    GoldenTests.Page(name: "pilot-open-pt") {
      pilot {
        $0.stage = .open
        $0.mayRun = false
        $0.run = nil
        $0.expansion.request = asked
        $0.expansion.request?.state = .approved
        $0.expansion.request?.decidedAt = ago(hour)
        $0.expansion.request?.answer = rightToLeft
      }.render(with: $0, in: frame(.ptBR))
    },
    GoldenTests.Page(name: "pilot-suspended") {
      pilot {
        $0.stage = .suspended
        $0.suspension = .init(at: ago(day), reason: hostile)
        $0.obstacle = .suspended
        $0.run = failedRun
        $0.expansion.request = asked
        $0.expansion.request?.state = .declined
        $0.expansion.request?.decidedAt = ago(hour)
        $0.expansion.request?.answer = ""
      }.render(with: $0, in: frame())
    },
    GoldenTests.Page(name: "drill-run") {
      DrillRunView(run: passedRun).render(with: $0, in: frame())
    },
    GoldenTests.Page(name: "drill-run-failed-pt") {
      DrillRunView(run: failedRun).render(with: $0, in: frame(.ptBR))
    },
    GoldenTests.Page(name: "drill-run-running-pt") {
      DrillRunView(run: runningRun).render(with: $0, in: frame(.ptBR))
    },
  ]

  /// Words that are chosen by a value.
  static let pilotWords: [String] =
    PilotView.Stage.allCases.flatMap { ["pilot.stage_\($0)", "pilot.about_\($0)"] }
    + PilotView.Obstacle.allCases.flatMap {
      ["pilot.obstacle_\($0.rawValue)", "pilot.fix_\($0.rawValue)"]
    } + PilotView.Trouble.allCases.map { "pilot.trouble_\($0.rawValue)" }
    + DrillRunRow.State.allCases.map { "pilot.state_\($0)" }
    + ExpansionPart.State.allCases.map { "expansion.state_\($0)" }
    + ExpansionPart.Refusal.allCases.map { "expansion.refusal_\($0.rawValue)" }
    + DrillRow.Name.allCases.flatMap { name in
      ["name", "about", "saw"].map { "drill.\($0)_\(name.rawValue)" }
    } + DrillRow.State.allCases.map { "drill.state_\($0)" }
    + DrillRow.Problem.allCases.flatMap {
      ["drill.problem_\($0.rawValue)", "drill.fix_\($0.rawValue)"]
    } + BotMode.allCases.map { "drill.mode_\($0)" }
}
