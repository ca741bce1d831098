import EStars
import Foundation
import Testing

@testable import Web

/// Figures that the site's texts name are those of the program.
@Suite struct SiteWordsTests {
  private static func text(_ name: String, _ language: Language) throws -> String {
    let file = "content/\(language.contentFolder)/\(name).md"
    return try String(contentsOf: GoldenTests.root.appending(path: file), encoding: .utf8)
  }

  private func expect(_ name: String, _ en: String, _ pt: String) throws {
    for (language, words) in [(Language.en, en), (.ptBR, pt)] {
      let text = try Self.text(name, language).replacing("\n", with: " ")
      #expect(text.contains(words), "\(name) in \(language) lacks “\(words)”")
    }
  }

  @Test func howLongThingsAreKept() throws {
    let idle = Limits.sessionIdleSeconds / 3600
    let days = Limits.sessionSeconds / 86_400
    try expect(
      "privacy", "\(idle) hours without use, \(days) days at most",
      "\(idle) horas sem uso, \(days) dias no máximo")
    try expect(
      "security", "\(idle) hours without use and after \(days) days",
      "\(idle) horas sem uso e, de todo modo, após \(days) dias")
    let updates = Limits.updateSeconds / 86_400
    try expect(
      "privacy", "delivered, \(updates) days at most", "entregar, \(updates) dias no máximo")
    #expect(Limits.preCheckoutQuerySeconds == 2 * 86_400)
    try expect(
      "privacy", "before a payment\", \"two days\"", "antes de um pagamento\", \"dois dias\"")
    let decided = Int(Limits.applicationSeconds / 86_400)
    try expect(
      "privacy", "until \(decided) days after the decision",
      "até \(decided) dias depois da decisão")
    #expect(Limits.applicationWindowSeconds == 86_400)
    try expect("privacy", "as a hash\", \"about a day\"", "como hash\", \"cerca de um dia\"")
  }

  /// When to expect an answer, and how long what was asked is kept: wherever it is said.
  @Test func applicantsAreToldTheSameEverywhere() throws {
    try expect("index", "within five working days", "em até cinco dias úteis")
    try expect(
      "faq", "within five working days, with an invitation code within two",
      "em até cinco dias úteis, ou em até dois com código de convite")
    let renderer = try GoldenTests.renderer()
    for (language, five, two) in [
      (Language.en, "five working days", "within two"), (.ptBR, "cinco dias úteis", "até dois"),
    ] {
      let t = renderer.strings(language)
      #expect(t["apply.description"].contains(five) && t["apply.when"].contains(five))
      #expect(t["apply.when"].contains(two) && t["applied.next_code"].contains(two))
      #expect(t["applied.next_received"].contains(five))
      let days = String(Int(Limits.applicationSeconds / 86_400))
      #expect(t["applied.how_long"].contains(days))
    }
  }

  @Test func whatTheAnswersSayOfTheProgram() throws {
    let readers = Limits.customersReadPerMinute
    try expect(
      "faq", "up to \(readers) different users a minute",
      "até \(readers) pessoas diferentes por minuto")
    let quickstart = try String(
      contentsOf: GoldenTests.root.appending(path: "content/examples/quickstart.py"),
      encoding: .utf8)
    #expect((140...160).contains(quickstart.count { $0 == "\n" }))
    try expect("faq", "about 150 lines", "umas 150 linhas")
    #expect(Limits.starHoldSeconds == 21 * 86_400)
    try expect("margin", "for up to 21 days", "por até 21 dias")
    let usual = Rates(currency: "USD", currencyMicrosPerUSD: 1, creditCostMicros: 0)
    #expect(usual.usdMicrosPer100Stars == 1_300_000)
    try expect("margin", "1.30 USD for 100 Stars", "1,30 USD por 100 Stars")
  }

  /// A row about another product rests on its pages, or says that nothing was found.
  @Test(arguments: Language.allCases)
  func everyStatementAboutTributeHasItsSource(_ language: Language) throws {
    let file = "content/\(language.contentFolder)/compare/tribute.md"
    let content = try ContentPage<CompareContent>(
      source: Data(contentsOf: GoldenTests.root.appending(path: file)), file: file
    ).frontMatter
    let found =
      language == .en
      ? "We found none in its public documentation." : "Não encontramos na documentação pública."
    for row in content.table.rows {
      #expect(row.sources.isEmpty == (row.tribute == found), "\(row.topic)")
      #expect(!row.estars.isEmpty)
    }
    #expect(
      content.table.sources.values.allSatisfy { $0.url.hasPrefix("https://wiki.tribute.tg/") })
    #expect(content.checked.wholeMatch(of: /20\d\d-\d\d-\d\d/) != nil)
  }

  /// Both languages hold the same pages, gates, rows, questions and sources.
  @Test func theLanguagesSayTheSame() throws {
    for name in ["compare/tribute", "faq", "gates", "margin", "privacy", "security", "terms"] {
      let counts = try Language.allCases.map { language in
        let text = try Self.text(name, language)
        return [
          "\n## ", "\n- ", "\n    - topic:", "question:", "sources: [", "why:", "\n      - [",
        ]
        .map { text.components(separatedBy: $0).count }
      }
      #expect(counts[0] == counts[1], "\(name)")
    }
  }
}
