import Foundation
import Telegram
import Testing

@testable import Sandbox

@Suite struct PollTests {
  private func conflict(_ text: String) -> TelegramError {
    .api(code: 409, description: text, retryAfter: nil)
  }

  @Test func waitsForNewsAndConfirmsByOffset() async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      async let poll = client.getUpdates(timeoutSeconds: 10)
      #expect(await eventually { !(await bench.book.polls.isEmpty) })
      try await bench.book.sendText("one", from: Workbench.ann, to: Workbench.botID)
      let first = try await poll
      #expect(first.map(\.message?.text) == ["one"])
      try await bench.book.sendText("two", from: Workbench.ann, to: Workbench.botID)
      #expect(try await client.getUpdates().count == 2)
      let rest = try await client.getUpdates(offset: first[0].updateID + 1)
      #expect(rest.map(\.message?.text) == ["two"])
      #expect(rest[0].updateID == first[0].updateID + 1)
      #expect(try await client.getUpdates().count == 1)
    }
  }

  @Test func aNegativeOffsetCountsFromTheEnd() async throws {
    try await withSandbox { bench in
      for text in ["1", "2", "3"] {
        try await bench.book.sendText(text, from: Workbench.ann, to: Workbench.botID)
      }
      let client = try bench.client()
      #expect(try await client.getUpdates(offset: -1).map(\.message?.text) == ["3"])
      #expect(try await client.getUpdates().count == 1)
    }
  }

  @Test func limitsAPage() async throws {
    try await withSandbox { bench in
      for number in 0..<105 {
        try await bench.book.sendText("\(number)", from: Workbench.ann, to: Workbench.botID)
      }
      let client = try bench.client()
      #expect(try await client.getUpdates(limit: 3).count == 3)
      #expect(try await client.getUpdates(limit: 1000).count == 100)
    }
  }

  @Test func aSecondPollEndsTheFirst() async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      let first = Task { try await client.getUpdates(timeoutSeconds: 20) }
      #expect(await eventually { !(await bench.book.polls.isEmpty) })
      #expect(try await client.getUpdates().isEmpty)
      let error = await #expect(throws: TelegramError.self) { try await first.value }
      #expect(
        error
          == conflict(
            "Conflict: terminated by other getUpdates request; "
              + "make sure that only one bot instance is running"))
    }
  }

  @Test func aWebhookEndsAPollAndRefusesTheNext() async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      let first = Task { try await client.getUpdates(timeoutSeconds: 20) }
      #expect(await eventually { !(await bench.book.polls.isEmpty) })
      try await client.setWebhook(
        url: "http://127.0.0.1:9/h", secretToken: nil, allowedUpdates: [])
      let error = await #expect(throws: TelegramError.self) { try await first.value }
      #expect(error == conflict("Conflict: terminated by setWebhook request"))
      let next = await #expect(throws: TelegramError.self) { try await client.getUpdates() }
      #expect(
        next
          == conflict(
            "Conflict: can't use getUpdates method while webhook is active; "
              + "use deleteWebhook to delete the webhook first"))
      try await client.deleteWebhook()
      #expect(try await client.getUpdates().isEmpty)
    }
  }

  @Test func numbersStartAnewAfterASilentWeek() async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      try await bench.book.sendText("one", from: Workbench.ann, to: Workbench.botID)
      let first = try #require(try await client.getUpdates().first?.updateID)
      _ = try await client.getUpdates(offset: first + 1)
      await bench.book.forgetPolls()
      try await bench.book.advanceClock(seconds: 8 * 86_400)
      try await bench.book.sendText("two", from: Workbench.ann, to: Workbench.botID)
      // A poller that goes on from the old number still gets it.
      let second = try await client.getUpdates(offset: first + 1)
      #expect(second.map(\.message?.text) == ["two"])
      #expect(second.first?.updateID != first + 1)
    }
  }

  @Test func rawUpdatesKeepTheirJSON() async throws {
    try await withSandbox { bench in
      try await bench.book.sendText("/start", from: Workbench.ann, to: Workbench.botID)
      let raw = try #require(try await bench.client().getRawUpdates().first)
      #expect(try JSONDecoder().decode(Update.self, from: raw.json) == raw.update)
      #expect(String(decoding: raw.json, as: UTF8.self).contains("bot_command"))
    }
  }

  @Test func pressesAreAnsweredAndMessagesEdited() async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      try await bench.book.sendText("/start", from: Workbench.ann, to: Workbench.botID)
      let sent = try await client.sendMessage(
        to: Workbench.ann, "Choose",
        replyMarkup: InlineKeyboard(.callback("One", "1"), .link("Web", "https://example.com")))
      let press = try await bench.book.press(
        row: 0, column: 0, messageID: sent.messageID, from: Workbench.ann, to: Workbench.botID)
      let query = try #require(try await client.getUpdates().last?.callbackQuery)
      #expect(query.data == "1" && query.message?.messageID == sent.messageID)
      try await client.answerCallbackQuery(query.id, text: "Done", showAlert: true)
      let answer = await bench.book.pressAnswer(press, within: .seconds(1))
      #expect(answer?.text == "Done" && answer?.isAlert == true)
      let edited = try await client.editMessageText(
        in: Workbench.ann, messageID: sent.messageID, "Chosen")
      #expect(edited.replyMarkup == nil && edited.editDate != nil)
      let same = await #expect(throws: TelegramError.self) {
        try await client.editMessageText(in: Workbench.ann, messageID: sent.messageID, "Chosen")
      }
      #expect("\(same!)".contains("message is not modified"))
      await #expect(throws: Refusal.self) {
        try await bench.book.press(
          row: 0, column: 0, messageID: sent.messageID, from: Workbench.ann,
          to: Workbench.botID)
      }
    }
  }
}
