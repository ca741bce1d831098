extension BotReply {
  /// What is answered where the operator wrote nothing. It promises nothing in their name.
  public static func standard(
    _ command: ReplyCommand, _ language: ReplyLanguage, bot: Bot
  ) -> String {
    switch (command, language) {
    case (.paysupport, .en):
      """
      Something wrong with a purchase in \(bot.name)? Send /paysupport and what happened in one \
      message, such as: /paysupport my credits did not come. Add the transaction ID if you can: \
      Telegram shows it in Settings › My Stars. A person will look at it and answer here.

      Telegram's own support cannot help with purchases made in this bot.
      """
    case (.paysupport, .ptBR):
      """
      Algum problema com uma compra no \(bot.name)? Mande /paysupport e o que aconteceu numa só \
      mensagem, por exemplo: /paysupport meus créditos não chegaram. Se puder, inclua o ID da \
      transação: o Telegram mostra em Configurações › Minhas Stars. Uma pessoa vai olhar o seu caso \
      e responder aqui.

      O suporte do próprio Telegram não pode ajudar com compras feitas neste bot.
      """
    case (.terms, .en):
      """
      \(bot.name) sells digital services for Telegram Stars. Each pack says what it gives before you \
      pay, and you get it as soon as Telegram confirms the payment. Credits are used in this bot only \
      and cannot be changed back into money. /balance shows what you have and what expires. \
      Questions about a payment: /paysupport.
      """
    case (.terms, .ptBR):
      """
      O \(bot.name) vende serviços digitais por Telegram Stars. Cada pacote diz o que dá antes de \
      você pagar, e você recebe assim que o Telegram confirma o pagamento. Os créditos valem só \
      neste bot e não voltam a ser dinheiro. /balance mostra o que você tem e o que vence. Dúvidas \
      sobre um pagamento: /paysupport.
      """
    case (.privacy, .en):
      """
      To serve you, \(bot.name) keeps your Telegram ID, your name, username and language as Telegram \
      shows them, what you bought and how your credits were used. Telegram handles the payment \
      itself. Questions, or a wish to be deleted: /paysupport.
      """
    case (.privacy, .ptBR):
      """
      Para atender você, o \(bot.name) guarda o seu ID do Telegram, o nome, o nome de usuário e o \
      idioma que o Telegram mostra, o que você comprou e como os créditos foram usados. Quem cuida do \
      pagamento é o próprio Telegram. Dúvidas, ou para pedir a exclusão: /paysupport.
      """
    case (.balance, _): ""
    }
  }
}
