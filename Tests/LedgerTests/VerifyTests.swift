import Foundation
@testable import Ledger
import Postgres
import Testing

/// Every projection, put wrong by hand behind the triggers, is found.
@Suite struct VerifyTests {
  @Test(arguments: [
    "update accounts set balance = balance + 1, floor = -10",
    "update accounts set version = version + 1",
    "update accounts set floor = -1",
    "update accounts set due_at = 'infinity'",
    "update accounts set lot_left[1] = lot_left[1] - 1, lot_left[2] = lot_left[2] + 1",
    "update accounts set lot_left = array[lot_left[2], lot_left[1]], "
      + "lot_ids = array[lot_ids[2], lot_ids[1]]",
    "delete from accounts",
    "update entries set amount = amount - 1 where kind = 'debit'",
    "update entries set balance_after = balance_after + 1 where kind = 'debit'",
    "update entries set lot_amounts[1] = lot_amounts[1] + 1 where kind = 'debit'",
    "update entries set lot_ids[1] = 1 where kind = 'debit'",
    "delete from entries where kind = 'debit'",
    "delete from entries where version = (select max(version) from entries)",
    "update lots set amount = amount + 1 where lot_id = 1",
    "delete from lots where lot_id = 1",
    "delete from holds",
    "update holds set amount = amount + 1",
    "update holds set hold_key = 'another'",
    "delete from clawbacks",
    "update clawbacks set granted = granted + 1, taken = taken + 1",
  ])
  func finds(damage: String) async throws {
    try await withLedger { fixture in
      let scope = fixture.test
      let account = Account(7)
      let charge = Charge(botID: 9, chargeID: "c")
      try await fixture.post { tx in
        _ = try await tx.credit(
          Grant(20, source: .payment, charge: charge, isPaid: true), to: account, key: "a",
          in: scope, at: day(1))
        _ = try await tx.credit(
          Grant(20, source: .payment, charge: Charge(botID: 9, chargeID: "d"), isPaid: true),
          to: account, key: "b", in: scope, at: day(1))
        _ = try await tx.credit(
          Grant(20, source: .promo, expiresAt: day(9)), to: account, key: "p", in: scope, at: day(1)
        )
        _ = try await tx.debit(Debit(3, key: "e"), from: account, in: scope, at: day(2))
        _ = try await tx.hold(
          Debit(4, key: "h"), from: account, until: day(3), in: scope, at: day(2))
        _ = try await tx.clawback(charge, key: "x", policy: .forgive, in: scope, at: day(2))
      }
      #expect(try await fixture.ledger.verify().isEmpty)
      // As a superuser who disables the triggers, or a broken disk, would.
      try await fixture.database.superPool.transaction(["session_replication_role": "replica"]) {
        let changed = try await $0.execute(SQL(unsafe: damage))
        #expect(changed > 0)
      }
      let problems = try await fixture.ledger.verify()
      #expect(!problems.isEmpty, "\(damage)")
      #expect(problems.allSatisfy { $0.workspaceID == scope.workspaceID })
    }
  }
}
