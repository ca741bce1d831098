import Foundation
@_spi(Guard) import Ledger
import Postgres
import TestSupport
import Testing

@_spi(Guard) @testable import EStars

@Suite struct DayTests {
  @Test func daysAreThoseOfTheCalendar() throws {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    for number in stride(from: -40_000, through: 90_000, by: 7) {
      let parts = calendar.dateComponents(
        [.year, .month, .day], from: Date(timeIntervalSince1970: Double(number) * 86_400))
      let iso = try #require(
        parts.year.map { "\($0)" + (parts.month ?? 0).twoDigits + (parts.day ?? 0).twoDigits })
      #expect(Day(number: number).description == iso)
      let isAskedFor = (1970...2200).contains(parts.year ?? 0)
      #expect(Day(iso)?.number == (isAskedFor ? number : nil))
    }
  }

  @Test(arguments: [
    "2026-02-29", "2026-13-01", "2026-1-1", "21.11.2026", "", "2026-11-21x",
    "0000-01-01", "0001-01-01", "1969-12-31", "2201-01-01", "9999-12-31",
  ])
  func whatIsNoDayIsNone(_ text: String) {
    #expect(Day(text) == nil)
  }

  @Test func aDayBeginsWhereItsWorkspaceIs() throws {
    let saoPaulo = try #require(TimeZone(identifier: "America/Sao_Paulo"))
    let kiritimati = try #require(TimeZone(identifier: "Pacific/Kiritimati"))
    let moment = Date(timeIntervalSince1970: 1_795_228_200)  // 2026-11-21 02:30 UTC
    #expect(Day(moment, in: .gmt).description == "2026-11-21")
    #expect(Day(moment, in: saoPaulo).description == "2026-11-20")
    let day = try #require(Day("2026-11-21"))
    #expect(day.start(in: .gmt).timeIntervalSince1970 == 1_795_219_200)
    #expect(day.start(in: saoPaulo).timeIntervalSince1970 == 1_795_230_000)
    #expect(day.start(in: kiritimati).timeIntervalSince1970 == 1_795_168_800)
    // Midnight of this day was skipped there.
    let skipped = try #require(Day("2018-11-04"))
    #expect(Day(skipped.start(in: saoPaulo), in: saoPaulo) == skipped)
    #expect(Day(skipped.start(in: saoPaulo) - 1, in: saoPaulo) == skipped.advanced(by: -1))
  }

  @Test func periodsAreComparedWithAsManyDaysBefore() throws {
    let today = try #require(Day("2026-03-02"))
    let week = Period(.week, today: today)
    #expect(week.days.map(\.description).first == "2026-02-24" && week.days.count == 7)
    #expect(week.before.upperBound.description == "2026-02-23" && week.before.count == 7)
    #expect(Period(.today, today: today).before == Day("2026-03-01")!...Day("2026-03-01")!)
    let (early, late) = (try #require(Day("2026-01-31")), try #require(Day("2026-02-02")))
    #expect(Period(.custom, today: today, from: late, to: early).days == early...late)
    #expect(Period(.custom, today: today, from: early).days == early...today)
    #expect(Period(.custom, today: today, to: early).days.count == 30)
    let endless = Period(.custom, today: today, from: Day("1990-01-01"), to: today)
    #expect(endless.days.count == Period.longest && endless.days.upperBound == today)
  }

  @Test func moneyIsRoundedOnce() {
    let rates = Rates(currency: "BRL", currencyMicrosPerUSD: 5_400_000, creditCostMicros: 180_000)
    #expect(rates.micros(stars: 75) == 5_265_000)
    #expect(rates.micros(stars: -75) == -5_265_000)
    #expect(rates.micros(starMicros: 1) == 0 && rates.micros(starMicros: 8) == 1)
    #expect(rates.micros(100, of: "USD") == 540 && rates.micros(100, of: "EUR") == nil)
    #expect(rates.micros(0, of: "EUR") == 0 && rates.micros(7, of: "BRL") == 7)
    #expect(rates.cost(ofCredits: 10) == 1_800_000 && rates.cost(ofCredits: -1) == 0)
  }
}

extension Int {
  fileprivate var twoDigits: String { self < 10 ? "-0\(self)" : "-\(self)" }
}

