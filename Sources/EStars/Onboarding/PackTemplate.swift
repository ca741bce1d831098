/// A pack to begin with. What it is called stands here in both languages; a business sells it in its
/// own and keeps the other for buyers who speak that.
public struct PackTemplate: Sendable, Equatable {
  public let sku: String
  let emoji: String
  let english: String
  let portuguese: String
  let credits: Int64
  var bonus: Int64 = 0
  let stars: Int64
  var audience = Pack.Audience.everyone
  /// Days of ``FeatureTemplate/premium``.
  var premiumDays: Int?

  /// Those that fit what the bot sells, in the order of their prices.
  public static func all(for segment: Bot.Segment) -> [PackTemplate] {
    switch segment {
    case .aiBot: aiBot
    case .serviceBot: serviceBot
    case .miniApp: miniApp
    }
  }

  /// For staff, to pay once for real.
  private static let test = PackTemplate(
    sku: "test", emoji: "🔧", english: "Test", portuguese: "Teste", credits: 1, stars: 1,
    audience: .admins)

  private static let aiBot = [
    test,
    PackTemplate(
      sku: "try", emoji: "🎁", english: "Try", portuguese: "Experimente", credits: 5, bonus: 4,
      stars: 49, audience: .firstPurchase),
    PackTemplate(
      sku: "start", emoji: "⭐", english: "Start", portuguese: "Início", credits: 10, stars: 75),
    PackTemplate(
      sku: "pop", emoji: "💎", english: "Pop", portuguese: "Pop", credits: 30, stars: 175),
    PackTemplate(
      sku: "pro", emoji: "👑", english: "Pro", portuguese: "Pro", credits: 100, stars: 500),
    PackTemplate(
      sku: "max", emoji: "🚀", english: "Max", portuguese: "Max", credits: 250, stars: 1125),
  ]

  private static let serviceBot = [
    test,
    PackTemplate(
      sku: "first", emoji: "🎁", english: "First order", portuguese: "Primeiro pedido", credits: 3,
      bonus: 2, stars: 49, audience: .firstPurchase),
    PackTemplate(
      sku: "ten", emoji: "🔎", english: "Ten", portuguese: "Dez", credits: 10, stars: 129),
    PackTemplate(
      sku: "thirty", emoji: "📦", english: "Thirty", portuguese: "Trinta", credits: 30, stars: 349),
    PackTemplate(
      sku: "hundred", emoji: "🏢", english: "Hundred", portuguese: "Cem", credits: 100, stars: 990),
  ]

  private static let miniApp = [
    test,
    PackTemplate(
      sku: "boosts", emoji: "⚡", english: "Boosts", portuguese: "Impulsos", credits: 20, stars: 99),
    PackTemplate(
      sku: "week", emoji: "📅", english: "Premium, a week", portuguese: "Premium, uma semana",
      credits: 10, stars: 149, premiumDays: 7),
    PackTemplate(
      sku: "month", emoji: "🌟", english: "Premium, a month", portuguese: "Premium, um mês",
      credits: 50, stars: 449, premiumDays: 30),
  ]

  /// The pack as it would be put on sale.
  ///
  /// - Parameter locale: The business's, `en` or `pt-BR`.
  public func rules(_ locale: String) -> PackRules {
    let isPortuguese = locale == "pt-BR"
    let other = ProductName(
      language: isPortuguese ? "en" : "pt-br", title: isPortuguese ? english : portuguese,
      description: isPortuguese ? inEnglish : inPortuguese)
    return PackRules(
      sku: sku, title: isPortuguese ? portuguese : english,
      description: isPortuguese ? inPortuguese : inEnglish, emoji: emoji, credits: credits,
      bonusCredits: bonus, stars: stars, audience: audience,
      terms: premiumDays.map {
        [Pack.Term(entitlement: FeatureTemplate.premium.key, days: $0)]
      } ?? [], names: [other])
  }

  private var inEnglish: String {
    if bonus > 0 { return "\(credits) credits and \(bonus) more as a bonus." }
    let words = credits == 1 ? "1 credit" : "\(credits) credits"
    return premiumDays.map { "Premium for \($0) days and \(words)." } ?? "\(words)."
  }

  private var inPortuguese: String {
    if bonus > 0 { return "\(credits) créditos e mais \(bonus) de bônus." }
    let words = credits == 1 ? "1 crédito" : "\(credits) créditos"
    return premiumDays.map { "Premium por \($0) dias e \(words)." } ?? "\(words)."
  }
}

/// A feature that templates of packs grant and templates of actions ask for.
public struct FeatureTemplate: Sendable, Equatable {
  public let key: String
  /// The same in both languages.
  public let title: String

  static let premium = FeatureTemplate(key: "premium", title: "Premium")
}
