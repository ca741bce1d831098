import Foundation
import Postgres
import Telegram
import TestSupport
import Testing

@testable import EStars

/// Changing the key that seals, while what was sealed stays readable all the way.
@Suite struct ResealTests {
  private static let new = Bytes.hex(Bytes.sha256("the next key"))

  private static func platform(
    _ fixture: Fixture, _ key: String, master: String = Fixture.key
  ) throws -> Platform {
    Platform(
      pool: fixture.pool,
      secrets: try Secrets(hex: master, sealingKey: key),
      logger: TestCluster.logger)
  }

  @Test func afterItTheNewKeyAloneOpensEverything() async throws {
    try await Fixture.with { fixture in
      let old = fixture.platform
      let person = try await Operator.create(
        email: "ana@loja.example", name: "Ana", password: "uma senha bem longa", locale: "pt-BR",
        at: Date(), old)
      let totp = try await old.secondFactor.begin(for: person)
      try await fixture.pool.execute(
        """
        update bots set event_url = 'https://loja.example/e', mode = 'relay',
          relay_url = 'https://loja.example/r',
          sealed_event_secret = \(try old.secrets.seal("event")),
          sealed_event_secret_before = \(try old.secrets.seal("event before")),
          event_secret_before_until = now(),
          sealed_relay_secret = \(try old.secrets.seal("relay"))
        where bot_id = \(fixture.bot.id)
        """)

      let both = try Self.platform(fixture, Self.new)
      #expect(try await Reseal(platform: both).run() == 5)
      #expect(try await Reseal(platform: both).run() == 0)

      let another = Bytes.hex(Bytes.sha256("another master"))
      let alone = try Self.platform(fixture, Self.new, master: another)
      let row = try await fixture.pool.query(
        """
        select b.*, (select totp_secret from operators where operator_id = \(person.id)) as totp
        from bots b where bot_id = \(fixture.bot.id)
        """)[0]
      func opened(_ column: String) throws -> String { try alone.secrets.open(row.get(column)) }
      #expect(try opened("totp") == totp.base32)
      #expect(try opened("sealed_event_secret") == "event")
      #expect(try opened("sealed_event_secret_before") == "event before")
      #expect(try opened("sealed_relay_secret") == "relay")
      #expect(BotToken(try opened("sealed_token"))?.botID == fixture.bot.id)
      #expect(throws: Secrets.Problem.sealed) {
        try old.secrets.open(row.get("sealed_token"))
      }
    }
  }

  @Test func whileProcessesDifferEachOpensWhatTheOtherSealed() throws {
    let key = Fixture.key
    let next = Bytes.hex(Bytes.sha256("the one after"))
    let states = [
      try Secrets(hex: key, sealingKey: Self.new),
      try Secrets(hex: key, sealingKey: Self.new, otherSealingKey: next),
      try Secrets(hex: key, sealingKey: next, otherSealingKey: Self.new),
      try Secrets(hex: key, sealingKey: next),
    ]
    for (one, two) in zip(states, states.dropFirst()) {
      #expect(try two.open(one.seal("token")) == "token")
      #expect(try one.open(two.seal("token")) == "token")
    }
    #expect(throws: Secrets.Problem.sealed) { try states[3].open(states[0].seal("token")) }
  }

  @Test func aKeyThatNobodyHasChangesNothing() async throws {
    try await Fixture.with { fixture in
      let stranger = try Self.platform(
        fixture, Self.new, master: Bytes.hex(Bytes.sha256("another master")))
      await #expect(throws: Secrets.Problem.sealed) {
        _ = try await Reseal(platform: stranger).run()
      }
      let sealed: [UInt8] = try await fixture.pool.query(
        "select sealed_token from bots where bot_id = \(fixture.bot.id)")[0].get("sealed_token")
      #expect(BotToken(try fixture.platform.secrets.open(sealed))?.botID == fixture.bot.id)
    }
  }

  @Test func oneKeyForBothIsAMistake() {
    #expect(throws: Secrets.Problem.same) {
      try Secrets(hex: Fixture.key, sealingKey: Self.new, otherSealingKey: Self.new.uppercased())
    }
  }

  @Test func itKnowsEverySealedColumn() async throws {
    try await Fixture.with { fixture in
      let columns = try await fixture.database.superPool.query(
        """
        select table_name::text || '.' || column_name as name from information_schema.columns
        where table_schema = 'public' and data_type = 'bytea' and column_name not like '%hash'
        """
      ).map { try $0.get("name", as: String.self) }
      let known = Reseal.columns.flatMap { table, _, columns in columns.map { "\(table).\($0)" } }
      #expect(Set(columns) == Set(known))
    }
  }

  @Test(arguments: [
    (Secrets.Variable.sealingKey, "zz", nil), (.sealingKey, String(repeating: "0", count: 64), nil),
    (.otherSealingKey, Fixture.key, "12"),
  ])
  func aWeakKeyIsNamed(_ variable: Secrets.Variable, _ key: String, _ other: String?) {
    #expect(throws: Secrets.Problem.weak(variable)) {
      try Secrets(hex: Fixture.key, sealingKey: key, otherSealingKey: other)
    }
  }
}
