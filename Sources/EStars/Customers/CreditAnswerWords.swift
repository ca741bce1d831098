import Ledger

/// The sentences of an answer, each in the four languages.
extension CreditAnswerWords {
  func greeting(_ name: String) -> String {
    switch (language, name.isEmpty) {
    case (.en, false): "Hello, \(name)! This is where your credits went."
    case (.en, true): "Hello! This is where your credits went."
    case (.ptBR, false): "Olá, \(name)! Veja para onde foram seus créditos."
    case (.ptBR, true): "Olá! Veja para onde foram seus créditos."
    case (.es, false): "¡Hola, \(name)! Esto es lo que pasó con tus créditos."
    case (.es, true): "¡Hola! Esto es lo que pasó con tus créditos."
    case (.ru, false): "Здравствуйте, \(name)! Вот куда ушли ваши кредиты."
    case (.ru, true): "Здравствуйте! Вот куда ушли ваши кредиты."
    }
  }

  func has(_ amount: String) -> String {
    switch language {
    case .en: "Now you have \(amount)."
    case .ptBR: "Agora você tem \(amount)."
    case .es: "Ahora tienes \(amount)."
    case .ru: "Сейчас у вас: \(amount)."
    }
  }

  func owes(_ amount: String) -> String {
    switch language {
    case .en: "\(amount) are still owed after a refund; the next ones pay this first."
    case .ptBR: "Falta pagar \(amount) de um estorno; os próximos pagam isso primeiro."
    case .es: "Faltan \(amount) por pagar de un reembolso; los próximos pagan esto primero."
    case .ru: "После возврата остался долг: \(amount). Новые кредиты сначала погасят его."
    }
  }

  func held(_ amount: String) -> String {
    switch language {
    case .en: "Set aside for work in progress: \(amount)."
    case .ptBR: "Reservado para um trabalho em andamento: \(amount)."
    case .es: "Reservado para un trabajo en curso: \(amount)."
    case .ru: "Отложено для незавершённой работы: \(amount)."
    }
  }

  var cameTitle: String {
    switch language {
    case .en: "What came in:"
    case .ptBR: "O que entrou:"
    case .es: "Lo que entró:"
    case .ru: "Пришло:"
    }
  }

  var wentTitle: String {
    switch language {
    case .en: "Where it went:"
    case .ptBR: "Para onde foi:"
    case .es: "A dónde fue:"
    case .ru: "Ушло:"
    }
  }

  func unmatched(_ stars: Int64) -> String {
    switch language {
    case .en: "\(stars) ★ that match no order; we are looking into it"
    case .ptBR: "\(stars) ★ sem pedido correspondente; estamos verificando"
    case .es: "\(stars) ★ sin pedido que les corresponda; lo estamos revisando"
    case .ru: "\(stars) ★ без заказа; мы это проверяем"
    }
  }

  func refunded(_ day: String) -> String {
    switch language {
    case .en: "the Stars went back to you on \(day)"
    case .ptBR: "as Stars voltaram para você em \(day)"
    case .es: "las Stars volvieron a ti el \(day)"
    case .ru: "Stars вернулись вам \(day)"
    }
  }

  func earlier(_ amount: String, _ purchases: Int64) -> String {
    switch language {
    case .en: "before that: +\(amount), \(purchases == 1 ? "1 purchase" : "\(purchases) purchases")"
    case .ptBR: "antes disso: +\(amount), \(purchases == 1 ? "1 compra" : "\(purchases) compras")"
    case .es: "antes: +\(amount), \(purchases == 1 ? "1 compra" : "\(purchases) compras")"
    case .ru:
      "раньше: +\(amount), "
        + CountedNoun("покупка", "покупки", "покупок").text(purchases, language)
    }
  }

  func gift(_ source: LotSource) -> String {
    switch (language, source) {
    case (.en, .trial): "to try it out"
    case (.en, .promo): "a promotion"
    case (.en, .goodwill): "a courtesy of ours"
    case (.en, .subscription): "with your plan"
    case (.en, .bonus), (.en, .payment): "a bonus"
    case (.en, .adjustment): "what you had before"
    case (.ptBR, .trial): "para experimentar"
    case (.ptBR, .promo): "uma promoção"
    case (.ptBR, .goodwill): "uma cortesia nossa"
    case (.ptBR, .subscription): "com o seu plano"
    case (.ptBR, .bonus), (.ptBR, .payment): "um bônus"
    case (.ptBR, .adjustment): "o que você já tinha"
    case (.es, .trial): "para probar"
    case (.es, .promo): "una promoción"
    case (.es, .goodwill): "una cortesía nuestra"
    case (.es, .subscription): "con tu plan"
    case (.es, .bonus), (.es, .payment): "un bono"
    case (.es, .adjustment): "lo que ya tenías"
    case (.ru, .trial): "на пробу"
    case (.ru, .promo): "по акции"
    case (.ru, .goodwill): "подарок от нас"
    case (.ru, .subscription): "по вашему тарифу"
    case (.ru, .bonus), (.ru, .payment): "бонус"
    case (.ru, .adjustment): "то, что у вас уже было"
    }
  }

  var other: String {
    switch language {
    case .en: "everything else"
    case .ptBR: "todo o resto"
    case .es: "todo lo demás"
    case .ru: "всё остальное"
    }
  }

  var expired: String {
    switch language {
    case .en: "expired unused"
    case .ptBR: "venceram sem uso"
    case .es: "caducaron sin usarse"
    case .ru: "срок вышел"
    }
  }

  var takenBack: String {
    switch language {
    case .en: "went back with a refund"
    case .ptBR: "voltaram com um estorno"
    case .es: "volvieron con un reembolso"
    case .ru: "ушли при возврате Stars"
    }
  }

  func usableUntil(_ day: String) -> String {
    switch language {
    case .en: "What you have can be used until \(day)."
    case .ptBR: "O que você tem vale até \(day)."
    case .es: "Lo que tienes se puede usar hasta el \(day)."
    case .ru: "То, что у вас есть, можно потратить до \(day)."
    }
  }

  var endless: String {
    switch language {
    case .en: "What you have does not expire."
    case .ptBR: "O que você tem não vence."
    case .es: "Lo que tienes no caduca."
    case .ru: "То, что у вас есть, не сгорает."
    }
  }

  var endsTitle: String {
    switch language {
    case .en: "What you have can be used:"
    case .ptBR: "O que você tem vale:"
    case .es: "Lo que tienes se puede usar:"
    case .ru: "То, что у вас есть, можно потратить:"
    }
  }

  func until(_ day: String) -> String {
    switch language {
    case .en: "until \(day)"
    case .ptBR: "até \(day)"
    case .es: "hasta el \(day)"
    case .ru: "до \(day)"
    }
  }

  var withoutEnd: String {
    switch language {
    case .en: "for as long as you like"
    case .ptBR: "por quanto tempo você quiser"
    case .es: "cuando quieras"
    case .ru: "когда угодно"
    }
  }

  var closing: String {
    switch language {
    case .en: "Does something look wrong to you? Write /paysupport."
    case .ptBR: "Algo parece errado? Escreva /paysupport."
    case .es: "¿Ves algo que no cuadra? Escribe /paysupport."
    case .ru: "Что-то не сходится? Напишите /paysupport."
    }
  }
}
