import Foundation

/// How to run a sandbox.
public struct SandboxConfiguration: Sendable {
  public var host: String
  /// 0 takes a free port; `SandboxServer.address` then tells which.
  public var port: Int
  /// The books are the files `snapshot.json` and `journal.jsonl` in here. One process at a time.
  public var dataDirectory: URL
  /// The folder that holds `Templates/sandbox` and `Public/sandbox`.
  public var resources: URL
  /// Names besides IP addresses and `localhost` under which browsers may reach the pages.
  public var allowedHosts: Set<String> = []
  public var pace = Pace()

  /// Telegram's times; tests shorten them.
  public struct Pace: Sendable {
    /// A pre-checkout query must be answered within this time, or nothing is charged.
    public var preCheckoutAnswer: Duration = .seconds(10)
    /// How long the reply of a webhook is awaited.
    public var webhookReply: Duration = .seconds(60)
    /// Multiplies the pauses between deliveries of a failing update (0, 2, 4, 8 … seconds).
    public var retryFactor: Double = 1
    /// How often due renewals are looked for while nobody moves the clock.
    public var renewalCheck: Duration = .seconds(1)
    public init() {}
  }

  public init(
    host: String = "127.0.0.1", port: Int = 8081, dataDirectory: URL,
    resources: URL = URL(filePath: FileManager.default.currentDirectoryPath)
  ) {
    self.host = host
    self.port = port
    self.dataDirectory = dataDirectory
    self.resources = resources
  }
}
