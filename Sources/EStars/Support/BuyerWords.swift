import Foundation
import Ledger
import Postgres

/// Words of a buyer on their way into a case.
struct BuyerWords: Sendable {
  let customerID: Int64
  let text: String
  var topic: SupportCase.Topic?
  var subject: String?
  /// The payment that they name.
  var payment: Payment?
  let source: SupportCase.Source
  /// Whether a case begins with them where none goes on.
  var mayOpen = true
  /// Of the API call.
  var key: String?
  /// Of the update.
  var updateID: Int64?
  /// What came with them.
  var attachment: SupportMessage.Attachment?
}

extension Transaction {
  /// Joins the words to the case that goes on between this buyer and the bot, or opens one. What
  /// arrives by two ways, forwarded and by the API, is kept once.
  ///
  /// - Returns: nil where no case goes on and none is to begin.
  /// - Throws: ``SupportRefusal/tooManyMessages``
  func hear(
    _ words: BuyerWords, by bot: Bot, in scope: WorkspaceScope, at: Date
  ) async throws -> (supportCase: SupportCase, isOpening: Bool)? {
    try await lockSupport(of: words.customerID, in: scope)
    guard try await !isErased(words.customerID, in: scope) else { return nil }
    let draft = SupportMessage.Draft(
      author: .buyer, body: words.text, attachment: words.attachment, updateID: words.updateID,
      key: words.key)
    guard let current = try await goingCase(for: words, bot, in: scope) else {
      guard words.mayOpen else { return nil }
      let payment = try await about(words, bot, in: scope)
      let opened = try await openCase(
        NewSupportCase(
          botID: bot.id, customerID: words.customerID, payment: payment,
          topic: words.topic ?? .other,
          subject: words.subject ?? SupportCase.subject(of: words.text),
          source: words.source), by: Actor(.bot, "@\(bot.username)"), in: scope, at: at)
      _ = try await keep(draft, of: opened, in: scope, at: at)
      try await askForRefund(because: opened, in: scope)
      return (opened, true)
    }
    // Of the two ways, the second may say what the first could not: what it is about.
    let isEcho = try await adopt(draft, into: current, in: scope, at: at)
    if !isEcho {
      guard try await wordsToday(in: current, in: scope, at: at) < Limits.supportMessagesPerDay
      else { throw SupportRefusal.tooManyMessages }
      guard try await keep(draft, of: current, in: scope, at: at) else { return (current, false) }
    }
    let extended = try await extend(current, with: words, isEcho: isEcho, in: scope, at: at)
    try await askForRefund(because: extended, in: scope)
    return (extended, false)
  }

  /// Whether the customer was erased before support was locked.
  func isErased(_ customerID: Int64, in scope: WorkspaceScope) async throws -> Bool {
    try await !query(
      """
      select from customers where workspace_id = \(scope.workspaceID)
        and customer_id = \(customerID) and erased_at is not null
      """
    ).isEmpty
  }

  /// The newest case that is not closed; where a payment is named, one about no other.
  private func goingCase(
    for words: BuyerWords, _ bot: Bot, in scope: WorkspaceScope
  ) async throws -> SupportCase? {
    let named: SQL =
      words.payment.map { "and coalesce(s.payment_id, \($0.id)::bigint) = \($0.id)::bigint" } ?? ""
    return try await query(
      """
      select \(SupportCase.columns) from support_cases s
      where s.workspace_id = \(scope.workspaceID) and s.customer_id = \(words.customerID)
        and s.bot_id = \(bot.id) and s.state <> 'closed' \(named)
      order by s.support_case_id desc limit 1 for update of s
      """
    ).first.map(SupportCase.init)
  }

  /// What a new case is about: the payment that is named, else the buyer's last one here.
  private func about(
    _ words: BuyerWords, _ bot: Bot, in scope: WorkspaceScope
  ) async throws -> Payment? {
    if let named = words.payment { return named }
    return try await query(
      """
      select \(Payment.columns) from payments p
      where p.workspace_id = \(scope.workspaceID) and p.customer_id = \(words.customerID)
        and p.bot_id = \(bot.id)
      order by p.paid_at desc, p.payment_id desc limit 1
      """
    ).first.map(Payment.init)
  }

  /// The same words just came the other way: they are one message, under both names.
  private func adopt(
    _ draft: SupportMessage.Draft, into supportCase: SupportCase, in scope: WorkspaceScope, at: Date
  ) async throws -> Bool {
    let free: SQL = draft.updateID == nil ? "idempotency_key is null" : "update_id is null"
    let since = at.addingTimeInterval(-Limits.supportEchoSeconds)
    return try await execute(
      """
      update support_messages set idempotency_key = coalesce(idempotency_key, \(draft.key)::text),
        update_id = coalesce(update_id, \(draft.updateID)::bigint),
        bot_id = case when coalesce(update_id, \(draft.updateID)::bigint) is not null
          then \(supportCase.botID)::bigint end
      where workspace_id = \(scope.workspaceID) and support_message_id = (
        select support_message_id from support_messages
        where workspace_id = \(scope.workspaceID) and support_case_id = \(supportCase.id)
          and author_kind = 'buyer' and \(free) and body = \(draft.body) and at >= \(since)
        order by support_message_id desc limit 1)
      """) == 1
  }

  private func wordsToday(
    in supportCase: SupportCase, in scope: WorkspaceScope, at: Date
  ) async throws -> Int {
    try await query(
      """
      select count(*)::int as words from (
        select at from support_messages where workspace_id = \(scope.workspaceID)
          and support_case_id = \(supportCase.id) and author_kind = 'buyer'
        order by support_message_id desc limit \(Limits.supportMessagesPerDay)) m
      where at > \(at.addingTimeInterval(-86_400))
      """)[0].get("words")
  }

  /// - Parameter isEcho: The words are there already, so whose turn it is stays as it is.
  private func extend(
    _ supportCase: SupportCase, with words: BuyerWords, isEcho: Bool, in scope: WorkspaceScope,
    at: Date
  ) async throws -> SupportCase {
    let spoken: SQL =
      "state = 'open', waits_since = coalesce(waits_since, \(at)), last_message_at = \(at),"
    let nothing: SQL = ""
    return try await query(
      """
      update support_cases s set \(isEcho ? nothing : spoken)
        payment_id = coalesce(payment_id, \(words.payment?.id)::bigint),
        product = case when payment_id is null
          then coalesce(\(words.payment?.sku)::text, product) else product end,
        topic = case when topic = 'other' then coalesce(\(words.topic?.rawValue)::text, topic)
          else topic end
      where workspace_id = \(scope.workspaceID) and support_case_id = \(supportCase.id)
      returning \(SupportCase.columns)
      """
    ).first.map(SupportCase.init) ?? supportCase
  }
}
