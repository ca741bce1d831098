import Foundation
import Ledger
import Postgres
import Testing

@_spi(Guard) @testable import EStars

/// Signing in with a second factor: every door of it opens once, and not for whoever guesses.
@Suite struct SecondFactorTests {
  private static let password = "correct horse battery"
  private static let start = Date(timeIntervalSince1970: 1_795_000_000)

  /// An operator with a second factor, and what it was set up with.
  private struct Desk {
    let fixture: Fixture
    let email: String
    let totp: TOTP
    let codes: [String]
    var factor: SecondFactor { fixture.platform.secondFactor }

    init(_ fixture: Fixture) async throws {
      self.fixture = fixture
      email = "ana@example.com"
      let person = try await Operator.create(
        email: email, name: "Ana", password: password, locale: "en", at: start, fixture.platform)
      try await person.join(fixture.workspace, as: .owner, at: start, fixture.pool)
      totp = try await fixture.platform.secondFactor.begin(for: person)
      codes = try await fixture.platform.secondFactor.confirm(
        code: totp.code(step: TOTP.step(at: start)), for: person, userAgent: "test",
        address: "192.0.2.1", at: start
      ).recoveryCodes
    }

    func signIn(at: Date, from address: String = "192.0.2.1") async throws -> Session {
      let opened = try await fixture.platform.login.open(
        email: email, password: password, userAgent: "test", address: address, at: at)
      #expect(opened.awaitsTOTP)
      return try #require(
        try await Session.findAwaitingTOTP(token: opened.token, at: at, fixture.pool))
    }

    func pass(
      _ waiting: Session, _ code: String, at: Date, from address: String = "192.0.2.1"
    ) async throws -> Session? {
      let opened = try await factor.pass(
        waiting, code: code, userAgent: "test", address: address, at: at)
      #expect(!opened.awaitsTOTP)
      return try await Session.find(token: opened.token, at: at, fixture.pool)
    }

