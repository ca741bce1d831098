import Foundation

/// The directory where a private cluster's files are, and the programs that work on it.
struct ClusterHome: Sendable {
  let path: String
  let user: ServerUser

  private var data: String { "\(path)/data" }
  private var lockFile: String { "\(data)/postmaster.pid" }
  private var log: String { "\(path)/server.log" }
  private static let pointerName = "cluster-path"

  /// Makes the directory, or finds another one that the server's user can reach.
  static func prepare(_ directory: URL) async throws -> ClusterHome {
    if let home = try await existing(directory) { return home }
    let user = try ServerUser.current()
    try createDirectory(directory.path)
    try user.own(directory.path, mode: 0o700)
    if try await user.canEnter(directory.path) {
      return ClusterHome(path: directory.path, user: user)
    }
    // Somebody's parents stay as they are: the data goes where the server's user can reach it.
    let name = "estars-\(Cluster.fingerprint(of: directory.path))"
    let path = "\(user.home)/\(name)"
    try createDirectory(path)
    try user.own(path, mode: 0o700)
    guard try await user.canEnter(path) else {
      throw PostgresError(
        .setup, "the user \(user.name) can reach neither \(directory.path) nor \(path)")
    }
    try Data("\(path)\n".utf8).write(
      to: directory.appending(path: pointerName), options: .atomic)
    return ClusterHome(path: path, user: user)
  }

  /// The directory that `prepare` chose before, if it did.
  static func existing(_ directory: URL) async throws -> ClusterHome? {
    let user = try ServerUser.current()
    let pointer = directory.appending(path: pointerName)
    if let text = try? String(contentsOf: pointer, encoding: .utf8) {
      let path = text.trimmingCharacters(in: .whitespacesAndNewlines)
      return FileManager.default.fileExists(atPath: path)
        ? ClusterHome(path: path, user: user) : nil
    }
    let home = ClusterHome(path: directory.path, user: user)
    return home.hasData ? home : nil
  }

  var hasData: Bool { FileManager.default.fileExists(atPath: "\(data)/PG_VERSION") }

  /// Keeps a second starter of the same directory waiting.
  func lock() async throws -> FileLock {
    try await FileLock.take("\(path)/lock")
  }

