import ArgumentParser
import EStars
import Foundation
import Ledger
import Logging
import Postgres
import Telegram

/// A private database as `estars demo` makes it, with one workspace, one paid action and customers
/// who can pay for it. Prints one line of JSON when it is ready, stays until standard input ends,
/// and then deletes what it made.
struct DataCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "data")

  @Option var directory: String
  @Option var customers = 20_000
  /// Where to write updates that report payments, one a line, for `load --bodies`.
  @Option var payments: String
  /// How many customers pay.
  @Option var buyers = 2_000

  private static let action = "sticker"
  /// Has a quota, which nobody reaches.
  static let limitedAction = "stem_separation"
  private static let firstTelegramID: Int64 = 6_000_000_000
  static let firstBuyer: Int64 = 7_000_000_000
  private static let credits: Int64 = 1_000_000_000
  /// Few enough for the app role's statement timeout on a slow disk.
  private static let customersPerStatement = 1_000

  private struct Ready: Encodable {
    let database: String
    let postmaster: Int32
    let secretKey: String
    let apiKey: String
    let workspace: Int64
    let action: String
    let limitedAction: String
    let firstUser: Int64
    let firstAccount: Int64
    let customers: Int
  }

  func run() async throws {
    let logger = Logger(label: "bench")
    let cluster = Cluster(directory: URL(filePath: directory), logger: logger)
    try await cluster.remove()
    do {
      try await cluster.start()
      let ready = try await fill(cluster, logger)
      let encoder = JSONEncoder()
      encoder.keyEncodingStrategy = .convertToSnakeCase
      FileHandle.standardOutput.write(try encoder.encode(ready) + Data("\n".utf8))
      while readLine() != nil {}
    } catch {
      try? await cluster.remove()
      throw error
    }
    try await cluster.remove()
  }

  private func fill(_ cluster: Cluster, _ logger: Logger) async throws -> Ready {
    _ = try await Migrator(directory: URL(filePath: "Migrations"), logger: logger)
      .migrate(Configuration(connectionString: cluster.ownerURL))
    let secretKey = Bytes.hex(Bytes.random(32))
    let platform = Platform(
      pool: Pool(Configuration(connectionString: cluster.appURL), logger: logger),
      secrets: try Secrets(hex: secretKey), logger: logger)
    let now = Date()
    let sides = try await Workspace.sides(
      slug: "bench", orOpenedAs: "Bench", locale: "en", at: now, platform.pool)
    guard let workspace = sides.first(where: { $0.side == .test }),
      let nowhere = URL(string: "http://127.0.0.1:9")
    else { throw Complaint(description: "the workspace has no test side") }
    let bot = try await Bot.register(
      token: "7000000009:" + Bytes.base64URL(Bytes.random(26)).prefix(35), username: "bench_bot",
      name: "Bench", segment: .aiBot, endpoint: .sandbox(nowhere), in: workspace, at: now, platform)
    let key = try await APIKey.issue(
      for: bot, side: .test, scopes: APIKey.Scope.allCases, at: now, platform.pool)
    let firstAccount = try await fill(workspace.id, platform.pool)
    try await limit(workspace.id, platform.pool)
    try await writePayments(to: bot, platform)
    await platform.close()
    return Ready(
      database: cluster.appURL, postmaster: try await cluster.processID() ?? 0,
      secretKey: secretKey, apiKey: key, workspace: workspace.id, action: Self.action,
      limitedAction: Self.limitedAction, firstUser: Self.firstTelegramID,
      firstAccount: firstAccount, customers: customers)
  }

  /// Returns the first of the customers' account numbers, which follow each other.
  private func fill(_ workspace: Int64, _ pool: Pool) async throws -> Int64 {
    let setting = ["estars.workspace_id": String(workspace)]
    _ = try await pool.transaction(setting) { tx in
      try await tx.execute(
        """
        insert into actions (workspace_id, action, title, price_credits, position)
        values (\(workspace), \(Self.action), 'Sticker', 1, 0)
        """)
    }
    for start in stride(from: 0, to: customers, by: Self.customersPerStatement) {
      let end = min(start + Self.customersPerStatement, customers) - 1
      _ = try await pool.transaction(setting) { tx in
        try await tx.execute(
          """
          insert into customers (workspace_id, telegram_id, first_name, created_at, last_seen_at)
          select \(workspace)::bigint, \(Self.firstTelegramID)::bigint + n, 'Customer', now(), now()
          from generate_series(\(start)::bigint, \(end)::bigint) n
          """)
        try await tx.execute(
          """
          select ledger_credit(\(workspace), c.customer_id, 1::smallint, \(Self.credits),
            'job:' || c.telegram_id, 'goodwill', null, null, false, 'infinity', null, 'bench', null,
            now())
          from customers c where c.workspace_id = \(workspace)
            and c.telegram_id between \(Self.firstTelegramID)::bigint + \(start)::bigint
              and \(Self.firstTelegramID)::bigint + \(end)::bigint
          """)
      }
    }
    let row = try await pool.transaction(setting) { tx in
      try await tx.query(
        """
        select min(account_id) as first, max(account_id) as last, count(*) as count
        from accounts where balance = \(Self.credits)
        """)[0]
    }
    let first: Int64 = try row.get("first")
    guard try row.get("count", as: Int.self) == customers,
      try row.get("last", as: Int64.self) == first + Int64(customers) - 1
    else { throw Complaint(description: "not every customer got credits") }
    return first
  }
}