    func code(at: Date) -> String { totp.code(step: TOTP.step(at: at)) }
  }

  private func later(_ seconds: Double) -> Date { Self.start.addingTimeInterval(seconds) }

  @Test func aPasswordAloneOpensNothing() async throws {
    try await Fixture.with { fixture in
      let desk = try await Desk(fixture)
      let at = later(60)
      let opened = try await fixture.platform.login.open(
        email: desk.email, password: Self.password, userAgent: "", address: "192.0.2.1", at: at)
      #expect(try await Session.find(token: opened.token, at: at, fixture.pool) == nil)
      // Even the step itself is open for a while only.
      let late = at.addingTimeInterval(Double(Limits.totpSeconds) + 1)
      #expect(
        try await Session.findAwaitingTOTP(token: opened.token, at: late, fixture.pool) == nil)
      let waiting = try #require(
        try await Session.findAwaitingTOTP(token: opened.token, at: at, fixture.pool))
      let session = try #require(try await desk.pass(waiting, desk.code(at: at), at: at))
      #expect(session.operator.email == desk.email && session.id != waiting.id)
      #expect(session.csrfToken != waiting.csrfToken)
      // The session that waited is gone, and cannot be used once more.
      #expect(
        try await Session.findAwaitingTOTP(token: opened.token, at: at, fixture.pool) == nil)
      await #expect(throws: SecondFactor.Refusal.mismatch) {
        try await desk.pass(waiting, desk.code(at: later(90)), at: later(90))
      }
    }
  }

  @Test func aCodeOpensOneDoor() async throws {
    try await Fixture.with { fixture in
      let desk = try await Desk(fixture)
      // The code that turned the second factor on is used up as well.
      let first = try await desk.signIn(at: later(1))
      await #expect(throws: SecondFactor.Refusal.mismatch) {
        try await desk.pass(first, desk.code(at: Self.start), at: later(1))
      }
      let at = later(60)
      let waiting = try await [desk.signIn(at: at), desk.signIn(at: at), desk.signIn(at: at)]
      let passed = try await withThrowingTaskGroup(of: Bool.self) { group in
        for session in waiting {
          group.addTask {
            (try? await desk.pass(session, desk.code(at: at), at: at)) != nil
          }
        }
        return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(passed == 1, "three browsers with one code")
      // An older one, though its time is not over, is before the last that was used.
      let again = try await desk.signIn(at: at)
      await #expect(throws: SecondFactor.Refusal.mismatch) {
        try await desk.pass(again, desk.code(at: later(30)), at: at)
      }
    }
  }

  @Test func aRecoveryCodeWorksOnce() async throws {
    try await Fixture.with { fixture in
      let desk = try await Desk(fixture)
      #expect(Set(desk.codes).count == Limits.recoveryCodes)
      let person = try #require(try await Operator.find(email: desk.email, fixture.pool))
      let typed = desk.codes[3].uppercased().replacing("-", with: " ")
      let session = try await desk.pass(desk.signIn(at: later(60)), typed, at: later(60))
      #expect(session != nil)
      #expect(try await RecoveryCode.left(of: person, fixture.pool) == Limits.recoveryCodes - 1)
      let waiting = try await desk.signIn(at: later(61))
      await #expect(throws: SecondFactor.Refusal.mismatch) {
        try await desk.pass(waiting, desk.codes[3], at: later(61))
      }
      let told = try await AuditEntry.history(
        of: "operator", desk.email, limit: 9, in: fixture.scope, fixture.pool)
      #expect(told.map(\.action) == ["operator.recovery_code_used", "operator.totp_on"])
      let renewed = try await desk.factor.renewRecoveryCodes(
        password: Self.password, of: person, address: "192.0.2.1", at: later(62))
      #expect(Set(renewed).isDisjoint(with: desk.codes))
      await #expect(throws: SecondFactor.Refusal.mismatch) {
        try await desk.pass(waiting, desk.codes[4], at: later(63))
      }
      #expect(try await desk.pass(waiting, renewed[0], at: later(64)) != nil)
    }
  }

  @Test func nothingOfItIsStoredAsItIs() async throws {
    try await Fixture.with { fixture in
      let desk = try await Desk(fixture)
      let row = try await fixture.database.superPool.query(
        """
        select encode(totp_secret, 'escape') as secret,
          (select string_agg(encode(code_hash, 'escape'), ' ') from recovery_codes) as codes
        from operators where email = \(desk.email)
        """)[0]
      let stored = try row.get("secret", as: String.self) + row.get("codes", as: String.self)
      #expect(!stored.contains(desk.totp.base32))
      #expect(desk.codes.allSatisfy { !stored.contains($0) })
    }
  }

  @Test func guessesAreCountedForTheAccountWhereverTheyComeFrom() async throws {
    try await Fixture.with { fixture in
      let desk = try await Desk(fixture)
      let at = later(60)
      let waiting = try await desk.signIn(at: at)
      // Many at the same moment are no way past the limit; recovery codes count as well.
      let refusals = await withTaskGroup(of: SecondFactor.Refusal?.self) { group in
        for number in 0..<20 {
          let guess = number.isMultiple(of: 2) ? "000000" : RecoveryCode.random()
          group.addTask {
            do {
              _ = try await desk.pass(waiting, guess, at: at, from: "198.51.100.\(number)")
              return nil
            } catch { return error as? SecondFactor.Refusal }
          }
        }
        return await group.reduce(into: [SecondFactor.Refusal?]()) { $0.append($1) }
      }
      #expect(refusals.count { $0 == .mismatch } == Limits.totpFailures)
      #expect(
        refusals.count { $0 == .throttled(retryAfterSeconds: Limits.loginWindowSeconds) } == 15)
      // Neither the right code nor a right recovery code passes then, from wherever.
      for code in [desk.code(at: at), desk.codes[0]] {
        await #expect(
          throws: SecondFactor.Refusal.throttled(retryAfterSeconds: Limits.loginWindowSeconds)
        ) { try await desk.pass(waiting, code, at: at, from: "203.0.113.9") }
      }
      let after = at.addingTimeInterval(Double(Limits.loginWindowSeconds) + 1)
      let session = try await desk.pass(
        desk.signIn(at: after), desk.code(at: after), at: after)
      #expect(session != nil)
    }
  }

  @Test func aDayHasALimitOfItsOwn() async throws {
    try await Fixture.with { fixture in
      let desk = try await Desk(fixture)
      let person = try #require(try await Operator.find(email: desk.email, fixture.pool))
      var (at, refused) = (later(60), 0)
      let waiting = try await desk.signIn(at: at)
      for _ in 0..<10 {
        for _ in 0..<Limits.totpFailures {
          do {
            _ = try await desk.pass(waiting, "000000", at: at)
          } catch SecondFactor.Refusal.mismatch { refused += 1 } catch {}
        }
        try await Throttle.clear([.address("192.0.2.1")], fixture.pool)
        at = at.addingTimeInterval(Double(Limits.loginWindowSeconds) + 1)
      }
      #expect(refused == Limits.totpFailuresPerDay)
      #expect(person.secondFactorSince != nil)
      // What a job removes meanwhile does not forget the day.
      _ = try await Throttle.purge(at: at, fixture.pool)
      await #expect(throws: SecondFactor.Refusal.self) {
        try await desk.pass(waiting, desk.code(at: at), at: at)
      }
    }
  }

  @Test func turningItOnOrOffEndsEverySession() async throws {
    try await Fixture.with { fixture in
      let person = try await Operator.create(
        email: "bo@example.com", name: "Bo", password: Self.password, locale: "en",
        at: Self.start, fixture.platform)
      let login = fixture.platform.login
      let factor = fixture.platform.secondFactor
      func open() async throws -> String {
        try await login.open(
          email: person.email, password: Self.password, userAgent: "", address: "a", at: later(0)
        ).token
      }
      let old = try await open()
      let totp = try await factor.begin(for: person)
      await #expect(throws: SecondFactor.Refusal.mismatch) {
        _ = try await factor.confirm(
          code: "000000", for: person, userAgent: "", address: "a", at: Self.start)
      }
      #expect(try await Session.find(token: old, at: later(1), fixture.pool) != nil)
      let renewed = try await factor.confirm(
        code: totp.code(step: TOTP.step(at: Self.start)), for: person, userAgent: "", address: "a",
        at: Self.start)
      #expect(try await Session.find(token: old, at: later(1), fixture.pool) == nil)
      let mine = try await Session.find(token: renewed.opened.token, at: later(1), fixture.pool)
      #expect(mine != nil)
      // It is on: beginning again must not replace the secret.
      await #expect(throws: SecondFactor.Refusal.state) { try await factor.begin(for: person) }
      let known = try #require(try await Operator.find(email: person.email, fixture.pool))
      await #expect(throws: Login.Refusal.mismatch) {
        _ = try await factor.remove(
          password: "wrong wrong wrong", code: renewed.recoveryCodes[0], of: known, userAgent: "",
          address: "a", at: later(2))
      }
      let opened = try await factor.remove(
        password: Self.password, code: renewed.recoveryCodes[0], of: known, userAgent: "",
        address: "a", at: later(3))
      #expect(
        try await Session.find(token: renewed.opened.token, at: later(4), fixture.pool) == nil)
      #expect(try await Session.find(token: opened.token, at: later(4), fixture.pool) != nil)
      #expect(try await Session.find(token: try await open(), at: later(4), fixture.pool) != nil)
    }
  }
}