  /// A directory that initdb did not finish is never called `data`.
  func removeHalfBuilt() throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: path)
    where name.hasPrefix("data.new") {
      try FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }
    if FileManager.default.fileExists(atPath: data), !hasData {
      throw PostgresError(.setup, "\(data) exists and is not a database cluster")
    }
  }

  func initialize(syncs: Bool) async throws {
    let building = "\(data).new\(getpid())"
    let programs = try ServerPrograms.find(version: nil)
    try await user.run(
      programs.path(of: "initdb"),
      [
        "--pgdata", building, "--username", "postgres", "--encoding", "UTF8",
        "--locale", "C.UTF-8", "--auth-local", "trust", "--auth-host", "reject",
        "--data-checksums", "--no-instructions",
      ] + (syncs ? [] : ["--no-sync"]))
    let configuration = "\(building)/postgresql.conf"
    let text = try String(contentsOfFile: configuration, encoding: .utf8)
    try Data((text + "\ninclude_if_exists = 'estars.conf'\n").utf8)
      .write(to: URL(filePath: configuration))
    guard rename(building, data) == 0 else {
      throw PostgresError(.setup, "\(building) cannot be renamed: \(lastSystemError())")
    }
  }

  func write(settings: [String: String]) throws {
    let lines = settings.sorted { $0.key < $1.key }.map { key, value in
      "\(key) = '\(value.replacing("'", with: "''"))'\n"
    }
    let path = "\(data)/estars.conf"
    try Data(lines.joined().utf8).write(to: URL(filePath: path))
    try user.own(path, mode: 0o600)
  }

  /// Only the server's user (and root) may reach the socket: that is all the authentication there
  /// is, so a directory that somebody else made is refused.
  func prepareSocketDirectory(_ directory: String) throws {
    guard "\(directory)/.s.PGSQL.5432".utf8.count <= Limits.socketPathBytes else {
      throw PostgresError(.setup, "the socket's path in \(directory) is too long")
    }
    if mkdir(directory, 0o700) == 0 {
      try user.own(directory, mode: 0o700)
      return
    }
    var status = stat()
    guard errno == EEXIST, lstat(directory, &status) == 0 else {
      throw PostgresError(.setup, "\(directory) cannot be made: \(lastSystemError())")
    }
    guard status.st_mode & S_IFMT == S_IFDIR, status.st_mode & 0o077 == 0,
      status.st_uid == user.id || status.st_uid == getuid()
    else {
      throw PostgresError(.setup, "\(directory) belongs to somebody else: remove it")
    }
    try user.own(directory, mode: 0o700)
  }

  /// Throws what the server's log says when it does not start.
  func startServer() async throws {
    let programs = try ServerPrograms.find(version: dataVersion())
    let logStart = (try? Data(contentsOf: URL(filePath: log)).count) ?? 0
    do {
      try await user.run(
        programs.path(of: "pg_ctl"),
        [
          "start", "--pgdata", data, "--log", log, "--silent", "--wait",
          "--timeout", "\(Limits.clusterStartTimeout.components.seconds)",
        ])
    } catch let error as PostgresError {
      throw PostgresError(
        .setup, "PostgreSQL does not start: \(logComplaint(from: logStart) ?? error.message)")
    }
  }

  func stopServer() async throws {
    guard runningProcessID() != nil else { return }
    let programs = try ServerPrograms.find(version: dataVersion())
    do {
      try await user.run(
        programs.path(of: "pg_ctl"),
        ["stop", "--pgdata", data, "--mode", "fast", "--silent", "--wait", "--timeout", "60"])
    } catch {
      // A server that is killed meanwhile has stopped too, though pg_ctl does not think so.
      guard runningProcessID() == nil else { throw error }
    }
  }

  func remove() throws {
    try FileManager.default.removeItem(atPath: path)
  }

  /// The postmaster of this data directory, if it runs.
  func runningProcessID() -> Int32? {
    guard let text = try? String(contentsOfFile: lockFile, encoding: .utf8),
      let first = text.split(separator: "\n").first, let process = Int32(first), process > 0,
      ServerProcess.runs(process, in: data)
    else { return nil }
    return process
  }

  /// What a killed server leaves: backends that end in a moment, and lock files. PostgreSQL
  /// believes a lock file whose process number is in use, be it by a zombie that nobody collects
  /// or, after a restart of the container, by any program. Nothing runs in the data directory any
  /// more when they are removed.
  func clearRemains(socketDirectory: String) async throws {
    let deadline = ContinuousClock.now + Limits.orphanTimeout
    while let orphan = ServerProcess.all(in: data).first {
      guard ContinuousClock.now < deadline else {
        throw PostgresError(.setup, "process \(orphan) of a killed server still uses \(data)")
      }
      try await Task.sleep(for: .milliseconds(50))
    }
    for path in [lockFile, "\(socketDirectory)/.s.PGSQL.5432.lock"] {
      try? FileManager.default.removeItem(atPath: path)
    }
  }

  private func dataVersion() -> Int? {
    let text = try? String(contentsOfFile: "\(data)/PG_VERSION", encoding: .utf8)
    return text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }

  private func logComplaint(from start: Int) -> String? {
    guard let bytes = try? Data(contentsOf: URL(filePath: log)) else { return nil }
    let text = String(decoding: bytes.dropFirst(start), as: UTF8.self)
    let signs = ["FATAL:", "PANIC:", "could not", "invalid value", "unrecognized", "syntax error"]
    let complaint = text.split(separator: "\n").first { line in signs.contains(where: line.contains)
    }
    return complaint?.split(separator: ":  ", maxSplits: 1).last.map(String.init)
  }

  private static func createDirectory(_ path: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw PostgresError(.setup, "\(path) cannot be made: \(error.localizedDescription)")
    }
  }
}
