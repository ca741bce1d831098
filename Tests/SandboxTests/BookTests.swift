import Foundation
import Telegram
import Testing

@testable import Sandbox

/// The books after a crash: what was acknowledged is there, what was not is not.
@Suite struct BookTests {
  private func temporary() -> URL {
    FileManager.default.temporaryDirectory.appending(path: "books-\(UUID().uuidString)")
  }

  /// A book with one of everything, and updates that wait.
  private func fill(_ directory: URL) async throws -> SandboxBook {
    let book = try SandboxBook(directory: directory, logger: quiet)
    try await book.registerBot(token: Workbench.token, name: "Shop", username: "shop_bot")
    try await book.registerPerson(PersonCard(id: Workbench.ann, firstName: "Ann", stars: 1000))
    try await book.sendText("/start", from: Workbench.ann, to: Workbench.botID)
    let api = BotAPI(book: book, logger: quiet)
    let link = #"""
      {"title":"T","description":"D","payload":"p","currency":"XTR",
      "prices":[{"label":"L","amount":75}],"subscription_period":2592000}
      """#
    let parameters = try Parameters(
      query: nil, contentType: "application/json", body: Array(link.utf8))
    let reply = await api.reply(
      token: Workbench.token, method: "createInvoiceLink", parameters: parameters)
    #expect(reply.status == 200)
    let slug = try #require(await book.state.invoices.keys.first)
    async let outcome = book.pay(invoice: slug, personID: Workbench.ann)
    #expect(await eventually { !(await book.state.checkouts.isEmpty) })
    let id = try #require(await book.state.checkouts.keys.first)
    try await book.answerCheckout(id, botID: Workbench.botID, refusal: nil)
    guard case .paid = try await outcome else { throw Refusal.invalid("not paid") }
    try await book.advanceClock(seconds: 60)
    return book
  }

  /// What a kill leaves: the files as they stand, nothing flushed or closed in good order.
  private func crashCopy(_ directory: URL) throws -> URL {
    let copy = temporary()
    try FileManager.default.copyItem(at: directory, to: copy)
    return copy
  }

  private func encoded(_ book: SandboxBook) async throws -> [String: Any] {
    let data = try JSONEncoder().encode(await book.state)
    return try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  private func expectSame(_ first: SandboxBook, _ second: SandboxBook) async throws {
    let (one, two) = (await first.state, await second.state)
    #expect(
      one.pending[Workbench.botID]?.map(\.update) == two.pending[Workbench.botID]?.map(\.update))
    #expect(one.pending[Workbench.botID]?.isEmpty == false)
    #expect(one.transactions == two.transactions)
    #expect(one.people[Workbench.ann]?.stars == two.people[Workbench.ann]?.stars)
    #expect(one.bots[Workbench.botID]?.lastUpdateID == two.bots[Workbench.botID]?.lastUpdateID)
    #expect(one.clockOffset == two.clockOffset)
    #expect(one.charges.keys == two.charges.keys)
    #expect(one.subscriptions.values.map(\.expiresAt) == two.subscriptions.values.map(\.expiresAt))
    #expect(
      one.chats.values.flatMap(\.messages).map(\.message)
        == two.chats.values.flatMap(\.messages).map(\.message))
  }

  @Test func aKilledSandboxComesBackExactly() async throws {
    let directory = temporary()
    let book = try await fill(directory)
    let copy = try crashCopy(directory)
    defer { [directory, copy].forEach { try? FileManager.default.removeItem(at: $0) } }
    let reopened = try SandboxBook(directory: copy, logger: quiet)
    try await expectSame(book, reopened)
  }

  @Test func aLastLineCutShortIsDropped() async throws {
    let directory = temporary()
    let book = try await fill(directory)
    let before = await book.state.people[Workbench.ann]?.stars
    let journal = directory.appending(path: "journal.jsonl")
    let whole = try Data(contentsOf: journal)
    try await book.topUp(personID: Workbench.ann, stars: 5)
    let longer = try Data(contentsOf: journal)
    for cut in [whole.count + 1, whole.count + 20, longer.count - 1] {
      let copy = try crashCopy(directory)
      defer { try? FileManager.default.removeItem(at: copy) }
      try longer.prefix(cut).write(to: copy.appending(path: "journal.jsonl"))
      let reopened = try SandboxBook(directory: copy, logger: quiet)
      #expect(await reopened.state.people[Workbench.ann]?.stars == before)
      // It goes on writing after the last whole line.
      try await reopened.topUp(personID: Workbench.ann, stars: 7)
      let third = try crashCopy(copy)
      defer { try? FileManager.default.removeItem(at: third) }
      let again = try SandboxBook(directory: third, logger: quiet)
      #expect(await again.state.people[Workbench.ann]?.stars == before.map { $0 + 7 })
    }
    try? FileManager.default.removeItem(at: directory)
  }

  @Test func damageInTheMiddleIsNotPassedOver() async throws {
    let directory = temporary()
    let book = try await fill(directory)
    let copy = try crashCopy(directory)
    defer { [directory, copy].forEach { try? FileManager.default.removeItem(at: $0) } }
    let journal = copy.appending(path: "journal.jsonl")
    var bytes = try Data(contentsOf: journal)
    bytes[10] = UInt8(ascii: "#")
    try bytes.write(to: journal)
    #expect(throws: SandboxError.self) { try SandboxBook(directory: copy, logger: quiet) }
    _ = book
  }

  @Test func foldingKeepsEverythingAndACrashWhileFoldingIsHarmless() async throws {
    let directory = temporary()
    let book = try await fill(directory)
    let lines = try Data(contentsOf: directory.appending(path: "journal.jsonl"))
    await book.close()
    #expect(try Data(contentsOf: directory.appending(path: "journal.jsonl")).isEmpty)
    let folded = try crashCopy(directory)
    // The snapshot is written, the journal is not emptied yet: its lines must not count twice.
    let halfway = try crashCopy(directory)
    try lines.write(to: halfway.appending(path: "journal.jsonl"))
    defer { [directory, folded, halfway].forEach { try? FileManager.default.removeItem(at: $0) } }
    try await expectSame(book, try SandboxBook(directory: folded, logger: quiet))
    try await expectSame(book, try SandboxBook(directory: halfway, logger: quiet))
  }

  @Test func oneProcessAtATime() async throws {
    let directory = temporary()
    defer { try? FileManager.default.removeItem(at: directory) }
    let book = try SandboxBook(directory: directory, logger: quiet)
    #expect(throws: SandboxError.self) { try SandboxBook(directory: directory, logger: quiet) }
    #expect(await book.bots().isEmpty)
  }

  @Test func seededHistoryIsOrderedAndLoadsOnce() async throws {
    let directory = temporary()
    defer { try? FileManager.default.removeItem(at: directory) }
    let book = try SandboxBook(directory: directory, logger: quiet)
    try await book.registerBot(token: Workbench.token, name: "Shop", username: "shop_bot")
    try await book.registerPerson(PersonCard(id: Workbench.ann, firstName: "Ann", stars: 10))
    let now = await book.nowSeconds
    let payments = [
      PastPayment(
        botID: Workbench.botID, personID: Workbench.ann, stars: 250, title: "Pro",
        payload: "pro", date: now - 100, chargeID: "stxB"),
      PastPayment(
        botID: Workbench.botID, personID: Workbench.ann, stars: 75, title: "Start",
        payload: "start", date: now - 1000, chargeID: "stxA", refundedAt: now - 50),
    ]
    #expect(try await book.seed(payments) == ["stxB", "stxA"])
    #expect(try await book.seed(payments) == ["stxB", "stxA"])
    let rows = await book.transactions(of: Workbench.botID, offset: 0, limit: 100)
    #expect(rows.map(\.id) == ["stxA", "stxB", "stxA"])
    #expect(rows.map(\.direction) == [.incoming, .incoming, .outgoing])
    let chat = try await book.transcript(personID: Workbench.ann, botID: Workbench.botID)
    #expect(chat.map(\.message.date) == [now - 1000, now - 100, now - 50])
    #expect(chat.map(\.message.messageID) == [1, 2, 3])
    #expect(chat.last?.message.refundedPayment?.telegramPaymentChargeID == "stxA")
    #expect(await book.state.bots[Workbench.botID]?.stars == 250)
    #expect(try await book.person(Workbench.ann).stars == 10)
    #expect(try await book.pendingCount(of: Workbench.botID) == 0)
    let future = PastPayment(
      botID: Workbench.botID, personID: Workbench.ann, stars: 1, title: "T", payload: "p",
      date: now + 1000)
    await #expect(throws: Refusal.self) { try await book.seed([future]) }
  }

  @Test func peopleAreSeededTogetherOrNotAtAll() async throws {
    let directory = temporary()
    defer { try? FileManager.default.removeItem(at: directory) }
    let book = try SandboxBook(directory: directory, logger: quiet)
    try await book.registerPerson(PersonCard(id: 1, firstName: "Ann", stars: 10))
    let nameless = PersonCard(id: 3, firstName: "")
    await #expect(throws: Refusal.self) {
      try await book.seed([PersonCard(id: 2, firstName: "Bea"), nameless])
    }
    #expect(await book.people().map(\.id) == [1])
    try await book.seed([
      PersonCard(id: 1, firstName: "Other", stars: 99), PersonCard(id: 2, firstName: "Bea"),
    ])
    #expect(await book.people().map(\.firstName) == ["Ann", "Bea"])
    #expect(await book.people().map(\.stars) == [10, 1000])
  }
}
