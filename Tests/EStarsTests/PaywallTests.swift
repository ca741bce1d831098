import Testing

@testable import EStars

@Suite struct PaywallTests {
  private let own = [
    PaywallText(state: .waitBuyCredit, language: "pt-br", body: "Compre já"),
    PaywallText(state: .waitBuyCredit, language: "de", body: "Bitte kaufen"),
  ]

  @Test(
    arguments: [
      (["pt-BR"], "pt-br", "Compre já"), (["pt"], "pt-br", "Compre já"),
      ([nil, "de-at", "en"], "de", "Bitte kaufen"), (["xx", "", "de"], "de", "Bitte kaufen"),
      (["ja", "pt-br"], "pt-br", "Compre já"),
    ] as [([String?], String, String)])
  func theFirstLanguageThatIsThereSpeaks(
    _ languages: [String?], _ language: String, _ body: String
  ) {
    let text = PaywallText.text(for: .waitBuyCredit, in: languages, own: own)
    #expect(text.language == language && text.body == body)
  }

  @Test func aLanguageCountsMoreThanWhoseWordsTheyAre() {
    let text = PaywallText.text(for: .waitBuyCredit, in: ["es-mx", "pt-br"], own: own)
    #expect(text.language == "es" && PaywallText.builtIn.contains(text))
    let other = PaywallText.text(for: .waitFirstPurchase, in: ["pt-br"], own: own)
    #expect(PaywallText.builtIn.contains(other) && other.language == "pt-br")
    #expect(PaywallText.text(for: .waitBuyCredit, in: ["xx"], own: []).language == "en")
  }

  @Test func everyStateHasOurWordsInEveryLanguageOfOurs() {
    let languages = Set(PaywallText.builtIn.map(\.language))
    #expect(languages == ["en", "pt-br", "es", "ru"])
    for state in PaywallState.allCases {
      #expect(PaywallText.builtIn.count { $0.state == state } == 4)
    }
    #expect(Set(PaywallText.builtIn.map(\.body)).count == 8)
  }

  @Test func tagsAreReadGenerously() {
    let tags = ["pt-BR", "pt_br", "zh-hans", "EN", "e", "", "\0", "english", "en-usa"]
    #expect(
      tags.map(PaywallText.tag) == ["pt-br", "pt-br", "zh", "en", nil, nil, nil, nil, "en"])
  }
}
