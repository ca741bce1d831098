@testable import Postgres
import Testing

@Suite struct SQLTests {
  @Test func bindsInterpolatedValues() {
    let sql: SQL = "select \(1), \("a'b") where \(Int?.none) is null"
    #expect(sql.text == "select $1, $2 where $3 is null")
    #expect(sql.values == ["1", "a'b", nil])
  }

  @Test func sumsAndFragmentsRenumberValues() {
    let condition: SQL = "b = \(2)"
    let sql: SQL = "select \(1) where \(condition) and c = \(3)" + " limit \(4)"
    #expect(sql.text == "select $1 where b = $2 and c = $3 limit $4")
    #expect(sql.values == ["1", "2", "3", "4"])
  }

  @Test func splicesUnsafeTextOnly() {
    let table = "t; drop"
    let sql: SQL = "select \(table) from \(unsafe: table)"
    #expect(sql.text == "select $1 from t; drop")
  }

  @Test func refusesWhatCannotBeSent() async {
    await failure(.encoding) { try BoundStatement("select \("a\0b")") }
    await failure(.encoding) { try BoundStatement(SQL(unsafe: "select 1\0")) }
    var sql: SQL = "select "
    for number in 0...Limits.parameters { sql += "\(number)," }
    let tooMany = sql
    await failure(.encoding) { try BoundStatement(tooMany) }
  }
}

@Suite struct StatementCacheTests {
  @Test func theLeastRecentlyUsedGivesWay() {
    var cache = StatementCache(capacity: 2)
    #expect(cache.name(for: "a").isNew)
    #expect(cache.name(for: "b").isNew)
    #expect(!cache.name(for: "a").isNew)
    #expect(cache.name(for: "c").isNew)
    #expect(cache.evicted == ["s2"])
    #expect(!cache.name(for: "a").isNew)
    #expect(cache.name(for: "b") == ("s4", true))
    #expect(cache.count == 2)
  }

  @Test func aStatementThatFailedIsPreparedAgain() {
    var cache = StatementCache(capacity: 2)
    let name = cache.name(for: "a").name
    cache.forget("a", name: name)
    #expect(cache.name(for: "a").isNew)
  }
}
