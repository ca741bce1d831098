import Foundation
import Ledger
import Postgres

/// Tells buyers that a subscription ends, with a link to pay where there is something to go on with:
/// nobody is charged without paying one.
struct SubscriptionReminder: Sendable {
  enum Moment: String, Sendable {
    /// Three days before the end.
    case soon
    /// On the last day.
    case today
    /// After the end.
    case grace
  }

  private let platform: Platform

  init(platform: Platform) { self.platform = platform }

  /// - Parameters:
  ///   - subject: Subscription, moment and end, as the job's row has it.
  ///   - attempts: How often the job was tried, this time included.
  func remind(
    _ subject: String, attempts: Int, in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    let parts = subject.split(separator: ":")
    guard parts.count == 3, let id = Int64(parts[0]),
      let moment = Moment(rawValue: String(parts[1])),
      let subscription = try await Subscription.find(id: id, in: scope, platform.pool),
      subscription.isDue(for: moment, end: Int64(parts[2])),
      let bot = try await platform.directory.bot(subscription.botID), bot.isConnected,
      let customer = try await Customer.find(
        id: subscription.customerID, in: scope, platform.pool), customer.erasedAt == nil,
      let workspace = try await platform.directory.workspace(scope.workspaceID)
    else { return .done }
    let language = BuyerLanguage(of: customer.languageCode, else: workspace.locale)
    let words = ReminderWords(language: language, timeZone: workspace.timeZone)
    var offer: ReminderWords.Offer?
    do {
      offer = try await self.offer(subscription, subject, customer, bot, language, in: scope)
    } catch Checkout.Refusal.telegram(_) {
      return .again(after: attempts, longest: Limits.subscriptionPauseSeconds)
    } catch is Checkout.Refusal {
      // It cannot be sold now: the buyer is told of the end alone.
    } catch is Workspace.Suspended {
      // Nothing is, and the end comes nevertheless.
    }
    let text = words.text(moment, subscription, offer)
    let button = offer.map {
      OutgoingMessage.Button(title: words.pay($0.stars), url: $0.link)
    }
    try await platform.pool.transaction(in: scope) { tx in
      // Something may have been paid meanwhile.
      guard let present = try await tx.lockSubscription(id, in: scope),
        present.isDue(for: moment, end: Int64(parts[2]))
      else { return }
      let isNew = try await tx.say(
        present.messageKind(moment), about: subject, to: customer.id, botID: bot.id, text,
        button: button, in: scope, at: scope.now)
      guard isNew, moment != .grace else { return }
      try await tx.emit(.subscriptionEnding, id, in: scope, at: scope.now)
    }
    return .done
  }

  /// What the buyer may go on with: the plan that was asked for, else the same one.
  ///
  /// - Throws: ``Checkout/Refusal``, ``Workspace/Suspended``
  private func offer(
    _ subscription: Subscription, _ subject: String, _ customer: Customer, _ bot: Bot,
    _ language: BuyerLanguage, in scope: WorkspaceScope
  ) async throws -> ReminderWords.Offer? {
    // While a renewal may still come through, a second subscription would be one too many.
    guard ![.on, .failed].contains(subscription.renewal),
      let plan = try await Plan.find(
        subscription.nextPlan ?? subscription.plan, in: scope, platform.pool),
      plan.kind == .recurring, !plan.isWithdrawn, let stars = plan.stars
    else { return nil }
    let end = max(subscription.periodEndsAt, scope.now)
    var request = CheckoutRequest(
      telegramID: customer.telegramID, item: .plan(plan.key), language: language.rawValue,
      openedBy: Actor(.job, Job.Kind.subscriptionRemind.rawValue),
      idempotencyKey: Job.key(.subscriptionRemind, subject))
    request.validSeconds = Limits.checkoutSeconds + Int(end.timeIntervalSince(scope.now))
    let opened = try await Checkout.open(request, with: bot, in: scope, platform)
    return opened.link.map {
      ReminderWords.Offer(
        title: plan.title(language.rawValue), stars: stars, link: $0,
        isMonthly: bot.subscriptionPeriodSeconds == Int(Subscription.monthSeconds))
    }
  }
}

extension Subscription {
  fileprivate func isDue(for moment: SubscriptionReminder.Moment, end: Int64?) -> Bool {
    guard end == Int64(periodEndsAt.timeIntervalSince1970.rounded()) else { return false }
    switch moment {
    case .soon, .today: return (state == .trial || state == .active) && renewal != .on
    case .grace: return state == .grace
    }
  }

