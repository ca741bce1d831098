import Foundation
@testable import Ledger
import Postgres
import Testing

/// Postings and their outcomes, one a line:
///
///     DAY VERB … => STATUS BALANCE [LOT:LEFT …]
///
/// - `credit ACCOUNT AMOUNT SOURCE [charge=C] [until=DAY]`: `payment` and `subscription` are paid
/// - `debit ACCOUNT AMOUNT [action=A] [print=FINGERPRINT]`, `hold ACCOUNT AMOUNT`
/// - `commit HOLD USED`, `release HOLD`, where HOLD is the key of a hold
/// - `clawback CHARGE POLICY`, `refund CHARGE` (holds what is left of it), `expire ACCOUNT`
///
/// `key=K` names the posting's key; without it each line has one of its own. `-` is no balance.
/// After the balance, what is left of the account's open lots in burn order may follow, `none` for
/// no open lot. The ledger is verified at the end.
struct Scenario: Sendable, CustomTestStringConvertible {
  let name: String
  let lines: String

  init(_ name: String, _ lines: String) {
    self.name = name
    self.lines = lines
  }

  var testDescription: String { name }

  func run(_ fixture: LedgerFixture) async throws {
    for (number, line) in lines.split(separator: "\n").enumerated() {
      let sides = line.components(separatedBy: "=>")
      try #require(sides.count == 2, "no outcome: \(line)")
      let words = sides[0].split(separator: " ").map(String.init)
      let expected = sides[1].split(separator: " ").map(String.init)
      let posting = try Posting(words, defaultKey: "line:\(number)")
      let (status, balance) = try await posting.run(fixture)
      let outcome = [status.rawValue, balance.map(String.init) ?? "-"]
      #expect(outcome == Array(expected.prefix(2)), "line \(number + 1): \(line)")
      if expected.count > 2, let account = posting.account {
        let lots = try await fixture.ledger.openLots(of: account, in: fixture.test)
        let left = lots.map { "\($0.lotID):\($0.amountLeft)" }
        let wanted = expected.dropFirst(2).filter { $0 != "none" }
        #expect(left == Array(wanted), "line \(number + 1): \(line)")
      }
    }
    #expect(try await fixture.ledger.verify(in: fixture.test).isEmpty)
  }
}

private struct Posting {
  let time: Date
  let verb: String
  let words: [String]
  let options: [String: String]
  let key: String

  init(_ words: [String], defaultKey: String) throws {
    time = day(try #require(Double(words[0])))
    verb = words[1]
    self.words = words.dropFirst(2).filter { !$0.contains("=") }
    options = Dictionary(
      uniqueKeysWithValues: words.filter { $0.contains("=") }.map { word in
        let pair = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
          .map(String.init)
        return (pair[0], pair[1])
      })
    key = options["key"] ?? defaultKey
  }

  /// The account whose lots the line may tell: named first, or 7, the scenarios' usual one.
  var account: Account? {
    Account(
      ["commit", "release", "clawback", "refund"].contains(verb)
        ? 7 : Int64(words[0]) ?? 7)
  }

  private var charge: Charge { Charge(botID: 9, chargeID: words[0]) }

  func run(_ fixture: LedgerFixture) async throws -> (PostingStatus, Int64?) {
    let scope = fixture.test
    return try await fixture.post { tx in
      if verb == "clawback" {
        let policy = try #require(DebtPolicy(rawValue: words[1]))
        let answer = try await tx.clawback(
          charge, key: key, policy: policy, in: scope, at: time)
        return (answer.status, answer.balance)
      }
      let answer = try await answer(tx, scope)
      return (answer.status, answer.balance)
    }
  }

  private func answer(
    _ tx: Transaction, _ scope: WorkspaceScope
  ) async throws -> PostingAnswer {
    switch verb {
    case "credit":
      let source = try #require(LotSource(rawValue: words[2]))
      let isPaid = options["charge"] != nil && [.payment, .subscription].contains(source)
      return try await tx.credit(
        Grant(
          try amount(1), source: source,
          charge: options["charge"].map { Charge(botID: 9, chargeID: $0) }, isPaid: isPaid,
          expiresAt: options["until"].flatMap(Double.init).map(day)),
        to: account!, key: key, in: scope, at: time)
    case "debit": return try await tx.debit(try debit(), from: account!, in: scope, at: time)
    case "hold":
      return try await tx.hold(
        try debit(), from: account!,
        until: options["until"].flatMap(Double.init).map(day)
          ?? time + 3600, in: scope, at: time)
    case "commit":
      return try await tx.commit(
        Commit(hold: words[0], used: try amount(1), key: key, fingerprint: fingerprint),
        in: scope, at: time)
    case "release":
      return try await tx.release(hold: words[0], key: key, in: scope, at: time)
    case "refund": return try await tx.hold(charge, key: key, in: scope, at: time)
    default:
      try #require(verb == "expire", "no verb: \(verb)")
      return try await tx.expire(account!, in: scope, at: time)
    }
  }

  private var fingerprint: Int64? { options["print"].flatMap(Int64.init) }

  private func amount(_ index: Int) throws -> Int64 { try #require(Int64(words[index])) }

  private func debit() throws -> Debit {
    Debit(try amount(1), key: key, fingerprint: fingerprint, action: options["action"])
  }
}
