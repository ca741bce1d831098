extension PaywallText {
  /// Our own words, until an operator writes better ones.
  public static let builtIn: [PaywallText] = [
    PaywallText(
      state: .waitFirstPurchase, language: "en",
      body: "You have no credits yet. Choose a pack and carry on right where you are."),
    PaywallText(
      state: .waitBuyCredit, language: "en",
      body: "Your credits are used up. Choose a pack and carry on right where you are."),
    PaywallText(
      state: .waitFirstPurchase, language: "pt-br",
      body: "Você ainda não tem créditos. Escolha um pacote e continue de onde parou."),
    PaywallText(
      state: .waitBuyCredit, language: "pt-br",
      body: "Seus créditos acabaram. Escolha um pacote e continue de onde parou."),
    PaywallText(
      state: .waitFirstPurchase, language: "es",
      body: "Todavía no tienes créditos. Elige un paquete y sigue donde lo dejaste."),
    PaywallText(
      state: .waitBuyCredit, language: "es",
      body: "Se te acabaron los créditos. Elige un paquete y sigue donde lo dejaste."),
    PaywallText(
      state: .waitFirstPurchase, language: "ru",
      body: "У вас пока нет кредитов. Выберите пакет и продолжайте с того же места."),
    PaywallText(
      state: .waitBuyCredit, language: "ru",
      body: "Кредиты закончились. Выберите пакет и продолжайте с того же места."),
  ]
}
