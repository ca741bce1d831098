@_spi(Guard) @testable import EStars
import Foundation
import Postgres
import Telegram
import TestSupport
import Testing

@testable import Sandbox

/// Alert chats and what Telegram asks of a bot that sells.
@Suite struct AlertChatTests {
  private func chats(_ bench: MessageBench) async throws -> [AlertChat] {
    try await AlertChat.all(in: bench.scope, bench.platform.pool)
  }

  private func code(_ bench: MessageBench) async throws -> String {
    try await AlertChat.makeCode(
      for: bench.bot, by: MessageBench.owner, in: bench.scope, bench.platform.pool)
  }

  @Test func aCodeLinksOneChatOnce() async throws {
    try await MessageBench.with { bench in
      let code = try await code(bench)
      let group = #"{"id":-100777,"type":"supergroup","title":"Equipe \"A\""}"#
      try await bench.hear("/start@other_bot \(code)", in: group)
      try await bench.hear("here: \(code)", in: group)
      #expect(try await chats(bench).isEmpty)
      try await bench.hear("/start@Loja_Bot \(code)", in: group)
      try await bench.hear("/start \(code)", in: #"{"id":7500001,"type":"private"}"#)
      let linked = try await chats(bench)
      #expect(linked.map(\.chatID) == [-100_777])
      #expect(
        linked.first?.title == #"Equipe "A""# && linked.first?.linkedBy == "owner@example.com")
      // The group becomes a supergroup, and alerts follow it.
      try await bench.receive(
        #""message":{"message_id":7,"date":1795000000,"chat":{"id":-100777,"type":"group"},"#
          + #""migrate_to_chat_id":-100888}"#)
      #expect(try await chats(bench).map(\.chatID) == [-100_888])
      // The sandbox knows no groups: what Telegram says is what the page shows.
      try await bench.work()
      #expect(try await chats(bench).first?.lastMessage == nil)
    }
  }

  @Test func aCodeThatIsOverOrAnotherBotsDoesNothing() async throws {
    try await MessageBench.with { bench in
      let late = try await code(bench)
      try await bench.platform.pool.execute(
        """
        update alert_codes set expires_at = \(bench.scope.now.addingTimeInterval(-1))
        where workspace_id = \(bench.scope.workspaceID)
        """, in: bench.scope)
      let foreign = try await AlertChat.makeCode(
        for: bench.fixture.bot, by: MessageBench.owner, in: bench.scope, bench.platform.pool)
      for code in [late, foreign, "alert-guess"] {
        try await bench.hear("/start \(code)", in: #"{"id":7500001,"type":"private"}"#)
      }
      #expect(try await chats(bench).isEmpty)
      let stored = try await bench.platform.pool.query(
        "select encode(code_hash, 'escape') as hash from alert_codes", in: bench.scope)
      #expect(stored.count == 2)
    }
  }

  @Test func thePageMakesTestsAndUnlinks() async throws {
    try await MessageBench.with { bench in
      let path = "/w/\(bench.fixture.workspace.slug)/alert-chats"
      let session = try await bench.fixture.operatorSession(.manager)
      func post(_ path: String, _ body: String) async throws -> (status: Int, body: String) {
        let answer = try await bench.fixture.send(
          .post, path,
          headers: [.cookie: session.cookie, .contentType: "application/x-www-form-urlencoded"],
          body: "csrf=\(session.csrf)&\(body)")
        return (answer.status, answer.body)
      }
      #expect(try await post(path, "bot=5").status == 422)
      let made = try await post(path, "bot=\(bench.bot.id)")
      #expect(made.status == 201)
      let code = try #require(made.body.firstMatch(of: /\/start (alert-[A-Za-z0-9_-]+)/)).output.1
      try await bench.hear(
        "/start \(code)", in: #"{"id":7500001,"type":"private","first_name":"Ann"}"#)
      let chat = "\(path)/\(bench.bot.id)/\(MessageBench.ann)"
      for _ in 0..<2 { #expect(try await post(chat + "/test", "form_key=a").status == 303) }
      try await bench.work()
      let said = try await bench.said()
      #expect(said.filter { $0.hasPrefix("Um teste de ") }.count == 1, "\(said)")
      #expect(said.count == 2)
      #expect(try await post(chat + "/removal", "").status == 303)
      #expect(try await post(chat + "/test", "form_key=b").status == 404)
      #expect(try await chats(bench).isEmpty)
    }
  }

  @Test func missingCommandsAreAddedBesideWhatIsThere() async throws {
    try await MessageBench.with { bench in
      let client = try bench.platform.telegram(for: bench.bot)
      let own = [
        BotCommand(command: "buy", description: "Buy"),
        BotCommand(command: "terms", description: "Our terms"),
      ]
      try await client.setMyCommands(own)
      try await client.setMyCommands([own[0]], languageCode: "pt", scope: .privateChats)
      let connections = BotConnection(platform: bench.platform, publicURL: bench.url)
      let before = try await connections.compliance(of: bench.bot)
      #expect(before.missing == [.paysupport, .terms, .privacy])
      let path = "/w/\(bench.fixture.workspace.slug)/bots/\(bench.bot.id)"
      let session = try await bench.fixture.operatorSession(.owner)
      let headers: [String] = [session.cookie]
      let page = try await bench.fixture.send(.get, path, headers: [.cookie: headers[0]])
      #expect(page.body.contains("/paysupport, /terms, /privacy"))
      for _ in 0..<2 {
        let answer = try await bench.fixture.send(
          .post, path + "/commands",
          headers: [.cookie: session.cookie, .contentType: "application/x-www-form-urlencoded"],
          body: "csrf=\(session.csrf)")
        #expect(answer.status == 303)
      }
      let general = try await client.getMyCommands()
      #expect(general.map(\.command) == ["buy", "terms", "paysupport", "privacy"])
      #expect(general[1].description == "Our terms")
      let inPrivate = try await client.getMyCommands(languageCode: "pt", scope: .privateChats)
      #expect(inPrivate.map(\.command) == ["buy", "paysupport", "terms", "privacy"])
      #expect(inPrivate[2].description == "Termos de uso")
      // A list in a language hides the general one, so none is made where there was none.
      #expect(try await client.getMyCommands(languageCode: "pt").isEmpty)
      #expect(try await connections.compliance(of: bench.bot).missing.isEmpty)
      let lines = try await AuditEntry.about(
        "bot", String(bench.bot.id), in: bench.scope, bench.platform.pool)
      #expect(lines.filter { $0.action == "bot.commands_added" }.count == 1)
    }
  }
}
