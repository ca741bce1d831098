@_spi(Guard) @testable import EStars
import Foundation
import Ledger
import Postgres
import Testing

/// What is accepted while the database is away is kept, bounded and booked once.
@Suite struct OutageTests {
  private func debit(
    _ key: String, units: Int64 = 1, user: Int64 = 81, workspace: Int64 = 1
  ) -> AcceptedDebit {
    AcceptedDebit(
      workspaceID: workspace,
      request: DebitRequest(
        check: CheckRequest(telegramID: user, action: "sticker", units: units), ref: "r\u{1F600}\n",
        idempotencyKey: key, botID: 7),
      cost: units, acceptedAt: Date(timeIntervalSince1970: 1_795_000_000))
  }

  private func withFile(_ body: (String) async throws -> Void) async throws {
    let path = FileManager.default.temporaryDirectory
      .appending(path: "estars-outage-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try await body(path)
  }

  @Test func whatWasAcceptedOutlivesTheProcess() async throws {
    try await withFile { path in
      do {
        let journal = try OutageJournal(path: path)
        #expect(try await journal.accept(debit("a"), capUnits: 10))
        #expect(try await journal.accept(debit("b", units: 4), capUnits: 10))
        #expect(try await !journal.accept(debit("a"), capUnits: 10), "accepted twice")
        await #expect(throws: OutageJournal.Refusal.conflict) {
          try await journal.accept(debit("a", units: 2), capUnits: 10)
        }
        #expect(try await journal.accept(debit("a", workspace: 2), capUnits: 10))
        try await journal.strike(debit("a"))
      }
      // A process that dies in the middle of a line has told nobody.
      let file = try #require(FileHandle(forWritingAtPath: path))
      try file.seekToEnd()
      try file.write(contentsOf: Data(#"{"accepted":{"works"#.utf8))
      try file.close()
      let journal = try OutageJournal(path: path)
      #expect(await journal.pending == [debit("b", units: 4), debit("a", workspace: 2)])
      #expect(try await journal.accept(debit("c"), capUnits: 10))
      #expect(await journal.pending.count == 3)
      for waiting in await journal.pending { try await journal.strike(waiting) }
      #expect(try Data(contentsOf: URL(filePath: path)).isEmpty)
    }
  }

  @Test func theCapIsOfUnitsOfAnAction() async throws {
    try await withFile { path in
      let journal = try OutageJournal(path: path)
      #expect(try await journal.accept(debit("a", units: 3), capUnits: 5))
      await #expect(throws: OutageJournal.Refusal.capReached) {
        try await journal.accept(debit("b", units: 3, user: 82), capUnits: 5)
      }
      #expect(await journal.hasRoom(for: 2, of: "sticker", workspaceID: 1, capUnits: 5))
      #expect(await !journal.hasRoom(for: 3, of: "sticker", workspaceID: 1, capUnits: 5))
      try await journal.strike(debit("a", units: 3))
      #expect(try await journal.accept(debit("b", units: 3), capUnits: 5))
    }
  }

  @Test func twoProcessesDoNotShareAFile() async throws {
    try await withFile { path in
      let journal = try OutageJournal(path: path)
      #expect(throws: OutageJournal.Unusable.self) { try OutageJournal(path: path) }
      #expect(await journal.pending.isEmpty)
    }
  }
}
