import Foundation

/// PostgreSQL's programs of one version.
struct ServerPrograms: Sendable {
  private static let minimumVersion = 15
  private let directory: String

  /// The programs of `version`, or of the newest that is installed.
  static func find(version: Int?) throws -> ServerPrograms {
    // Debian keeps each version's programs apart, off the PATH.
    let root = "/usr/lib/postgresql"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    let installed = names.compactMap(Int.init).sorted(by: >).filter { number in
      number >= minimumVersion && (version == nil || number == version)
        && FileManager.default.isExecutableFile(atPath: "\(root)/\(number)/bin/postgres")
    }
    if let number = installed.first {
      return ServerPrograms(directory: "\(root)/\(number)/bin")
    }
    let paths = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let others = paths.map(String.init) + ["/usr/local/pgsql/bin"]
    for path in others where FileManager.default.isExecutableFile(atPath: "\(path)/postgres") {
      return ServerPrograms(directory: path)
    }
    let wanted = version ?? minimumVersion
    throw PostgresError(
      .setup, "PostgreSQL \(wanted) is not installed (apt-get install postgresql-\(wanted))")
  }

  func path(of program: String) -> String { "\(directory)/\(program)" }
}

/// The system's user that the server runs as: `postgres` under root, which PostgreSQL refuses to
/// run as, and otherwise the current one.
struct ServerUser: Sendable {
  let name: String
  let id: uid_t
  private let group: gid_t
  let home: String
  private let isOther: Bool

  static func current() throws -> ServerUser {
    guard getuid() == 0 else {
      return ServerUser(
        name: NSUserName(), id: getuid(), group: getgid(), home: NSHomeDirectory(),
        isOther: false)
    }
    // Not getpwnam: its answer is shared by all threads.
    let lines = try String(contentsOfFile: "/etc/passwd", encoding: .utf8).split(separator: "\n")
    for line in lines {
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count >= 6, fields[0] == "postgres", let id = uid_t(fields[2]),
        let group = gid_t(fields[3])
      else { continue }
      return ServerUser(
        name: "postgres", id: id, group: group, home: String(fields[5]), isOther: true)
    }
    throw PostgresError(.setup, "root cannot run PostgreSQL, and there is no user postgres")
  }

  /// Gives a file or directory to this user.
  func own(_ path: String, mode: mode_t) throws {
    guard !isOther || chown(path, id, group) == 0, chmod(path, mode) == 0 else {
      throw PostgresError(.setup, "\(path) cannot be given to \(name): \(lastSystemError())")
    }
  }

  func canEnter(_ path: String) async throws -> Bool {
    try await status("/usr/bin/test", ["-w", path]).code == 0
  }

  /// Runs a program as this user. Throws `.setup` with the first line it complained with.
  func run(_ program: String, _ arguments: [String]) async throws {
    let (code, output) = try await status(program, arguments)
    guard code != 0 else { return }
    let lines = output.split(separator: "\n").map(String.init)
    let complaint = lines.first { $0.contains("error") || $0.contains("could not") } ?? lines.last
    let program = URL(filePath: program).lastPathComponent
    throw PostgresError(.setup, "\(program) failed: \(complaint ?? "exit code \(code)")")
  }

  private func status(
    _ program: String, _ arguments: [String]
  ) async throws -> (code: Int32, output: String) {
    // The caller's directory may be one that the server's user cannot enter.
    var words = ["/usr/bin/env", "--chdir=/"]
    if isOther {
      words += ["/usr/bin/setpriv", "--reuid=\(id)", "--regid=\(group)", "--init-groups", "--"]
    }
    words += [program] + arguments
    return try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async { [words] in
        continuation.resume(with: Result { try Subprocess.run(words) })
      }
    }
  }
}
