import Foundation
import Testing

@testable import Web

@Suite struct FormattingTests {
  private func format(_ language: Language, zone: String = "America/Sao_Paulo") throws -> Formatting
  {
    Formatting(
      strings: try GoldenTests.renderer().strings(language),
      timeZone: try #require(TimeZone(identifier: zone)), now: Samples.now)
  }

  @Test(
    arguments: [
      (0, "0", "0", "0"), (7, "7", "7", "+7"), (999, "999", "999", "+999"),
      (1_125, "1,125", "1.125", "+1,125"), (-3, "−3", "−3", "−3"),
      (-1_000_000, "−1,000,000", "−1.000.000", "−1,000,000"),
      (
        Int64.min, "−9,223,372,036,854,775,808", "−9.223.372.036.854.775.808",
        "−9,223,372,036,854,775,808"
      ),
    ] as [(Int64, String, String, String)])
  func numbers(_ value: Int64, _ english: String, _ portuguese: String, _ signed: String) throws {
    #expect(try format(.en).number(value) == english)
    #expect(try format(.ptBR).number(value) == portuguese)
    #expect(try format(.en).signed(value) == signed)
  }

  @Test func starsAndCredits() throws {
    #expect(try format(.en).signedStars(-1_125) == "−1,125\u{a0}★")
    #expect(try format(.en).credits(1) == "1 credit")
    #expect(try format(.en).signedCredits(-1) == "−1 credit")
    #expect(try format(.en).credits(0) == "0 credits")
    #expect(try format(.ptBR).credits(0) == "0 créditos")
    #expect(try format(.ptBR).signedCredits(10) == "+10 créditos")
  }

  @Test(
    arguments: [
      (0, "just now", "agora mesmo"), (44, "just now", "agora mesmo"),
      (45, "1 minute ago", "há 1 minuto"), (180, "3 minutes ago", "há 3 minutos"),
      (3_569, "59 minutes ago", "há 59 minutos"), (3_570, "1 hour ago", "há 1 hora"),
      (84_599, "23 hours ago", "há 23 horas"), (84_600, "1 day ago", "há 1 dia"),
      (2_591_999, "30 days ago", "há 30 dias"), (2_592_000, "22 Oct 2026", "22 de out. de 2026"),
      (-10, "in a moment", "em instantes"), (-7_200, "in 2 hours", "em 2 horas"),
      (-172_800, "in 2 days", "em 2 dias"),
    ] as [(Double, String, String)])
  func relativeTimes(_ ago: Double, _ english: String, _ portuguese: String) throws {
    let date = Samples.ago(ago)
    #expect(try format(.en).relative(date) == english)
    #expect(try format(.ptBR).relative(date) == portuguese)
  }

  @Test func exactTimesFollowTheWorkspacesZone() throws {
    #expect(try format(.en).exact(Samples.now) == "21 Nov 2026 at 09:00:12 GMT-3")
    #expect(try format(.en, zone: "Asia/Kolkata").exact(Samples.now).contains("17:30:12"))
    #expect(try format(.ptBR).exact(Samples.now).contains("09:00:12"))
    #expect(try format(.en).iso(Samples.now) == "2026-11-21T12:00:12Z")
    #expect(try format(.en).iso(.distantFuture).hasPrefix("4001"))
  }

  @Test func isoDaysAreDaysWhateverTheZone() throws {
    #expect(try format(.en).day(isoDay: "2026-11-21") == "21 Nov 2026")
    #expect(try format(.en, zone: "Pacific/Kiritimati").shortDay(isoDay: "2026-11-21") == "21 Nov")
    #expect(try format(.ptBR).shortDay(isoDay: "2026-02-01") == "1 de fev.")
    #expect(try format(.en).day(isoDay: "soon") == "soon")
  }
}
