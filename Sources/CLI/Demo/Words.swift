import EStars
import Telegram

/// What the demo bots say, in Portuguese to those whose Telegram speaks it and in English to others.
struct Words {
  private let isPortuguese: Bool

  init(_ user: User?) {
    isPortuguese = user?.languageCode?.lowercased().hasPrefix("pt") ?? false
  }

  /// In Telegram's spelling.
  var language: String { say("en", "pt-br") }

  private func say(_ english: String, _ portuguese: String) -> String {
    isPortuguese ? portuguese : english
  }

  func credits(_ count: Int64) -> String {
    count == 1 ? say("1 credit", "1 crédito") : say("\(count) credits", "\(count) créditos")
  }

  func welcome(_ plan: DemoWorkspace.BotPlan) -> String {
    plan.action == "sticker"
      ? say(
        "Send me an idea and I draw a sticker of it. Each sticker costs 1 credit.",
        "Mande uma ideia e eu desenho uma figurinha. Cada figurinha custa 1 crédito.")
      : say(
        "I look companies up in public registers. Each lookup costs 2 credits.",
        "Eu consulto empresas em registros públicos. Cada consulta custa 2 créditos.")
  }

  func run(_ plan: DemoWorkspace.BotPlan) -> String {
    plan.action == "sticker"
      ? say("Make a sticker · 1 credit", "Criar figurinha · 1 crédito")
      : say("Look up a company · 2 credits", "Consultar empresa · 2 créditos")
  }

  var buy: String { say("Buy credits", "Comprar créditos") }
  var choosePack: String { say("Choose a pack:", "Escolha um pacote:") }
  var packGone: String {
    say("This pack is not for sale any more.", "Este pacote não está mais à venda.")
  }

  var needsCredits: String {
    say(
      "Your credits do not reach for this. Choose a pack:",
      "Seus créditos não bastam para isso. Escolha um pacote:")
  }

  func balance(_ count: Int64) -> String {
    say("You have \(credits(count)).", "Você tem \(credits(count)).")
  }

  func paid(_ stars: Int64, _ bought: Int64, _ balance: Int64) -> String {
    say(
      "Payment of \(stars) ★ received: \(credits(bought)) added. You have \(credits(balance)).",
      "Pagamento de \(stars) ★ recebido: \(credits(bought)) na conta. Você tem \(credits(balance))."
    )
  }

  func refunded(_ stars: Int64, _ balance: Int64) -> String {
    say(
      "\(stars) ★ went back to you. You have \(credits(balance)).",
      "\(stars) ★ voltaram para você. Você tem \(credits(balance)).")
  }

  func done(_ plan: DemoWorkspace.BotPlan, _ cost: Int64, _ balance: Int64) -> String {
    let result =
      plan.action == "sticker"
      ? say("Your sticker is ready.", "Sua figurinha está pronta.")
      : say("Here is what the register says.", "Aqui está o que diz o registro.")
    return result + " "
      + say(
        "\(credits(cost)) used, \(credits(balance)) left.",
        "Uso: \(credits(cost)). Restam \(credits(balance)).")
  }

  var paySupport: String {
    say(
      "Send /paysupport and what went wrong in one message. The studio sees your payments and "
        + "credits, and answers here.",
      "Mande /paysupport e o que deu errado numa só mensagem. O estúdio vê seus pagamentos e "
        + "créditos, e responde aqui.")
  }

  var supportHeard: String {
    say(
      "The studio has it. Somebody will answer here; what you write until then goes along.",
      "O estúdio recebeu. Alguém vai responder aqui; o que você escrever até lá vai junto.")
  }

  var terms: String {
    say(
      "This is a demo: its Stars and credits are worth nothing.",
      "Isto é uma demonstração: as Stars e os créditos não valem nada.")
  }

  var privacy: String {
    say(
      "The demo keeps your name, Telegram id, payments and use on this machine only.",
      "A demonstração guarda nome, id, pagamentos e uso apenas nesta máquina.")
  }
}
