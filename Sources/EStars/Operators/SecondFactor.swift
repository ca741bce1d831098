import Foundation
import Postgres

/// The code that a sign-in takes beside the password: set up, asked for, taken away.
public struct SecondFactor: Sendable {
  public enum Refusal: Error, Equatable, Sendable {
    /// Wrong, used before or out of its time.
    case mismatch
    case throttled(retryAfterSeconds: Int)
    /// It is on already, or it is not being set up.
    case state
  }

  /// A browser that goes on in a new session, with what it is to be shown once.
  public struct Renewed: Sendable {
    public let opened: Session.Opened
    public let recoveryCodes: [String]
  }

  let platform: Platform
  private var pool: Pool { platform.pool }

  /// The step after the password: closes the session that waited and opens one that is signed in.
  ///
  /// - Parameter code: Of the app, or a recovery code.
  /// - Throws: ``Refusal``
  public func pass(
    _ waiting: Session, code: String, userAgent: String, address: String, at: Date
  ) async throws -> Session.Opened {
    let person = waiting.operator
    let means = try await check(code, of: person, address: address, at: at)
    let closed = try await pool.execute(
      "delete from sessions where token_hash = \(waiting.tokenHash) and awaits_totp")
    guard closed == 1 else { throw Refusal.mismatch }
    if means == .recovery { await person.tell("operator.recovery_code_used", platform) }
    return try await Session.open(
      for: person.id, awaitsTOTP: false, userAgent: userAgent, address: address, at: at, pool)
  }

  /// A new secret, which counts once a code of it was shown.
  ///
  /// - Throws: ``Refusal/state`` where the second factor is on.
  public func begin(for person: Operator) async throws -> TOTP {
    let totp = TOTP.random()
    let written = try await pool.execute(
      """
      update operators set totp_secret = \(try platform.secrets.seal(totp.base32))
      where operator_id = \(person.id) and totp_confirmed_at is null
      """)
    guard written == 1 else { throw Refusal.state }
    return totp
  }

  /// The secret that is being set up; nil: none is.
  public func pending(for person: Operator) async throws -> TOTP? {
    let sealed = try await pool.query(
      """
      select totp_secret from operators
      where operator_id = \(person.id) and totp_confirmed_at is null
      """
    ).first?.getIfPresent("totp_secret", as: [UInt8].self)
    return try sealed.flatMap { TOTP(base32: try platform.secrets.open($0)) }
  }

  /// Turns the second factor on. Every session that was opened without it ends.
  ///
  /// - Throws: ``Refusal``
  public func confirm(
    code: String, for person: Operator, userAgent: String, address: String, at: Date
  ) async throws -> Renewed {
    guard let totp = try await pending(for: person) else { throw Refusal.state }
    try await take(person, address: address, at: at)
    guard let step = totp.step(of: Self.digits(code), at: at) else {
      return try await refuse(address: address, at: at)
    }
    let codes = try await pool.transaction { tx in
      let written = try await tx.execute(
        """
        update operators set totp_confirmed_at = \(at), totp_last_step = \(step)
        where operator_id = \(person.id) and totp_confirmed_at is null
        """)
      guard written == 1 else { throw Refusal.state }
      try await tx.execute("delete from sessions where operator_id = \(person.id)")
      return try await tx.renewRecoveryCodes(of: person.id)
    }
    try await Throttle.clear(Throttle.Key.codes(person.id), pool)
    await person.tell("operator.totp_on", platform)
    let opened = try await Session.open(
      for: person.id, awaitsTOTP: false, userAgent: userAgent, address: address, at: at, pool)
    return Renewed(opened: opened, recoveryCodes: codes)
  }

  /// Turns the second factor off for somebody who has both.
  ///
  /// - Throws: ``Login/Refusal``, ``Refusal``
  public func remove(
    password: String, code: String, of person: Operator, userAgent: String, address: String,
    at: Date
  ) async throws -> Session.Opened {
    try await platform.login.confirm(person, password: password, address: address, at: at)
    _ = try await check(code, of: person, address: address, at: at)
    try await pool.transaction { tx in try await tx.removeSecondFactor(of: person.id) }
    await person.tell("operator.totp_off", platform)
    return try await Session.open(
      for: person.id, awaitsTOTP: false, userAgent: userAgent, address: address, at: at, pool)
  }

  /// New recovery codes; the old ones are good for nothing any more.
  ///
  /// - Throws: ``Login/Refusal``, ``Refusal/state``
  public func renewRecoveryCodes(
    password: String, of person: Operator, address: String, at: Date
  ) async throws -> [String] {
    guard person.secondFactorSince != nil else { throw Refusal.state }
    try await platform.login.confirm(person, password: password, address: address, at: at)
    let codes = try await pool.transaction { tx in
      try await tx.renewRecoveryCodes(of: person.id)
    }
    await person.tell("operator.recovery_codes_renewed", platform)
    return codes
  }

  private enum Means { case app, recovery }

  private func check(
    _ code: String, of person: Operator, address: String, at: Date
  ) async throws -> Means {
    try await take(person, address: address, at: at)
    let row = try await pool.query(
      "select totp_secret, totp_confirmed_at from operators where operator_id = \(person.id)"
    ).first
    guard try row?.getIfPresent("totp_confirmed_at", as: Date.self) != nil,
      let sealed = try row?.getIfPresent("totp_secret", as: [UInt8].self),
      let totp = TOTP(base32: try platform.secrets.open(sealed))
    else { throw Refusal.state }
    let means: Means
    if let step = totp.step(of: Self.digits(code), at: at), try await use(step, of: person) {
      means = .app
    } else if try await RecoveryCode.use(code, of: person.id, at: at, pool) {
      means = .recovery
    } else {
      return try await refuse(address: address, at: at)
    }
    try await Throttle.clear(Throttle.Key.codes(person.id), pool)
    return means
  }

  /// A code opens one door: the step it belongs to is used up, and all before it.
  private func use(_ step: Int64, of person: Operator) async throws -> Bool {
    try await pool.execute(
      """
      update operators set totp_last_step = \(step)
      where operator_id = \(person.id) and totp_last_step < \(step)
      """) == 1
  }

  private func take(_ person: Operator, address: String, at: Date) async throws {
    let blocked = try await Throttle.blockedSeconds([.address(address)], at: at, pool)
    let taken = try await Throttle.take(Throttle.Key.codes(person.id), at: at, pool)
    if let seconds = [blocked, taken].compactMap({ $0 }).max() {
      throw Refusal.throttled(retryAfterSeconds: seconds)
    }
  }

  private func refuse<T>(address: String, at: Date) async throws -> T {
    try await Throttle.countFailure([.address(address)], at: at, pool)
    throw Refusal.mismatch
  }

  private static func digits(_ code: String) -> String {
    code.filter { $0 != " " && $0 != "-" }
  }
}

extension Transaction {
  /// Ends every session, too.
  func removeSecondFactor(of operatorID: Int64) async throws {
    try await execute(
      """
      update operators set totp_secret = null, totp_confirmed_at = null, totp_last_step = 0
      where operator_id = \(operatorID)
      """)
    try await execute("delete from recovery_codes where operator_id = \(operatorID)")
    try await execute("delete from sessions where operator_id = \(operatorID)")
    try await execute(
      """
      delete from reset_links where operator_id = \(operatorID) and kind = 'totp'
        and used_at is null
      """)
  }
}
