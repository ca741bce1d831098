import Foundation
import Postgres
import TestSupport
import Testing

/// Every value goes to a real server as a parameter and comes back as a column.
@Suite struct ValueTests {
  private func returned<T: SQLValue & SQLDecodable>(
    _ value: T, as type: String, _ pool: Pool
  ) async throws -> T {
    let rows = try await pool.query("select \(value)::\(unsafe: type) as value")
    return try rows[0].get("value")
  }

  @Test func scalarsReturn() async throws {
    try await withTestDatabase(migrated: false) { database async throws in
      let pool = database.pool
      for number in [0, 1, -1, Int.max, Int.min] {
        #expect(try await returned(number, as: "bigint", pool) == number)
      }
      #expect(try await returned(Int32.min, as: "int", pool) == .min)
      #expect(try await returned(Int16.max, as: "smallint", pool) == .max)
      #expect(try await returned(true, as: "boolean", pool))
      #expect(try await returned(false, as: "boolean", pool) == false)
      for text in ["", "a", "O'Brien \\ \"x\" $1 \u{1}", "日本語 🎉 é", " padded "] {
        #expect(try await returned(text, as: "text", pool) == text)
      }
      let id = UUID()
      #expect(try await returned(id, as: "uuid", pool) == id)
      let bytes = [UInt8](0...255)
      #expect(try await returned(bytes, as: "bytea", pool) == bytes)
      #expect(try await returned(Data(bytes), as: "bytea", pool) == Data(bytes))
      #expect(try await returned([UInt8](), as: "bytea", pool) == [])
    }
  }

  @Test func bigValuesReturn() async throws {
    try await withTestDatabase(migrated: false) { database in
      let text = String(repeating: "0123456789abcdé\n", count: 1 << 16)
      #expect(text.utf8.count > 1 << 20)
      #expect(try await returned(text, as: "text", database.pool) == text)
      // Many of them at once fill both sides' socket buffers in both directions.
      let statements = [SQL](repeating: "select \(text)::text as value", count: 20)
      for rows in try await database.pool.pipeline(statements) {
        #expect(try rows[0].get("value", as: String.self) == text)
      }
    }
  }

  @Test func arraysReturn() async throws {
    try await withTestDatabase(migrated: false) { database in
      let pool = database.pool
      let texts = [
        "", "a,b", "{}", "\"quoted\"", "back\\slash", "NULL", "null", " space ", "line\nbreak",
        "é",
      ]
      #expect(try await returned(texts, as: "text[]", pool) == texts)
      let holes: [String?] = ["a", nil, "NULL", nil]
      #expect(try await returned(holes, as: "text[]", pool) == holes)
      #expect(try await returned([String](), as: "text[]", pool) == [])
      #expect(try await returned([Int64.min, 0, .max], as: "bigint[]", pool) == [.min, 0, .max])
      let numbers: [Int64?] = [1, nil, 3]
      #expect(try await returned(numbers, as: "bigint[]", pool) == numbers)
      #expect(try await returned([3, 2, 1], as: "int[]", pool) == [3, 2, 1])
      #expect(try await returned([true, false], as: "boolean[]", pool) == [true, false])
      let dates = [Date(timeIntervalSince1970: 1_795_251_600.5), .distantFuture]
      #expect(try await returned(dates, as: "timestamptz[]", pool) == dates)
      let rows = try await pool.query("select n from unnest(\([5, 7])::int[]) n order by n")
      #expect(try rows.map { try $0.get("n", as: Int.self) } == [5, 7])
      await failure(.decoding) {
        try await pool.query("select array[1, null] as a")[0].get("a", as: [Int].self)
      }
      await failure(.decoding) {
        try await pool.query("select array[[1], [2]] as a")[0].get("a", as: [Int].self)
      }
    }
  }

  @Test func timesReturnToTheMicrosecond() async throws {
    try await withTestDatabase(migrated: false) { database in
      let pool = database.pool
      let texts = [
        "2026-11-21 09:00:00.123456+00", "1970-01-01 00:00:00+00", "1969-12-31 23:59:59.999999+00",
        "2000-02-29 12:00:00.5+00", "1900-03-01 00:00:00.000001+00", "2100-12-31 23:59:59+00",
        "0099-05-06 07:08:09+00", "infinity", "-infinity",
      ]
      for text in texts {
        let rows = try await pool.query(
          """
          select \(text)::timestamptz as time,
            extract(epoch from \(text)::timestamptz)::text as epoch
          """)
        let time: Date = try rows[0].get("time")
        let back = try await pool.query("select (\(time)::timestamptz)::text as text")
        #expect(try back[0].get("text", as: String.self) == text)
        guard !text.hasSuffix("infinity") else { continue }
        let epoch = try #require(Double(try rows[0].get("epoch", as: String.self)))
        #expect(abs(time.timeIntervalSince1970 - epoch) < 0.000_001)
      }
      let zoned = try await pool.query("select '2026-11-21 06:30:00-03:30' as time")
      let expected = Date(timeIntervalSince1970: 1_795_255_200)
      #expect(try zoned[0].get("time", as: Date.self) == expected)
      let day = try await pool.query("select date '2026-11-21' as day")
      #expect(try day[0].get("day", as: Date.self) == Date(timeIntervalSince1970: 1_795_219_200))
      await failure(.decoding) {
        try await pool.query("select timestamptz '0044-03-15 00:00:00+00 BC' as t")[0]
          .get("t", as: Date.self)
      }
    }
  }

  @Test func nullsAndMistakesAreTold() async throws {
    try await withTestDatabase(migrated: false) { database in
      let rows = try await database.pool.query(
        "select \(Int?.none)::int as none, 7 as n, 'x' as t, 1 as \"Quoted Name\"")
      let row = rows[0]
      #expect(try row.getIfPresent("none", as: Int.self) == nil)
      #expect(try row.getIfPresent("n", as: Int.self) == 7)
      #expect(try row.get("Quoted Name", as: Int.self) == 1)
      #expect(row.columns == ["none", "n", "t", "Quoted Name"])
      await failure(.decoding) { try row.get("none", as: Int.self) }
      await failure(.decoding) { try row.get("missing", as: Int.self) }
      await failure(.decoding) { try row.get("t", as: Int.self) }
      await failure(.decoding) { try row.get("n", as: Bool.self) }
      let error = await failure(.encoding) { try await database.pool.query("select \("a\0b")") }
      #expect(error.message.contains("NUL"))
    }
  }
}
