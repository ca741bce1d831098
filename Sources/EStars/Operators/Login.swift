import Foundation
import Postgres

/// Signing in with e-mail and password.
public struct Login: Sendable {
  public enum Refusal: Error, Equatable, Sendable {
    /// Wrong e-mail or password; which of them is not said.
    case mismatch
    /// Too many failures for this account or address; try again after the seconds.
    case throttled(retryAfterSeconds: Int)
    /// Too many logins at this moment.
    case busy
  }

  private let pool: Pool
  private let passwords: PasswordHasher

  public init(pool: Pool, passwords: PasswordHasher) {
    self.pool = pool
    self.passwords = passwords
  }

  /// Opens a session; where the account has a second factor, one that is good for that step alone.
  ///
  /// - Throws: ``Refusal``. An unknown e-mail costs the same hash as a wrong password, so that the
  ///   time tells nothing.
  public func open(
    email: String, password: String, userAgent: String, address: String, at: Date
  ) async throws -> Session.Opened {
    let person = try await check(email, password, address: address, at: at)
    return try await Session.open(
      for: person.id, awaitsTOTP: person.secondFactorSince != nil, userAgent: userAgent,
      address: address, at: at, pool)
  }

  /// Asks somebody who is signed in for the password once more.
  ///
  /// - Throws: ``Refusal``
  public func confirm(
    _ person: Operator, password: String, address: String, at: Date
  ) async throws {
    _ = try await check(person.email, password, address: address, at: at)
  }

  private func check(
    _ email: String, _ password: String, address: String, at: Date
  ) async throws -> Operator {
    let email = email.trimmingCharacters(in: .whitespaces).lowercased()
    let keys: [Throttle.Key] = [.account(email), .address(address)]
    if let seconds = try await Throttle.blockedSeconds(keys, at: at, pool) {
      throw Refusal.throttled(retryAfterSeconds: seconds)
    }
    let row = try await pool.query(
      "select \(Operator.columns), o.password_hash from operators o where o.email = \(email)"
    ).first
    let stored = try row?.get("password_hash", as: String.self) ?? Self.nobodysHash
    let matches: Bool
    do {
      matches = try await passwords.verify(password, stored)
    } catch PasswordHasher.Problem.busy { throw Refusal.busy }
    guard let row, matches else {
      try await Throttle.countFailure(keys, at: at, pool)
      throw Refusal.mismatch
    }
    try await Throttle.clear([keys[0]], pool)
    return try Operator(row)
  }

  /// A hash of random bytes with the same parameters as real ones.
  static let nobodysHash =
    "$argon2id$v=19$m=65536,t=3,p=1$ZXN0YXJzLW5vYm9keS1zYWx0$"
    + "Q1QwS0J0b1d5T0hGdkZ2bHhYc2ZxS0VtZ3J0aWJ4bHM"
}
