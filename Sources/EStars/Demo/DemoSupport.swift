import Foundation
import Ledger
import Postgres

/// What is said in the demo's support cases, and the templates that its studio answers from.
enum DemoSupport {
  struct Words: Sendable {
    /// How a buyer begins, by topic.
    let calls: [SupportCase.Topic: [String]]
    /// What the studio answers.
    let answers: [SupportCase.Topic: String]
    /// The buyer, when nothing comes.
    let reminder: String
    let thanks: String
  }

  static let topics: [SupportCase.Topic] = [
    .creditsMissing, .notDelivered, .refund, .creditsMissing, .access, .notDelivered, .other,
  ]

  static let english = Words(
    calls: [
      .creditsMissing: [
        "I bought a pack and my credits are gone. Where did they go?",
        "Yesterday I had more credits than today, and I only made two stickers.",
      ],
      .notDelivered: ["I paid and nothing came.", "The last sticker came out blank."],
      .refund: ["I bought the wrong pack, can I have my Stars back?"],
      .access: ["HD does not work although I paid for it."],
      .other: ["Can I use my credits in the other bot, too?"],
    ],
    answers: [
      .creditsMissing:
        "Hi! We looked: each sticker took one credit, and a promotional lot ended last night. What is "
        + "left does not expire.",
      .notDelivered: "Sorry about that. We have put the credit back; please try once more.",
      .refund: "We have asked for the refund. You will hear here as soon as it is decided.",
      .access: "Please close and open the chat once more; HD is on since your payment.",
      .other: "Yes: both bots of ours take the same credits.",
    ], reminder: "Hello? Is anybody there?", thanks: "Thank you, that helped!")

  static let words: [String: Words] = [
    "en": english,
    "pt": Words(
      calls: [
        .creditsMissing: [
          "Comprei um pacote e meus créditos sumiram. Para onde foram?",
          "Ontem eu tinha mais créditos do que hoje, e só fiz duas figurinhas.",
        ],
        .notDelivered: ["Paguei e não veio nada.", "A última figurinha saiu em branco."],
        .refund: ["Comprei o pacote errado, dá para devolver minhas Stars?"],
        .access: ["O HD não funciona, e eu paguei por ele."],
        .other: ["Posso usar meus créditos no outro bot também?"],
      ],
      answers: [
        .creditsMissing:
          "Oi! Olhamos aqui: cada figurinha usou um crédito e um lote promocional venceu ontem à "
          + "noite. O que sobrou não vence.",
        .notDelivered: "Desculpe! Devolvemos o crédito; tente mais uma vez, por favor.",
        .refund: "Pedimos o estorno. Assim que for decidido, avisamos por aqui.",
        .access: "Feche e abra o chat mais uma vez: o HD está ligado desde o seu pagamento.",
        .other: "Pode, sim: os nossos dois bots usam os mesmos créditos.",
      ], reminder: "Oi? Tem alguém aí?", thanks: "Obrigado, ajudou muito!"),
    "es": Words(
      calls: [
        .creditsMissing: ["Compré un paquete y mis créditos desaparecieron. ¿Adónde fueron?"],
        .notDelivered: ["Pagué y no llegó nada."],
        .refund: ["Compré el paquete equivocado, ¿pueden devolverme mis Stars?"],
        .access: ["El HD no funciona aunque pagué por él."],
        .other: ["¿Puedo usar mis créditos también en el otro bot?"],
      ],
      answers: [
        .notDelivered: "Lo sentimos. Devolvimos el crédito; inténtalo otra vez, por favor."
      ],
      reminder: "¿Hola? ¿Hay alguien?", thanks: "¡Gracias, me sirvió!"),
    "ru": Words(
      calls: [
        .creditsMissing: ["Я купила пакет, а кредиты пропали. Куда они делись?"],
        .notDelivered: ["Оплата прошла, но ничего не пришло."],
        .refund: ["Купила не тот пакет. Можно вернуть звёзды?"],
        .access: ["HD не работает, хотя я за него заплатила."],
        .other: ["Можно тратить кредиты и в другом боте?"],
      ],
      answers: [.notDelivered: "Простите! Мы вернули кредит, попробуйте ещё раз."],
      reminder: "Есть кто-нибудь?", thanks: "Спасибо, помогло!"),
  ]

  /// What the studio writes down for itself.
  static func note(_ topic: SupportCase.Topic) -> String {
    switch topic {
    case .creditsMissing: "Linha do tempo confere: usos normais e um lote que venceu."
    case .notDelivered: "O trabalho falhou do nosso lado; crédito devolvido."
    case .refund: "Nada usado ainda. Cabe na regra."
    case .access, .subscription: "Acesso ativo desde o pagamento."
    case .other: "Dúvida, sem problema na conta."
    }
  }

  /// Templates that are there from the start; what exists stays.
  static func writeTemplates(in scope: WorkspaceScope, _ tx: Transaction) async throws {
    for template in templates {
      for (language, words) in template.words {
        try await tx.execute(
          """
          insert into reply_templates (workspace_id, reply_template, language, title, body)
          values (\(scope.workspaceID), \(template.key), \(language.rawValue), \(words.title),
            \(words.body))
          on conflict do nothing
          """)
      }
    }
  }

  private static let templates: [ReplyTemplate] = [
    ReplyTemplate(
      key: "credits",
      words: [
        .en: .init(
          title: "Where your credits went",
          body: "Hi {name}, this is what happened to your credits:\n\n{credits_answer}"),
        .ptBR: .init(
          title: "Para onde foram seus créditos",
          body: "Oi, {name}! Veja o que aconteceu com seus créditos:\n\n{credits_answer}"),
        .es: .init(
          title: "Adónde fueron tus créditos",
          body: "Hola, {name}: esto pasó con tus créditos:\n\n{credits_answer}"),
        .ru: .init(
          title: "Куда делись кредиты",
          body: "Здравствуйте, {name}! Вот что было с вашими кредитами:\n\n{credits_answer}"),
      ]),
    ReplyTemplate(
      key: "not-delivered",
      words: [
        .en: .init(
          title: "Nothing came",
          body: "Sorry, {name}. We have put the credit back: you have {balance}. Please try again."),
        .ptBR: .init(
          title: "Não chegou",
          body: "Desculpe, {name}. Devolvemos o crédito: você tem {balance}. Tente de novo, por "
            + "favor."),
      ]),
    ReplyTemplate(
      key: "refund-rule",
      words: [
        .en: .init(
          title: "Our rule for refunds",
          body: "You can have your Stars back within 24 hours as long as none of the credits are "
            + "used. Shall we ask for it?"),
        .ptBR: .init(
          title: "Nossa regra de estorno",
          body: "Você pode receber suas Stars de volta em até 24 horas, se nenhum dos créditos foi "
            + "usado. Pedimos o estorno?"),
      ]),
  ]
}