/// What pages read, against what was done.
@Suite struct FigureTests {
  @Test func figuresSayWhatHappened() async throws {
    try await Fixture.with { fixture in
      let (scope, pool) = (fixture.scope, fixture.pool)
      let today = Day(scope.now, in: fixture.workspace.timeZone)
      // A day before and after: the test may run over midnight, and Telegram's times are its own.
      let days = today.advanced(by: -40)...today.advanced(by: 1)
      let first = try await fixture.pay("start", user: 701, charge: "f1")
      _ = try await fixture.pay("pop", user: 702, charge: "f2")
      _ = try await fixture.pay("start", user: 702, charge: "f3")
      for number in 0..<3 {
        let answer = try await fixture.platform.usage.debit(
          DebitRequest(
            check: CheckRequest(telegramID: 702, action: "sticker", units: 2), ref: nil,
            idempotencyKey: "use-\(number)"), in: scope)
        #expect(answer.status == .applied)
      }
      _ = try await fixture.receive(
        Sent.refund(update: 90, payer: 701, stars: first.stars, payload: "", charge: "f1"))
      try await Rollup(fixture.platform).follow(in: scope)
      let paid = try await Payment.recent(before: nil, limit: 10, in: scope, pool)
      let sum = paid.reduce(0) { $0 + $1.stars }

      let sales = try await SalesFigures.total(nil, in: scope, pool)
      #expect(sales.payments == 3 && sales.firstPurchases == 2 && sales.refunds == 1)
      #expect(sales.stars == sum && sales.net == sum - first.stars)
      let byProduct = try await SalesFigures.byProduct(
        Day(number: 0)...today.advanced(by: 4_000), limit: 10, in: scope, pool)
      #expect(byProduct.map(\.sku) == ["pop", "start"])
      #expect(byProduct.map(\.figures.net).reduce(0, +) == sales.net)
      #expect(byProduct.allSatisfy { $0.title?.isEmpty == false && $0.product == .pack })

      let credits = try await CreditFigures.total(days, unit: 1, in: scope, pool)
      #expect(credits.used == 6 && credits.issued == paid.reduce(0) { $0 + $1.allCredits })
      #expect(credits.takenBack == first.allCredits && credits.expired == 0)
      let owed = try await CreditLiability.at(days.upperBound, unit: 1, in: scope, pool)
      let balances = try await fixture.balance(701) + fixture.balance(702)
      #expect(owed == CreditLiability(credits: balances, held: 0))
      #expect(credits.owedChange == balances)

      let usage = try await UsageFigures.load(days, in: scope, pool)
      #expect(usage.byAction.map(\.key) == ["sticker"] && usage.total.uses == 3)
      #expect(usage.total.units == 6 && usage.total.credits == 6 && usage.byBot.count == 1)
      #expect(usage.bySource.map(\.key) == [""])
      #expect(usage.total.starMicros > 0, "paid credits were burned")
      let newcomers = try await NewcomerFigures.total(nil, in: scope, pool)
      #expect(newcomers == 2)

      try await Rollup(fixture.platform).countTops(in: scope)
      let tops = try await CustomerTop.all(days: 0, limit: 10, in: scope, pool)
      #expect(tops[.netStars]?.map(\.amount) == [sum - first.stars])
      #expect(tops[.creditsUsed]?.map(\.amount) == [6])
      let checkouts = try await CheckoutFigures.load(days, in: scope, pool)
      #expect(checkouts.opened == 3 && checkouts.completed == 3 && checkouts.failed == 0)
    }
  }

  @Test func whatIsHeldIsStillOwed() async throws {
    try await Fixture.with { fixture in
      let (scope, pool) = (fixture.scope, fixture.pool)
      _ = try await fixture.pay("start", user: 703, charge: "h1")
      let answer = try await fixture.platform.usage.hold(
        HoldRequest(
          check: CheckRequest(telegramID: 703, action: "sticker", units: 4), ref: nil,
          seconds: 600, idempotencyKey: "hold-1", botID: fixture.bot.id), in: scope)
      #expect(answer.usage.status == .applied)
      try await Rollup(fixture.platform).follow(in: scope)
      let today = Day(scope.now, in: fixture.workspace.timeZone)
      let owed = try await CreditLiability.at(today.advanced(by: 1), unit: 1, in: scope, pool)
      let balance = try await fixture.balance(703)
      #expect(owed == CreditLiability(credits: balance + 4, held: 4))
    }
  }

  @Test func paymentsAreFilteredAndTurned() async throws {
    try await Fixture.with { fixture in
      let (scope, pool) = (fixture.scope, fixture.pool)
      for number in 1...5 {
        _ = try await fixture.pay(
          number.isMultiple(of: 2) ? "pop" : "start", user: Int64(703 + number % 2),
          charge: "p\(number)")
      }
      _ = try await fixture.receive(
        Sent.payment(update: 89, from: 705, stars: 60, payload: "not ours", charge: "p6"))
      let payment = try #require(
        try await Payment.find(botID: fixture.bot.id, chargeID: "p1", in: scope, pool))
      _ = try await fixture.receive(
        Sent.refund(update: 90, payer: 704, stars: payment.stars, payload: "", charge: "p1"))
      func charges(_ filter: PaymentFilter) async throws -> [String] {
        var found: [String] = []
        var cursor: Payment.Cursor?
        while true {
          let page = try await Payment.recent(filter, before: cursor, limit: 2, in: scope, pool)
          found += page.map(\.chargeID)
          guard page.count == 2, let last = page.last else { return found.sorted() }
          cursor = Payment.Cursor(last)
        }
      }
      #expect(try await charges(.init()) == ["p1", "p2", "p3", "p4", "p5", "p6"])
      #expect(try await charges(.init(standing: .paid)) == ["p2", "p3", "p4", "p5"])
      #expect(try await charges(.init(standing: .refunded)) == ["p1"])
      #expect(try await charges(.init(standing: .unmatched)) == ["p6"])
      #expect(try await charges(.init(standing: .refunding)) == [])
      #expect(try await charges(.init(product: .pack)) == ["p1", "p2", "p3", "p4", "p5"])
      #expect(try await charges(.init(product: .plan)) == [])
      #expect(try await charges(.init(standing: .paid, sku: "pop")) == ["p2", "p4"])
      #expect(try await charges(.init(customerID: payment.customerID)) == ["p1", "p3", "p5"])
      #expect(try await charges(.init(botID: fixture.bot.id + 1)) == [])
      #expect(try await charges(.init(chargeID: "p3")) == ["p3"])
      let (past, since) = (Date.distantPast..<payment.paidAt, payment.paidAt..<Date.distantFuture)
      #expect(try await charges(.init(paid: past)).contains("p1") == false)
      #expect(try await charges(.init(paid: since)).contains("p1"))
    }
  }
}

extension Payment {
  fileprivate var allCredits: Int64 { credits + bonusCredits }
}
