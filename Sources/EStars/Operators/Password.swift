import CArgon2
import Foundation
import Synchronization

/// argon2id through libargon2: 64 MiB, 3 passes, 1 lane. Hashing runs on threads of its own, at
/// most ``Limits/passwordHashesAtOnce`` at once, so that it never holds an event loop and a flood
/// of logins cannot take the machine's memory.
public final class PasswordHasher: Sendable {
  private static let memoryKiB: UInt32 = 64 << 10
  private static let passes: UInt32 = 3
  private static let saltBytes = 16
  private static let hashBytes = 32

  private let queue = DispatchQueue(label: "estars.password", attributes: .concurrent)
  private let slots = DispatchSemaphore(value: Limits.passwordHashesAtOnce)
  private let waiting = Mutex(0)
  private let gate = DispatchQueue(label: "estars.password.gate")

  public enum Problem: Error, Equatable { case busy, tooLong, failed }

  public init() {}

  /// - Returns: The encoded form, parameters and salt included.
  /// - Throws: ``Problem``
  public func hash(_ password: String) async throws -> String {
    try await run {
      var encoded = [CChar](repeating: 0, count: 256)
      let salt = Bytes.random(Self.saltBytes)
      let bytes = Array(password.utf8)
      let code = argon2id_hash_encoded(
        Self.passes, Self.memoryKiB, 1, bytes, bytes.count, salt, salt.count, Self.hashBytes,
        &encoded, encoded.count)
      guard code == ARGON2_OK.rawValue else { throw Problem.failed }
      return String(
        decoding: encoded.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
  }

  /// - Throws: ``Problem/busy`` when too many logins wait.
  public func verify(_ password: String, _ encoded: String) async throws -> Bool {
    guard password.utf8.count <= Limits.passwordBytes else { return false }
    return try await run {
      let bytes = Array(password.utf8)
      return argon2id_verify(encoded, bytes, bytes.count) == ARGON2_OK.rawValue
    }
  }

  /// Whether libargon2 does the whole work for this hash before it says that a password differs.
  func costsAFullVerification(_ encoded: String) async throws -> Bool {
    try await run { argon2id_verify(encoded, [0], 1) == ARGON2_VERIFY_MISMATCH.rawValue }
  }

  private func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
    let admitted = waiting.withLock { count in
      guard count < Limits.passwordHashesWaiting else { return false }
      count += 1
      return true
    }
    guard admitted else { throw Problem.busy }
    defer { waiting.withLock { $0 -= 1 } }
    return try await withCheckedThrowingContinuation { continuation in
      // One thread waits for a slot, whoever else is queued: the gate is serial.
      gate.async { [queue, slots] in
        slots.wait()
        queue.async {
          defer { slots.signal() }
          continuation.resume(with: Result { try work() })
        }
      }
    }
  }
}
