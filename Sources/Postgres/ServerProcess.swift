import Foundation

/// Running PostgreSQL processes, as /proc tells.
enum ServerProcess {
  /// Whether `process` is a PostgreSQL that works in `directory`.
  static func runs(_ process: Int32, in directory: String) -> Bool {
    guard kill(process, 0) == 0 || errno == EPERM else { return false }
    // `12 (postgres) S …`; a zombie (Z) runs no more.
    guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      status.contains(" (postgres) "), !status.contains(" (postgres) Z ")
    else { return false }
    let place = try? FileManager.default.destinationOfSymbolicLink(
      atPath: "/proc/\(process)/cwd")
    // Not readable: better taken for ours than started twice.
    return place == nil || place == directory
  }

  /// Every PostgreSQL process that works in `directory`.
  static func all(in directory: String) -> [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap(Int32.init).filter { process in
      let place = try? FileManager.default.destinationOfSymbolicLink(
        atPath: "/proc/\(process)/cwd")
      return place == directory && runs(process, in: directory)
    }
  }
}

func lastSystemError() -> String { String(cString: strerror(errno)) }

/// A program run to its end. Not Foundation's `Process`: that one waits until every process which
/// inherited a descriptor of its own has ended, and a server that was started does not end.
enum Subprocess {
  static func run(_ words: [String]) throws -> (code: Int32, output: String) {
    // A file and not a pipe, for the same reason.
    var template = Array("/tmp/estars-output-XXXXXX".utf8CString)
    let output = mkstemp(&template)
    guard output >= 0 else {
      throw PostgresError(.setup, "no temporary file in /tmp: \(lastSystemError())")
    }
    unlink(template)
    _ = fcntl(output, F_SETFD, FD_CLOEXEC)
    let handle = FileHandle(fileDescriptor: output, closeOnDealloc: true)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, output, 2)
    let arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    let variables: [String] = ["PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8"]
    let environment: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) }
    defer { (arguments + environment).forEach { free($0) } }
    keepDescriptors()
    var process: pid_t = 0
    let failure = posix_spawn(
      &process, words[0], &actions, nil, arguments + [nil], environment + [nil])
    guard failure == 0 else {
      throw PostgresError(
        .setup, "\(words[0]) cannot be run: \(String(cString: strerror(failure)))")
    }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else {
        throw PostgresError(.setup, "\(words[0]) was lost: \(lastSystemError())")
      }
    }
    try handle.seek(toOffset: 0)
    let text = String(decoding: try handle.readToEnd() ?? Data(), as: UTF8.self)
    // The exit code, or 128 and the signal as shells have it.
    let signal = status & 0x7f
    return (signal == 0 ? status >> 8 & 0xff : 128 + signal, text)
  }

  /// Lets no program inherit what is open here. A server would keep it for as long as it lives: the
  /// port that this process listens on, for one, which then nobody else could have.
  private static func keepDescriptors() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    for descriptor in names.compactMap(Int32.init) where descriptor > STDERR_FILENO {
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }
  }
}
