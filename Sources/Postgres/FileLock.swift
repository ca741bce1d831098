import Foundation

/// An advisory lock on a file; the system releases it when the process ends.
struct FileLock: Sendable {
  private let descriptor: Int32

  static func take(_ path: String) async throws -> FileLock {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw PostgresError(.setup, "\(path) cannot be opened: \(lastSystemError())")
    }
    let deadline = ContinuousClock.now + Limits.clusterStartTimeout
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard ContinuousClock.now < deadline else {
        close(descriptor)
        throw PostgresError(.setup, "another process is starting this cluster (\(path) is locked)")
      }
      try await Task.sleep(for: .milliseconds(100))
    }
    return FileLock(descriptor: descriptor)
  }

  func release() { close(descriptor) }
}
