import ArgumentParser
import EStars
import Foundation
import Logging
import Postgres
import Sandbox
import ServiceLifecycle
import Telegram
import Web

struct Demo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the product with demo data, a private database and a sandbox Telegram.")

  @Option(help: "The address to listen on.") var host = "127.0.0.1"
  @Option(help: "The product's port.") var port = 8080
  @Option(help: "The sandbox Telegram's port.") var sandboxPort = 8081
  @Option(help: "The folder for database, books and demo.json.") var data = ".data"
  @OptionGroup var wish: HistoryWish
  @Flag(help: "Start over: delete what the folder holds of an earlier demo.") var fresh = false

  private var directory: URL { URL(filePath: data, directoryHint: .isDirectory) }
  private var resources: URL { URL(filePath: FileManager.default.currentDirectoryPath) }

  func run() async throws {
    let logger = Log.start()
    try check()
    let lock = try DataLock(directory)
    defer { lock.release() }
    let cluster = Cluster(directory: directory.appending(path: "postgres"), logger: logger)
    if fresh { try await startOver(cluster) }
    say("==> starting the private database")
    do { try await cluster.start() } catch let error as PostgresError {
      throw Complaint(error.message)
    }
    do {
      try await serve(cluster, logger)
    } catch {
      try? await cluster.stop()
      throw error
    }
    say("==> stopping the private database")
    try await cluster.stop()
  }

  private func serve(_ cluster: Cluster, _ logger: Logger) async throws {
    say("==> migrating")
    _ = try await Migrator(directory: resources.appending(path: "Migrations"), logger: logger)
      .migrate(Configuration(connectionString: cluster.ownerURL))
    let platform = Platform(
      pool: Pool(Configuration(connectionString: cluster.appURL), logger: logger),
      secrets: try secrets(), logger: logger,
      allowsPrivateTargets: Settings.allowsPrivateTargets(orElse: true) ?? false,
      outageJournal: try OutageJournal(path: directory.appending(path: "outage.journal").path))
    let sandbox = try SandboxServer(
      configuration: SandboxConfiguration(
        host: host, port: sandboxPort, dataDirectory: try folder("sandbox"), resources: resources),
      logger: logger)
    say("==> loading the demo workspace")
    let ownerPool = Pool(Configuration(connectionString: cluster.ownerURL), logger: logger)
    let demo = try await DemoData(
      platform: platform, book: sandbox.book, directory: directory,
      productURL: try address(port), sandboxURL: try address(sandboxPort), wish: wish,
      ownerPool: ownerPool
    ).load()
    await ownerPool.close()
    var configuration = Server.Configuration(resources: resources, publicURL: try address(port))
    configuration.host = host
    configuration.port = port
    configuration.sandboxURL = try address(sandboxPort)
    try await platform.directory.preload()
    let server = try Server(platform: platform, configuration: configuration, logger: logger)
    let ready = Ready { try announce(demo) }
    let bots = demo.bots.map { bot in
      DemoBot(
        plan: bot.plan,
        telegram: TelegramClient(
          token: bot.token, endpoint: .sandbox(demo.file.sandboxURL), logger: logger),
        api: DemoAPI(baseURL: demo.file.productURL, key: bot.apiKey), logger: logger)
    }
    try await Running.services(
      [
        sandbox,
        server.application { _ in
          // Whoever reads demo.json calls both.
          if await sandbox.port != nil { await ready.run() }
        },
        WorkerService(worker: Worker(platform: platform)),
        DemoDatabase(cluster: cluster, logger: logger),
        DemoClock(
          book: sandbox.book, slug: demo.file.workspace, pool: platform.pool, logger: logger),
      ] + OutageBooking.services(platform) + bots, logger)
    await platform.close()
  }

  /// What would fail later is said at once, in one line.
  private func check() throws {
    try wish.check(now: Date())
    for (name, number) in [("--port", port), ("--sandbox-port", sandboxPort)] {
      guard (1...65_535).contains(number) else { throw Complaint("\(name) is not a port number") }
      try PortProbe.check(host: host, port: number, option: name)
    }
    guard port != sandboxPort else { throw Complaint("--port and --sandbox-port are the same") }
    do {
      try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    } catch {
      throw Complaint("cannot write to the folder \(directory.path): choose one with --data")
    }
    guard FileManager.default.isWritableFile(atPath: directory.path) else {
      throw Complaint("cannot write to the folder \(directory.path): choose one with --data")
    }
  }

  private func startOver(_ cluster: Cluster) async throws {
    say("==> starting over")
    try await cluster.remove()
    for name in ["sandbox", "demo.json", "secret.key", "outage.journal"] {
      try? FileManager.default.removeItem(at: directory.appending(path: name))
    }
  }

  private func folder(_ name: String) throws -> URL {
    let url = directory.appending(path: name, directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url
  }

  private func address(_ port: Int) throws -> URL {
    let reachable = host == "0.0.0.0" || host == "::" ? "127.0.0.1" : host
    guard let url = URL(string: "http://\(reachable):\(port)") else {
      throw Complaint("--host is not an address")
    }
    return url
  }

  /// The demo makes its own key, once per data folder.
  private func secrets() throws -> Secrets {
    let file = directory.appending(path: "secret.key")
    if let hex = try? String(contentsOf: file, encoding: .utf8) {
      return try Secrets(hex: hex.trimmingCharacters(in: .whitespacesAndNewlines))
    }
    let hex = Bytes.hex(Bytes.random(32))
    try PrivateFile.write(Data(hex.utf8), to: file)
    return try Secrets(hex: hex)
  }

  private func announce(_ demo: DemoData.Loaded) throws {
    try demo.write(to: directory)
    say(
      """

      eStars          \(demo.file.productURL.absoluteString)
      sandbox phone   \(demo.file.sandboxURL.absoluteString)
      dashboard       \(demo.file.productURL.absoluteString)/w/\(demo.file.workspace)
      """)
    for login in demo.file.logins {
      let factor = login.totpSecret.map { "  second factor \($0)" } ?? ""
      say(
        "  \(login.role.padding(toLength: 14, withPad: " ", startingAt: 0))\(login.email)  "
          + login.password + factor)
    }
    say(
      "details         \(directory.appending(path: "demo.json").path)\n\nCtrl-C stops everything.")
  }

}

/// Keeps a second demo from the data folder of one that runs: it would stop its database, or with
/// `--fresh` delete it.
private struct DataLock {
  private let descriptor: Int32

  init(_ directory: URL) throws {
    descriptor = open(directory.appending(path: "lock").path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw Complaint("cannot write to the folder \(directory.path): choose one with --data")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw Complaint(
        "another demo uses the folder \(directory.path): stop it or choose another with --data")
    }
  }

  func release() { close(descriptor) }
}

/// Runs once, when server and sandbox listen.
private actor Ready {
  private let work: @Sendable () throws -> Void
  init(_ work: @escaping @Sendable () throws -> Void) { self.work = work }
  func run() {
    do { try work() } catch { say("error: demo.json could not be written: \(error)") }
  }
}
