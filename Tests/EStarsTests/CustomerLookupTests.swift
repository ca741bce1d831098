@_spi(Guard) @testable import EStars
import Foundation
@_spi(Guard) import Ledger
import Postgres
import TestSupport
import Testing

/// One box finds whom an operator means, and looks at few rows on the way.
@Suite struct CustomerLookupTests {
  private func people(
    _ rows: [(Int64, String, String, String)], _ fixture: Fixture
  ) async throws {
    try await fixture.pool.transaction(in: fixture.scope) { tx in
      for (id, first, last, username) in rows {
        _ = try await tx.customer(
          telegramID: id,
          name: CustomerName(
            firstName: first, lastName: last, username: username, languageCode: nil),
          in: fixture.scope, at: fixture.scope.now)
      }
    }
  }

  @Test func theLikeliestComeFirst() async throws {
    try await Fixture.with { fixture in
      try await people(
        [
          (1, "Mariana", "Lopes", ""), (2, "Ana", "Silva", "ana_silva"), (3, "Juliana", "", ""),
          (4, "Ana", "", "xx"), (5, "Anabela", "Dias", ""), (6, "Clara Ana", "Reis", ""),
          (7, "João", "Ananias", ""), (8, "Pedro", "", "anacleto"),
        ], fixture)
      let found = try await CustomerLookup.find("ana", in: fixture.scope, fixture.pool)
      let ids = found.people.map(\.customer.telegramID)
      // Exactly; a first word; a beginning; a later word's beginning; anywhere.
      #expect(ids.first == 4 && ids[1] == 2)
      #expect(Set(ids[2...3]) == [5, 8])
      #expect(Set(ids[4...5]) == [6, 7])
      #expect(Set(ids[6...]) == [1, 3])
      #expect(!found.hasMore && !found.isCorrected && found.matches.isEmpty)
      let few = try await CustomerLookup.find("ana", limit: 3, in: fixture.scope, fixture.pool)
      #expect(few.people.count == 3 && few.hasMore)
      // Words in any order, with or without their accents.
      for text in ["silva ana", "  ANA   sil ", "ana_silva", "Ána Sílva"] {
        let one = try await CustomerLookup.find(text, in: fixture.scope, fixture.pool)
        #expect(one.people.map(\.customer.telegramID) == [2], "\(text)")
      }
    }
  }

  @Test func aUsernameIsOnePerson() async throws {
    try await Fixture.with { fixture in
      try await people([(1, "Ann", "", "Ann_Shop"), (2, "Bea", "", "ann_shop_2")], fixture)
      for text in ["@ann_shop", "@Ann_Shop", "https://t.me/ann_shop", "t.me/Ann_Shop/"] {
        let found = try await CustomerLookup.find(text, in: fixture.scope, fixture.pool)
        guard case .customer(let customer)? = found.matches.first, found.matches.count == 1 else {
          Issue.record("\(text): \(found)")
          continue
        }
        #expect(customer.telegramID == 1)
      }
      // Not typed to its end: whoever it may be.
      let begun = try await CustomerLookup.find("@ann_sh", in: fixture.scope, fixture.pool)
      #expect(Set(begun.people.map(\.customer.telegramID)) == [1, 2])
    }
  }

  @Test(
    arguments: [
      // Swapped, one too many, another one, one too few; in a later word; in two words; no Latin.
      ("mraiana", 1), ("mariiana", 1), ("marisna", 1), ("mariaa lopes", 1), ("lopws", 1),
      ("mariana lpoes", 1), ("mariaha lopez", 1), ("анастасиа", 2), ("@zeca_baleio", 3),
    ] as [(String, Int64)])
  func aTypoIsForgiven(_ text: String, _ id: Int64) async throws {
    try await Fixture.with { fixture in
      try await people(
        [
          (1, "Mariana", "Lopes", ""), (2, "Анастасия", "", ""), (3, "José", "", "zeca_baleiro"),
          (4, "Bruno", "Dias", ""),
        ], fixture)
      let found = try await CustomerLookup.find(text, in: fixture.scope, fixture.pool)
      #expect(found.people.map(\.customer.telegramID) == [id] && found.isCorrected)
      let nobody = try await CustomerLookup.find("qwxzkj", in: fixture.scope, fixture.pool)
      #expect(nobody.people.isEmpty && !nobody.isCorrected)
    }
  }

  @Test func aNumberThatMeansTwoThingsShowsBoth() async throws {
    try await Fixture.with { fixture in
      let checkout = try await fixture.checkout("start", for: 900)
      let customer = try #require(
        try await Customer.find(telegramID: 900, in: fixture.scope, fixture.pool))
      let found = try await CustomerLookup.find(
        String(checkout.id), in: fixture.scope, fixture.pool)
      let kinds = found.matches.map { match in
        switch match {
        case .customer(let found): found.id == customer.id ? "customer" : "somebody else"
        case .checkout(let found): found.id == checkout.id ? "checkout" : "another"
        case .payment: "payment"
        }
      }
      #expect(kinds == (checkout.id == customer.id ? ["customer", "checkout"] : ["checkout"]))
    }
  }

  /// What the app itself asks, under row-level security, by Postgres' own counters: no table is read
  /// through, and what is common costs as few rows as what is rare.
  @Test func everyQuestionUsesAnIndexAndReadsLittle() async throws {
    try await Fixture.with { fixture in
      try await fixture.database.superPool.execute(
        """
        insert into customers (workspace_id, telegram_id, first_name, username, search_name,
          created_at, last_seen_at)
        select \(fixture.workspace.id), n, 'x', 'maria' || n,
          case when n % 7 = 0 then 'maria silva @maria' || n
            else md5(n::text) || ' silva @maria' || n end, now(), now()
        from generate_series(1, 20000) n
        """)
      try await fixture.database.superPool.execute("vacuum analyze customers")
      let variants = Spelling.variants(of: "mraia")
      let questions: [(SQL, index: String, rows: Int)] = [
        ("customers_beginning('maria', 51)", "customers_name", 200),
        ("customers_beginning('maria', 51)", "customers_username", 200),
        ("customers_beginning('silva', 51)", "customers_later_words", 200),
        ("customers_beginning('zzz', 51)", "customers_name", 10),
        ("customers_containing('{%ilv%}', 51)", "customers_pkey", 6_100),
        ("customers_containing('{%abc12%,%silva%}', 51)", "customers_search", 6_500),
        ("customer_spellings(\(variants), 4)", "customers_name", 1_500),
      ]
      for (question, index, rows) in questions {
        try await fixture.pool.transaction(in: fixture.scope) { tx in
          _ = try await tx.query("select count(*) from \(question)")
          let row = try await tx.query(
            """
            select pg_stat_get_xact_numscans('customers'::regclass) as table_scans,
              pg_stat_get_xact_numscans(\(index)::regclass) as index_scans,
              pg_stat_get_xact_tuples_fetched('customers'::regclass) as rows
            """)[0]
          #expect(try row.get("table_scans", as: Int64.self) == 0, "\(index)")
          #expect(try row.get("index_scans", as: Int64.self) > 0, "\(index)")
          #expect(try row.get("rows", as: Int64.self) <= rows, "\(index)")
        }
      }
    }
  }
}
