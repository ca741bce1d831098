import Telegram

/// One step of the books: a row as it now stands, or its removal. Holds every generated value, so
/// that reading the journal again gives exactly the same state.
enum Change: Codable, Sendable {
  case bot(Bot)
  case person(Person)
  case chat(ChatKey, isBlocked: Bool)
  case message(ChatKey, StoredMessage)
  case invoice(StarInvoice)
  case checkout(Checkout)
  case checkoutClosed(String)
  case charge(Charge)
  case subscription(Subscription)
  case press(Press)
  case pressClosed(String)
  case transaction(botID: Int64, StarTransaction)
  /// A line of the account as it now is: a withdrawal comes to its end.
  case transactionChanged(botID: Int64, StarTransaction)
  case pending(botID: Int64, PendingUpdate)
  case delivered(botID: Int64, updateIDs: [Int64])
  case clock(offset: Double)
}

extension BookState {
  mutating func apply(_ change: Change) {
    switch change {
    case .bot(let bot): bots[bot.id] = bot
    case .person(let person): people[person.id] = person
    case .chat(let key, let isBlocked):
      chats[key, default: BotChat(key: key)].isBlocked = isBlocked
    case .message(let key, let message): chats[key, default: BotChat(key: key)].put(message)
    case .invoice(let invoice): invoices[invoice.slug] = invoice
    case .checkout(let checkout): checkouts[checkout.id] = checkout
    case .checkoutClosed(let id): checkouts[id] = nil
    case .charge(let charge): charges[charge.id] = charge
    case .subscription(let subscription): subscriptions[subscription.id] = subscription
    case .press(let press): presses[press.id] = press
    case .pressClosed(let id): presses[id] = nil
    case .transaction(let botID, let row): transactions[botID, default: []].append(row)
    case .transactionChanged(let botID, let row):
      let index = transactions[botID]?.lastIndex {
        $0.id == row.id && $0.direction == row.direction
      }
      if let index { transactions[botID]?[index] = row }
    case .pending(let botID, let update): pending[botID, default: []].append(update)
    case .delivered(let botID, let updateIDs):
      let gone = Set(updateIDs)
      pending[botID]?.removeAll { gone.contains($0.update.updateID) }
    case .clock(let offset): clockOffset = offset
    }
  }
}

extension BotChat {
  fileprivate mutating func put(_ stored: StoredMessage) {
    // Edits concern recent messages, so the search starts at the end.
    if let index = messages.lastIndex(where: {
      $0.message.messageID == stored.message.messageID
    }) {
      messages[index] = stored
    } else {
      messages.append(stored)
      if messages.count > SandboxLimits.messagesPerChat { messages.removeFirst() }
    }
  }
}