  fileprivate func messageKind(
    _ moment: SubscriptionReminder.Moment
  ) -> OutgoingMessage.Kind {
    if moment == .grace { return .subscriptionGrace }
    return isTrial ? .trialEnding : .subscriptionEnding
  }
}

/// How a reminder is worded.
struct ReminderWords: Sendable {
  struct Offer: Sendable {
    let title: String
    let stars: Int64
    let link: String
    let isMonthly: Bool
  }

  let language: BuyerLanguage
  let timeZone: TimeZone

  func text(
    _ moment: SubscriptionReminder.Moment, _ subscription: Subscription, _ offer: Offer?
  ) -> String {
    let title = subscription.planTitle
    let end = day(subscription.periodEndsAt)
    let access = day(subscription.accessEndsAt)
    var lines: [String] = []
    switch moment {
    case .soon, .today:
      lines.append(subscription.isTrial ? trialEnds(title, end) : ends(title, end))
    case .grace:
      lines.append(
        subscription.renewal == .failed ? notRenewed(title, access) : ended(title, access))
    }
    if let offer { lines.append(goOn(offer)) }
    return lines.joined(separator: "\n")
  }

  private func day(_ date: Date) -> String {
    date.formatted(
      Date.FormatStyle(locale: language.locale, timeZone: timeZone)
        .day().month(.abbreviated).year().hour().minute())
  }

  func pay(_ stars: Int64) -> String {
    switch language {
    case .en: "Pay \(stars) ★"
    case .ptBR: "Pagar \(stars) ★"
    case .es: "Pagar \(stars) ★"
    case .ru: "Оплатить \(stars) ★"
    }
  }

  private func trialEnds(_ title: String, _ day: String) -> String {
    switch language {
    case .en: "Your trial of “\(title)” ends on \(day). Nothing is charged by itself."
    case .ptBR: "Seu teste de “\(title)” acaba em \(day). Nada é cobrado sozinho."
    case .es: "Tu prueba de «\(title)» termina el \(day). No se cobra nada por sí solo."
    case .ru: "Пробный период «\(title)» заканчивается \(day). Само ничего не списывается."
    }
  }

  private func ends(_ title: String, _ day: String) -> String {
    switch language {
    case .en: "Your subscription “\(title)” ends on \(day)."
    case .ptBR: "Sua assinatura “\(title)” acaba em \(day)."
    case .es: "Tu suscripción «\(title)» termina el \(day)."
    case .ru: "Подписка «\(title)» заканчивается \(day)."
    }
  }

  private func ended(_ title: String, _ day: String) -> String {
    switch language {
    case .en: "“\(title)” is over. You keep your access until \(day)."
    case .ptBR: "“\(title)” acabou. Seu acesso continua até \(day)."
    case .es: "«\(title)» ha terminado. Conservas el acceso hasta el \(day)."
    case .ru: "«\(title)» закончилась. Доступ остаётся до \(day)."
    }
  }

  private func notRenewed(_ title: String, _ day: String) -> String {
    switch language {
    case .en:
      "Telegram could not renew “\(title)”: there were too few Stars. You keep your access until "
        + "\(day). Top up your Stars and renew it in Telegram's settings."
    case .ptBR:
      "O Telegram não conseguiu renovar “\(title)”: faltaram Stars. Seu acesso continua até "
        + "\(day). Recarregue suas Stars e renove nos ajustes do Telegram."
    case .es:
      "Telegram no pudo renovar «\(title)»: faltaron Stars. Conservas el acceso hasta el "
        + "\(day). Recarga tus Stars y renueva en los ajustes de Telegram."
    case .ru:
      "Telegram не смог продлить «\(title)»: не хватило Stars. Доступ остаётся до "
        + "\(day). Пополните Stars и продлите подписку в настройках Telegram."
    }
  }

  private func goOn(_ offer: Offer) -> String {
    let (title, stars) = (offer.title, offer.stars)
    switch language {
    case .en:
      return "To go on with “\(title)” for \(stars) ★" + (offer.isMonthly ? " every 30 days" : "")
        + ", pay here."
    case .ptBR:
      return "Para seguir com “\(title)” por \(stars) ★"
        + (offer.isMonthly ? " a cada 30 dias" : "")
        + ", pague aqui."
    case .es:
      return "Para seguir con «\(title)» por \(stars) ★" + (offer.isMonthly ? " cada 30 días" : "")
        + ", paga aquí."
    case .ru:
      return "Чтобы продолжить с «\(title)» за \(stars) ★"
        + (offer.isMonthly ? " каждые 30 дней" : "") + ", оплатите здесь."
    }
  }
}
