/// A paid action to begin with: its price and, for everybody without a higher tier, its limit.
public struct ActionTemplate: Sendable, Equatable {
  public let key: String
  let english: String
  let portuguese: String
  let priceCredits: Int64
  var maxUnits = 10
  /// Units of everybody.
  var perDay: Int?
  var needsPremium = false
  /// Costs nothing and has no limit with it.
  var isFreeWithPremium = false

  /// Those that fit what the bot sells.
  public static func all(for segment: Bot.Segment) -> [ActionTemplate] {
    switch segment {
    case .aiBot: aiBot
    case .serviceBot: serviceBot
    case .miniApp: miniApp
    }
  }

  private static let aiBot = [
    ActionTemplate(
      key: "generation", english: "Generation", portuguese: "Geração", priceCredits: 1, perDay: 50),
    ActionTemplate(
      key: "hd_generation", english: "Generation in HD", portuguese: "Geração em HD",
      priceCredits: 3, perDay: 20),
    ActionTemplate(
      key: "edit", english: "Edit of a result", portuguese: "Edição de um resultado",
      priceCredits: 1, perDay: 100),
  ]

  private static let serviceBot = [
    ActionTemplate(
      key: "lookup", english: "Lookup", portuguese: "Consulta", priceCredits: 1, perDay: 50),
    ActionTemplate(
      key: "report", english: "Full report", portuguese: "Relatório completo", priceCredits: 5,
      maxUnits: 1, perDay: 10),
    ActionTemplate(
      key: "watch_day", english: "A day of watching", portuguese: "Um dia de monitoramento",
      priceCredits: 2, maxUnits: 31, perDay: 62),
  ]

  private static let miniApp = [
    ActionTemplate(
      key: "boost", english: "Boost", portuguese: "Impulso", priceCredits: 1, perDay: 30),
    ActionTemplate(
      key: "hd_result", english: "Result in HD", portuguese: "Resultado em HD", priceCredits: 2,
      perDay: 20, isFreeWithPremium: true),
    ActionTemplate(
      key: "premium_screen", english: "Premium screens", portuguese: "Telas premium",
      priceCredits: 0, maxUnits: 1, needsPremium: true),
  ]

  /// The action as it would be put in force. A unit costs what its credits cost.
  ///
  /// - Parameters:
  ///   - locale: The business's, `en` or `pt-BR`.
  ///   - tier: The one that everybody is in.
  public func rules(_ locale: String, tier: String, at rates: Rates) -> ActionRules {
    let cost = Int128(priceCredits) * Int128(rates.creditCostMicros)
    return ActionRules(
      key: key, title: locale == "pt-BR" ? portuguese : english, priceCredits: priceCredits,
      unitCostMicros: Int64(min(cost, Int128(Limits.unitCostMicros))),
      costCurrency: rates.currency, maxUnits: maxUnits,
      requiredEntitlement: needsPremium ? FeatureTemplate.premium.key : nil,
      unmeteredEntitlement: isFreeWithPremium ? FeatureTemplate.premium.key : nil,
      allowances: [tier: .init(perDay: perDay)])
  }
}
