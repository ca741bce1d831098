import Foundation
import Telegram
import Testing

@Suite struct TypesTests {
  private func update(_ json: String) throws -> Update {
    try JSONDecoder().decode(Update.self, from: Data(json.utf8))
  }

  @Test func readsAPayment() throws {
    let update = try update(
      """
      {"update_id":700000002,"message":{"message_id":311,"date":1795000000,"from":{"id":5001,
      "is_bot":false,"first_name":"Ann"},"chat":{"id":5001,"type":"private","first_name":"Ann"},
      "successful_payment":{"currency":"XTR","total_amount":500,"invoice_payload":"sub_77",
      "telegram_payment_charge_id":"stxFIRST","provider_payment_charge_id":"5001_0",
      "is_recurring":true,"is_first_recurring":true,"subscription_expiration_date":1797592000}}}
      """)
    let payment = try #require(update.message?.successfulPayment)
    #expect(update.kind == .message)
    #expect(payment.telegramPaymentChargeID == "stxFIRST")
    #expect(payment.totalAmount == 500)
    #expect(payment.isFirstRecurring == true)
    #expect(payment.subscriptionExpirationDate == 1_797_592_000)
    #expect(update.user?.id == 5001)
  }

  @Test func theUserOfARefundIsThePayerAndNotTheBot() throws {
    let update = try update(
      """
      {"update_id":1,"message":{"message_id":391,"date":1795000500,"from":{"id":123456,
      "is_bot":true,"first_name":"ShopBot"},"chat":{"id":5001,"type":"private",
      "first_name":"Ann"},"refunded_payment":{"currency":"XTR","total_amount":250,
      "invoice_payload":"ord_01J9Z","telegram_payment_charge_id":"stxAbC"}}}
      """)
    #expect(update.message?.from?.isBot == true)
    #expect(update.user?.id == 5001)
    #expect(update.user?.firstName == "Ann")
    #expect(update.message?.refundedPayment?.providerPaymentChargeID == nil)
  }

  @Test func readsASubscriptionChangeAndPaidMedia() throws {
    let canceled = try update(
      """
      {"update_id":2,"subscription":{"user":{"id":5001,"is_bot":false,"first_name":"Ann"},
      "invoice_payload":"sub_77","state":"canceled"}}
      """)
    #expect(canceled.subscription?.state == .canceled)
    #expect(canceled.kind == .subscription)
    let media = try update(
      """
      {"update_id":3,"purchased_paid_media":{"from":{"id":5001,"is_bot":false,
      "first_name":"Ann"},"paid_media_payload":"album_9"}}
      """)
    #expect(media.purchasedPaidMedia?.paidMediaPayload == "album_9")
  }

  @Test func namesAKindItDoesNotRead() throws {
    let update = try update(#"{"update_id":4,"managed_bot":{"user":{"id":1}}}"#)
    #expect(update.kind == UpdateKind("managed_bot"))
    #expect(update.message == nil)
  }

  @Test func passesOverUnknownFieldsAndWidePersonIds() throws {
    let update = try update(
      """
      {"update_id":5,"message":{"message_id":1,"date":1,"sticker":{"x":[1,2]},"text":"/Start@b 7 8",
      "from":{"id":4503599627370495,"is_bot":false,"first_name":"A","level":9},
      "chat":{"id":4503599627370495,"type":"private","first_name":"A"}}}
      """)
    #expect(update.message?.from?.id == 4_503_599_627_370_495)
    #expect(update.message?.command == "start")
    #expect(update.message?.commandArgument == "7 8")
  }

  @Test(arguments: [
    #"{"update_id":"6"}"#, #"{"message":{}}"#, #"{"update_id":7,"message":[]}"#,
    #"{"update_id":8,"pre_checkout_query":{"id":1}}"#, #"{"update_id":1e30}"#, "[]", "",
  ])
  func refusesWrongTypes(_ json: String) {
    #expect(throws: DecodingError.self) { try update(json) }
  }

  @Test func anUpdateSurvivesARoundTrip() throws {
    let person = User(id: 5001, firstName: "Ann", languageCode: "pt-br")
    let query = PreCheckoutQuery(
      id: "43825", from: person, currency: "XTR", totalAmount: 250, invoicePayload: "ord")
    let update = Update(updateID: 9, preCheckoutQuery: query)
    let json = try JSONEncoder().encode(update)
    #expect(try JSONDecoder().decode(Update.self, from: json) == update)
    #expect(String(decoding: json, as: UTF8.self).contains(#""total_amount":250"#))
  }

  @Test func tellsTheTwoRowsOfARefundApart() throws {
    let json = """
      {"transactions":[{"id":"stxAbC","date":1795000000,"amount":250,"source":{"type":"user",
      "transaction_type":"invoice_payment","user":{"id":5001,"is_bot":false,"first_name":"Ann"},
      "invoice_payload":"ord"}},{"id":"stxAbC","date":1795000500,"amount":250,"receiver":
      {"type":"user","transaction_type":"invoice_payment","user":{"id":5001,"is_bot":false,
      "first_name":"Ann"},"invoice_payload":"ord"}},{"id":"wd1","date":1797000000,"amount":1000,
      "receiver":{"type":"fragment","withdrawal_state":{"type":"pending"}}},{"id":"n1","date":1,
      "amount":2,"source":{"type":"something_new","future":true}}]}
      """
    let rows = try JSONDecoder().decode(StarTransactions.self, from: Data(json.utf8)).transactions
    #expect(rows.map(\.direction) == [.incoming, .outgoing, .outgoing, .incoming])
    #expect(rows[0].id == rows[1].id)
    #expect(rows[2].receiver?.withdrawalState?.type == "pending")
    #expect(rows[3].source?.type == "something_new")
  }
}
