import EStars
import Foundation
import Logging
import Postgres
import Web

/// The deployment's configuration, read once from the environment. Nothing else in the product
/// looks at it. Every complaint is collected, so that one start shows them all.
struct Settings {
  let databaseURL: String
  let secrets: Secrets
  let host: String
  let port: Int
  let publicURL: URL
  let trustedProxies: Set<String>
  let resources: URL
  let databaseConnections: Int
  let allowsPrivateTargets: Bool
  let sandboxURL: URL?
  /// nil: nothing goes on while the database is away.
  let outageJournal: String?

  /// - Parameter isServing: Whether the process listens; otherwise only database and key matter.
  init(
    isServing: Bool, _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws {
    var complaints: [String] = []
    func complain<T>(_ text: String, _ value: T) -> T {
      complaints.append(text)
      return value
    }
    databaseURL =
      Self.value("DATABASE_URL", environment)
      ?? complain("DATABASE_URL is missing: a libpq address for the role estars_app", "")
    var secrets: Secrets?
    do throws(Secrets.Problem) {
      secrets = try Secrets(
        hex: Self.value(Secrets.Variable.secretKey.rawValue, environment),
        sealingKey: Self.value(Secrets.Variable.sealingKey.rawValue, environment),
        otherSealingKey: Self.value(Secrets.Variable.otherSealingKey.rawValue, environment))
    } catch { complaints.append(error.description) }
    host = Self.value("ESTARS_HOST", environment) ?? "127.0.0.1"
    port = Self.number("ESTARS_PORT", 8080, 1...65_535, environment, &complaints)
    databaseConnections = Self.number(
      "ESTARS_DATABASE_CONNECTIONS", 16, 2...500, environment, &complaints)
    allowsPrivateTargets =
      Self.allowsPrivateTargets(environment, orElse: false)
      ?? complain("ESTARS_PRIVATE_TARGETS is neither allow nor refuse", false)
    outageJournal = Self.value("ESTARS_OUTAGE_JOURNAL", environment)
    trustedProxies = Set(
      (Self.value("ESTARS_TRUSTED_PROXIES", environment) ?? "").split(separator: ",")
        .map { $0.trimmingCharacters(in: .whitespaces) })
    let address = Self.value("ESTARS_PUBLIC_URL", environment) ?? "http://127.0.0.1:\(port)"
    let url = URL(string: address)
    publicURL = url ?? URL(filePath: "/")
    if url?.host() == nil || !["http", "https"].contains(url?.scheme ?? "") {
      complaints.append("ESTARS_PUBLIC_URL is not an address: write https://host")
    } else if url?.scheme == "http", !Self.isLoopback(url?.host() ?? "") {
      complaints.append(
        "ESTARS_PUBLIC_URL is plain HTTP: passwords need TLS, so put a proxy in front and write https://"
      )
    } else if url?.scheme == "https", trustedProxies.isEmpty {
      complaints.append(
        "ESTARS_TRUSTED_PROXIES is missing: name the proxy that ends TLS, by its address")
    }
    let sandbox = Self.value("ESTARS_SANDBOX_URL", environment)
    sandboxURL = sandbox.flatMap { URL(string: $0) }
    if sandbox != nil, sandboxURL?.host() == nil {
      complaints.append("ESTARS_SANDBOX_URL is not an address: write http://127.0.0.1:8081")
    }
    resources = URL(
      filePath: Self.value("ESTARS_RESOURCES", environment)
        ?? FileManager.default.currentDirectoryPath)
    if !FileManager.default.fileExists(atPath: resources.appending(path: "Templates").path) {
      complaints.append("ESTARS_RESOURCES has no folder Templates: point it at the checkout")
    }
    if !isServing {
      complaints.removeAll {
        !$0.hasPrefix("DATABASE_URL") && !$0.hasPrefix("ESTARS_SECRET_KEY")
          && !$0.hasPrefix("ESTARS_SEALING_KEY")
          && !$0.hasPrefix("ESTARS_DATABASE_CONNECTIONS")
          && !$0.hasPrefix("ESTARS_PRIVATE_TARGETS")
      }
    }
    guard complaints.isEmpty, let secrets else {
      throw Complaint("cannot start:\n" + complaints.map { "  " + $0 }.joined(separator: "\n"))
    }
    self.secrets = secrets
  }

  /// The variable, or the contents of the file that the variable with `_FILE` names.
  static func value(_ name: String, _ environment: [String: String]) -> String? {
    if let value = environment[name], !value.isEmpty { return value }
    guard let path = environment[name + "_FILE"],
      let text = try? String(contentsOfFile: path, encoding: .utf8)
    else { return nil }
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func number(
    _ name: String, _ fallback: Int, _ range: ClosedRange<Int>, _ environment: [String: String],
    _ complaints: inout [String]
  ) -> Int {
    guard let text = value(name, environment) else { return fallback }
    guard let number = Int(text), range.contains(number) else {
      complaints.append("\(name) is not a number from \(range.lowerBound) to \(range.upperBound)")
      return fallback
    }
    return number
  }

  /// - Returns: nil for a word that is none of the two.
  static func allowsPrivateTargets(
    _ environment: [String: String] = ProcessInfo.processInfo.environment, orElse fallback: Bool
  ) -> Bool? {
    switch value("ESTARS_PRIVATE_TARGETS", environment) {
    case nil: fallback
    case "allow": true
    case "refuse": false
    default: nil
    }
  }

  private static func isLoopback(_ host: String) -> Bool {
    host == "localhost" || host == "::1" || host.hasPrefix("127.")
  }
}

enum Log {
  /// Lines on standard error; the level comes from LOG_LEVEL.
  static func start() -> Logger {
    LoggingSystem.bootstrap { label in StreamLogHandler.standardError(label: label) }
    var logger = Logger(label: "estars")
    let level = ProcessInfo.processInfo.environment["LOG_LEVEL"]
    logger.logLevel = level.flatMap(Logger.Level.init(rawValue:)) ?? .notice
    return logger
  }
}
