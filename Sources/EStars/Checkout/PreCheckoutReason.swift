extension PreCheckout {
  /// Why a buyer may not pay an invoice now.
  public enum Reason: String, Sendable, CaseIterable {
    case unknownInvoice = "unknown_invoice"
    case otherBuyer = "other_buyer"
    case wrongPrice = "wrong_price"
    case expired
    case withdrawn
    case alreadyPaid = "already_paid"
    case alreadySubscribed = "already_subscribed"
    /// Somebody tapped a moment ago, and that payment may be on its way.
    case underWay = "under_way"
    /// A newer invoice took its place.
    case cancelled
    /// The seller took it back.
    case calledOff = "called_off"
    case notAvailable = "not_available"
    case tooManyPurchases = "too_many_purchases"
    case firstPurchaseOnly = "first_purchase_only"
    case outage
    /// The business stands still, and wants to refuse then.
    case suspended

    /// Shown by Telegram to the buyer.
    public func message(_ language: BuyerLanguage) -> String {
      switch language {
      case .en: english
      case .ptBR: portuguese
      case .es: spanish
      case .ru: russian
      }
    }

    private var english: String {
      switch self {
      case .unknownInvoice: "This invoice is not valid here. Ask the bot for a new one."
      case .otherBuyer: "This invoice was made for another person. Ask the bot for your own."
      case .wrongPrice: "The price of this invoice is not right. Ask the bot for a new one."
      case .expired: "This invoice has expired. Ask the bot for a new one."
      case .withdrawn: "This offer is no longer on sale. Ask the bot what it offers now."
      case .alreadyPaid: "This invoice is already paid. What you bought is with the bot."
      case .alreadySubscribed: "You have this subscription already, and it renews by itself."
      case .underWay: "This invoice is being paid just now. Wait a moment before you try again."
      case .cancelled: "A newer invoice has replaced this one. Pay the latest one."
      case .calledOff: "This invoice was withdrawn. Ask the bot for a new one."
      case .notAvailable: "This offer is not for you. Ask the bot for another one."
      case .tooManyPurchases: "That is ten purchases within an hour. Please try again later."
      case .firstPurchaseOnly: "This pack is for a first purchase. Ask the bot for another one."
      case .outage: "Payments pause for a moment. Please try again in a few minutes."
      case .suspended: "This bot does not take payments at the moment. Nothing was charged."
      }
    }

    private var portuguese: String {
      switch self {
      case .unknownInvoice: "Esta fatura não vale aqui. Peça uma nova ao bot."
      case .otherBuyer: "Esta fatura foi feita para outra pessoa. Peça a sua ao bot."
      case .wrongPrice: "O preço desta fatura não confere. Peça uma nova ao bot."
      case .expired: "Esta fatura venceu. Peça uma nova ao bot."
      case .withdrawn: "Esta oferta saiu de venda. Veja com o bot o que há agora."
      case .alreadyPaid: "Esta fatura já foi paga. O que você comprou está com o bot."
      case .alreadySubscribed: "Você já tem esta assinatura, e ela se renova sozinha."
      case .underWay: "Esta fatura está sendo paga agora. Espere um pouco antes de tentar de novo."
      case .cancelled: "Uma fatura mais nova substituiu esta. Pague a mais recente."
      case .calledOff: "Esta fatura foi retirada. Peça uma nova ao bot."
      case .notAvailable: "Esta oferta não é para você. Peça outra ao bot."
      case .tooManyPurchases: "Foram dez compras em uma hora. Tente de novo mais tarde."
      case .firstPurchaseOnly: "Este pacote vale só na primeira compra. Peça outro ao bot."
      case .outage: "Os pagamentos estão em pausa. Tente de novo em alguns minutos."
      case .suspended: "Este bot não está recebendo pagamentos agora. Nada foi cobrado."
      }
    }

    private var spanish: String {
      switch self {
      case .unknownInvoice: "Esta factura no vale aquí. Pide una nueva al bot."
      case .otherBuyer: "Esta factura es de otra persona. Pide la tuya al bot."
      case .wrongPrice: "El precio de esta factura no es correcto. Pide una nueva al bot."
      case .expired: "Esta factura ha caducado. Pide una nueva al bot."
      case .withdrawn: "Esta oferta ya no está a la venta. Mira con el bot qué hay ahora."
      case .alreadyPaid: "Esta factura ya está pagada. Lo que compraste lo tiene el bot."
      case .alreadySubscribed: "Ya tienes esta suscripción y se renueva sola."
      case .underWay: "Esta factura se está pagando ahora. Espera un momento antes de reintentar."
      case .cancelled: "Una factura más nueva sustituyó a esta. Paga la última."
      case .calledOff: "Esta factura fue retirada. Pide una nueva al bot."
      case .notAvailable: "Esta oferta no es para ti. Pide otra al bot."
      case .tooManyPurchases: "Son diez compras en una hora. Inténtalo más tarde."
      case .firstPurchaseOnly: "Este paquete vale solo para la primera compra. Pide otro al bot."
      case .outage: "Los pagos están en pausa. Inténtalo de nuevo en unos minutos."
      case .suspended: "Este bot no acepta pagos en este momento. No se cobró nada."
      }
    }

    private var russian: String {
      switch self {
      case .unknownInvoice: "Этот счёт здесь не действует. Попросите у бота новый."
      case .otherBuyer: "Этот счёт выписан другому человеку. Попросите у бота свой."
      case .wrongPrice: "Цена в этом счёте неверна. Попросите у бота новый."
      case .expired: "Срок этого счёта истёк. Попросите у бота новый."
      case .withdrawn: "Это предложение больше не продаётся. Спросите бота, что есть сейчас."
      case .alreadyPaid: "Этот счёт уже оплачен. Ваша покупка у бота."
      case .alreadySubscribed: "Эта подписка у вас уже есть и продлевается сама."
      case .underWay: "Этот счёт как раз оплачивается. Подождите немного и попробуйте снова."
      case .cancelled: "Этот счёт заменён более новым. Оплатите последний."
      case .calledOff: "Этот счёт отозван. Попросите у бота новый."
      case .notAvailable: "Это предложение не для вас. Попросите у бота другое."
      case .tooManyPurchases: "Десять покупок за час. Попробуйте позже."
      case .firstPurchaseOnly: "Этот пакет только для первой покупки. Попросите у бота другой."
      case .outage: "Платежи временно приостановлены. Попробуйте через несколько минут."
      case .suspended: "Сейчас этот бот не принимает платежи. Ничего не списано."
      }
    }
  }
}
