import Telegram

extension SandboxBook {
  /// Withdraws Stars of a bot through Fragment. It is pending until ``endWithdrawal(_:botID:succeeded:)``.
  ///
  /// - Returns: the id of the star transaction.
  /// - Throws: `Refusal` for more Stars than the bot has.
  @discardableResult
  public func withdraw(botID: Int64, stars: Int64) throws -> String {
    var bot = try bot(botID)
    guard stars > 0, stars <= bot.stars else {
      throw Refusal.invalid("The bot has \(bot.stars) Stars to withdraw.")
    }
    bot.stars -= stars
    var partner = TransactionPartner(type: "fragment")
    partner.withdrawalState = WithdrawalState(type: "pending")
    let row = StarTransaction(
      id: "wd" + SandboxBook.randomWord(length: 30), amount: stars, date: nowSeconds,
      receiver: partner)
    try write { [bot] in
      put(.bot(bot))
      put(.transaction(botID: botID, row))
    }
    return row.id
  }

  /// Ends a withdrawal. One that failed brings its Stars back, in a movement of its own.
  ///
  /// - Throws: `Refusal` when there is no such withdrawal that is pending.
  public func endWithdrawal(_ id: String, botID: Int64, succeeded: Bool) throws {
    var bot = try bot(botID)
    guard
      var row = state.transactions[botID]?.last(where: {
        $0.id == id && $0.receiver?.withdrawalState?.type == "pending"
      })
    else { throw Refusal.missing("withdrawal") }
    row.receiver?.withdrawalState = WithdrawalState(
      type: succeeded ? "succeeded" : "failed", date: succeeded ? nowSeconds : nil,
      url: succeeded ? "https://fragment.com/tx/\(id)" : nil)
    bot.stars += succeeded ? 0 : row.amount
    try write { [row, bot] in
      put(.transactionChanged(botID: botID, row))
      guard !succeeded else { return }
      put(.bot(bot))
      put(
        .transaction(
          botID: botID,
          StarTransaction(
            id: "wr" + SandboxBook.randomWord(length: 30), amount: row.amount, date: nowSeconds,
            source: TransactionPartner(type: "fragment"))))
    }
  }

  /// Moves Stars as nothing else here does, so that the books hold what nobody expects.
  ///
  /// - Parameter partner: Telegram's name of who they come from or go to, such as `other`.
  /// - Returns: the id of the star transaction.
  @discardableResult
  public func moveStars(
    botID: Int64, _ direction: StarTransaction.Direction, partner: String, stars: Int64
  ) throws -> String {
    var bot = try bot(botID)
    guard (1...SandboxLimits.personStars).contains(stars), (1...32).contains(partner.count) else {
      throw Refusal.invalid("Name a partner, and how many Stars it moves.")
    }
    var row = StarTransaction(
      id: "mv" + SandboxBook.randomWord(length: 30), amount: stars, date: nowSeconds)
    switch direction {
    case .incoming:
      row.source = TransactionPartner(type: partner)
      bot.stars += stars
    case .outgoing:
      row.receiver = TransactionPartner(type: partner)
      bot.stars -= stars
    }
    try write { [row, bot] in
      put(.bot(bot))
      put(.transaction(botID: botID, row))
    }
    return row.id
  }
}
