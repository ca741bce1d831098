import Telegram

extension SandboxBook {
  /// Cancels a subscription as its person: it stays paid to its end and is not renewed.
  ///
  /// - Throws: `Refusal`.
  public func cancelSubscription(_ id: String) throws {
    guard var subscription = state.subscriptions[id] else {
      throw Refusal.missing("subscription")
    }
    guard subscription.status != .canceled else {
      throw Refusal(409, "already_canceled", "This subscription is canceled already.")
    }
    subscription.status = .canceled
    try write {
      put(.subscription(subscription))
      tell(.canceled, about: subscription)
    }
  }

  /// Switches a canceled or failed subscription on again as its person. One that has run out is
  /// paid at once.
  ///
  /// - Throws: `Refusal`.
  public func resumeSubscription(_ id: String) throws {
    guard var subscription = state.subscriptions[id] else {
      throw Refusal.missing("subscription")
    }
    guard subscription.status != .active else {
      throw Refusal(409, "already_active", "This subscription is active already.")
    }
    guard !subscription.isStoppedByBot else {
      throw Refusal(409, "stopped_by_bot", "The bot stopped this subscription.")
    }
    let time = nowSeconds
    guard subscription.expiresAt <= time else {
      subscription.status = .active
      try write {
        put(.subscription(subscription))
        tell(.active, about: subscription)
      }
      return
    }
    let stars = try person(subscription.personID).stars
    guard stars >= subscription.stars else {
      throw Refusal(
        409, "balance_too_low",
        "The balance of \(stars) Stars does not cover \(subscription.stars).")
    }
    subscription.status = .active
    subscription.expiresAt = time
    try write { renew(subscription) }
  }

  /// Carries out `editUserStarSubscription`. Allowing a renewal again does not itself resume it.
  func editSubscription(
    _ id: String, botID: Int64, personID: Int64, isCanceled: Bool
  ) throws {
    guard state.people[personID] != nil else { throw BotAPIError.bad("USER_ID_INVALID") }
    guard var subscription = state.subscriptions[id], subscription.botID == botID,
      subscription.personID == personID
    else { throw BotAPIError.bad("CHARGE_ID_INVALID") }
    subscription.isStoppedByBot = isCanceled
    if isCanceled { subscription.status = .canceled }
    try write { put(.subscription(subscription)) }
  }

  /// Renews all subscriptions that have run out, each at its own time and as often as time has
  /// passed. All of it is one write.
  func runDueRenewals() throws {
    try write {
      let time = nowSeconds
      while let due = nextDue(at: time) {
        let stars = state.people[due.personID]?.stars ?? 0
        if stars >= due.stars {
          renew(due)
        } else {
          var failed = due
          failed.status = .failed
          put(.subscription(failed))
          tell(.failed, about: failed)
        }
      }
    }
  }

  /// The active subscription that ran out first. Order matters: renewals share a balance.
  private func nextDue(at time: Int64) -> Subscription? {
    state.subscriptions.values
      .filter { $0.status == .active && $0.expiresAt <= time }
      .min { ($0.expiresAt, $0.id) < ($1.expiresAt, $1.id) }
  }

  private func renew(_ subscription: Subscription) {
    var subscription = subscription
    let date = subscription.expiresAt
    subscription.expiresAt = date + Int64(subscription.periodSeconds)
    put(.subscription(subscription))
    let charge = Charge(
      id: newChargeID(), botID: subscription.botID, personID: subscription.personID,
      stars: subscription.stars, payload: subscription.payload, title: subscription.title,
      date: date, subscriptionID: subscription.id)
    book(charge, subscription: subscription)
  }

  private func tell(_ state: BotSubscriptionUpdated.State, about subscription: Subscription) {
    guard let person = self.state.people[subscription.personID] else { return }
    emit(
      .subscription, to: subscription.botID,
      queue: UpdateQueue.subscription(subscription.personID)
    ) {
      Update(
        updateID: $0,
        subscription: BotSubscriptionUpdated(
          user: person.user, invoicePayload: subscription.payload, state: state))
    }
  }
}
