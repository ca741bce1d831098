import Foundation
@_spi(Guard) import Ledger
import Postgres

/// Customers, purchases and uses by the million, for measuring: through the ledger's own functions and
/// into the same tables as real business, in order of time, in large transactions. Names, purchases
/// and uses are the same for the same numbers.
public struct BulkHistory: Sendable {
  public enum Refusal: Error, Sendable {
    /// Only a test side takes other times than now.
    case live
    /// Somebody has to sell.
    case noBot
    /// It has such a history already.
    case filled
  }

  public let customers: Int64
  /// Of the ledger: a grant for each customer, one for each purchase, and uses.
  public let entries: Int64
  /// How many days it reaches back.
  public let days: Int
  private let workspace: Workspace

  /// Customers of a writer have Telegram ids of their own, so that writers never wait for each other.
  static let firstTelegramID: Int64 = 8_000_000_000
  /// Entries of one transaction.
  private static let slice: Int64 = 5_000
  private static let writers: Int64 = 2

  public init(customers: Int64, entries: Int64, days: Int, in workspace: Workspace) {
    self.customers = customers
    self.entries = max(entries, customers)
    self.days = days
    self.workspace = workspace
  }

  /// The Telegram id of the n-th customer, from 0.
  public static func telegramID(_ number: Int64) -> Int64 { firstTelegramID + number }

  /// - Parameter progress: Told of the entries that are written, after each transaction.
  /// - Throws: ``Refusal``, `PostgresError`.
  public func write(
    _ platform: Platform, progress: @escaping @Sendable (Int64) -> Void = { _ in }
  ) async throws {
    guard workspace.side == .test else { throw Refusal.live }
    let (scope, pool) = (workspace.scope, platform.patientPool)
    let facts = try await pool.query(
      """
      select (select array_agg(bot_id order by bot_id) from bots
          where workspace_id = \(workspace.id)) as bots,
        exists (select from customers where workspace_id = \(workspace.id)
          and telegram_id = \(Self.firstTelegramID)) as is_filled
      """, in: scope)[0]
    guard let bots = try facts.getIfPresent("bots", as: [Int64].self) else { throw Refusal.noBot }
    guard try !facts.get("is_filled", as: Bool.self) else { throw Refusal.filled }
    try await pool.transaction(in: scope) { tx in
      for (position, (action, title, price, cost)) in Self.actions.enumerated() {
        try await tx.execute(
          """
          insert into actions (workspace_id, action, title, price_credits, unit_cost_micros, position)
          values (\(workspace.id), \(action), \(title), \(price), \(cost), \(500 + position))
          on conflict do nothing
          """)
      }
    }
    let now = scope.now
    try await withThrowingTaskGroup { group in
      for writer in 0..<Self.writers {
        group.addTask {
          try await BulkWriter(
            scope: scope, bots: bots, number: writer, of: Self.writers, history: self, until: now
          ).write(pool, slice: Self.slice, progress: progress)
        }
      }
      try await group.waitForAll()
    }
  }

  private static let actions: [(String, String, Int64, Int64)] = [
    ("bench_sticker", "Bench sticker", 1, 100_000), ("bench_lookup", "Bench look-up", 2, 180_000),
    ("bench_upscale", "Bench upscale", 3, 350_000),
  ]
}

/// Writes the customers whose number has one remainder.
private struct BulkWriter: Sendable {
  let scope: WorkspaceScope
  let bots: [Int64]
  let number: Int64
  let of: Int64
  let history: BulkHistory
  let until: Date

  private var workspace: Int64 { scope.workspaceID }

  func write(
    _ pool: Pool, slice: Int64, progress: @Sendable (Int64) -> Void
  ) async throws {
    let people = history.customers / of + (number < history.customers % of ? 1 : 0)
    let entries = history.entries / of
    let slices = max(1, (entries + slice - 1) / slice)
    var written: Int64 = 0
    var index: Int64 = 0
    var misses = 0
    // What somebody could not pay for is made up for in the end.
    while written < entries || index < slices {
      let step = min(index, slices - 1)
      let known = people * (step + 1) / slices
      let part = Part(
        index: index, known: index < slices ? people * step / slices : people, people: known,
        count: max(0, min(slice, entries - written)), from: time(step, slices),
        until: time(step + 1, slices))
      let count = try await pool.transaction(in: scope) { tx in
        try await tx.execute("set local statement_timeout = 0")
        return try await write(part, tx)
      }
      // Nobody has credits left.
      misses = count == 0 ? misses + 1 : 0
      if misses > 100 { break }
      written += count
      index += 1
      progress(count)
    }
  }

  private func time(_ slice: Int64, _ of: Int64) -> Date {
    let length = Double(history.days) * 86_400
    return until.addingTimeInterval(-length * (1 - Double(slice) / Double(of)) - 1)
  }

  struct Part {
    let index: Int64
    /// How many people there were before, and are in the end.
    let known: Int64
    let people: Int64
    let count: Int64
    let from: Date
    let until: Date
  }

  /// - Returns: How many entries it made.
  private func write(_ part: Part, _ tx: Transaction) async throws -> Int64 {
    let newcomers = part.people - part.known
    if newcomers > 0 {
      try await tx.execute(arrivals(part))
      try await tx.execute(welcomes(part))
    }
    // A fifteenth of all entries are purchases.
    let rest = max(0, part.count - newcomers)
    let sales = rest / 15
    if sales > 0 {
      for statement in purchases(part, sales) { try await tx.execute(statement) }
    }
    guard rest - sales > 0 else { return newcomers + sales }
    let used: Int64 = try await tx.query(uses(part, rest - sales))[0].get("count")
    return newcomers + sales + used
  }

  /// The n-th of this writer's people.
  private func telegramID(_ number: SQL) -> SQL {
    "(\(BulkHistory.firstTelegramID)::bigint + (\(number)) * \(of)::bigint + \(self.number)::bigint)"
  }

  /// A number below a bound, the same for the same arguments.
  private func drawn(_ number: SQL, _ salt: Int64, below bound: SQL) -> SQL {
    "((hashint8extended(\(number), \(salt)::bigint) & 9223372036854775807) % (\(bound)))"
  }

  private func moment(_ number: SQL, _ count: SQL, _ part: Part) -> SQL {
    """
    (\(part.from)::timestamptz + (\(part.until)::timestamptz - \(part.from)::timestamptz)
      * ((\(number))::float8 / greatest(\(count), 1)))
    """
  }

  private func arrivals(_ part: Part) -> SQL {
    """
    insert into customers (workspace_id, telegram_id, first_name, last_name, username,
      language_code, search_name, traffic_source, created_at, last_seen_at)
    select \(workspace)::bigint, p.telegram_id, p.first_name, p.last_name, p.username, p.language,
      lower(p.first_name || ' ' || p.last_name || ' @' || p.username), p.source, p.at, p.at
    from (
      select \(telegramID("n")) as telegram_id,
        (array['Ana', 'Bruno', 'Carla', 'Diego', 'Elena', 'Ivan', 'Maria', 'Olga', 'Pedro', 'Sofia']
          )[1 + \(drawn("n", 1, below: "10"))] as first_name,
        (array['Silva', 'Santos', 'Costa', 'Petrov', 'Garcia', 'Lima', 'Souza', 'Ivanova'])
          [1 + \(drawn("n", 2, below: "8"))] || '-' || \(drawn("n", 3, below: "9973")) as last_name,
        'user_' || to_hex(\(drawn("n", 4, below: "1099511627776"))) as username,
        (array['pt-br', 'en', 'es', 'ru'])[1 + \(drawn("n", 5, below: "4"))] as language,
        (array['', '', 'google', 'telegram_ads', 'friend'])[1 + \(drawn("n", 6, below: "5"))] as source,
        \(moment("n - \(part.known)::bigint", "\(part.people - part.known)::bigint", part)) as at
      from generate_series(\(part.known)::bigint, \(part.people - 1)::bigint) n
    ) p
    """
  }

  private func welcomes(_ part: Part) -> SQL {
    """
    select count(ledger_credit(\(workspace), c.customer_id, 1::smallint, 30::bigint,
      'bench:welcome:' || c.telegram_id, 'promo', null, null, false, 'infinity', null, 'bench', null,
      c.created_at))
    from generate_series(\(part.known)::bigint, \(part.people - 1)::bigint) n
    join customers c on c.workspace_id = \(workspace) and c.telegram_id = \(telegramID("n"))
    """
  }

  private func purchases(_ part: Part, _ count: Int64) -> [SQL] {
    let key: SQL = "'bench:' || \(number)::bigint || ':' || \(part.index)::bigint || ':' || n"
    let sold: SQL = """
      generate_series(1, \(count)::bigint) n
      join checkouts k on k.workspace_id = \(workspace) and k.idempotency_key = \(key)
      """
    func step(_ state: String, _ reason: String) -> SQL {
      """
      update checkouts t set state = \(state), state_reason = \(reason), state_at = k.created_at
      from \(sold)
      where t.workspace_id = \(workspace) and t.checkout_id = k.checkout_id
      """
    }
    return [
      """
      insert into checkouts (workspace_id, bot_id, customer_id, sku, title, description,
        credit_unit, credits, bonus_credits, stars, idempotency_key, fingerprint, created_at,
        expires_at)
      select \(workspace)::bigint, s.bot_id, c.customer_id, o.sku, o.title, o.title, 1, o.credits, 0,
        o.stars, s.key, 1, s.at, s.at + interval '1 day'
      from (
        select \(key) as key, \(drawn("n", 11 + part.index, below: "\(part.people)::bigint"))
            as person,
          (\(bots)::bigint[])[1 + \(drawn("n", 12 + part.index, below: "\(bots.count)"))] as bot_id,
          1 + \(drawn("n", 13 + part.index, below: "3")) as offer,
          \(moment("n", "\(count)::bigint", part)) as at
        from generate_series(1, \(count)::bigint) n
      ) s
      join customers c on c.workspace_id = \(workspace) and c.telegram_id = \(telegramID("s.person"))
      join (values (1, 'start', 'Start', 10, 75), (2, 'pop', 'Pop', 30, 175),
        (3, 'pro', 'Pro', 100, 500)) o (offer, sku, title, credits, stars) on o.offer = s.offer
      """,
      step("processing", "paid"), step("completed", "credited"),
      """
      insert into payments (workspace_id, bot_id, charge_id, customer_id, checkout_id, state, stars,
        sku, title, credits, paid_at, recorded_at)
      select \(workspace)::bigint, k.bot_id, k.idempotency_key, k.customer_id, k.checkout_id,
        'credited', k.stars, k.sku, k.title, k.credits, k.created_at, k.created_at
      from \(sold)
      """,
      """
      select count(ledger_credit(\(workspace), k.customer_id, 1::smallint, k.credits,
        'charge:' || k.bot_id || ':' || k.idempotency_key || ':paid', 'payment', k.bot_id,
        k.idempotency_key, true, 'infinity', k.stars, null, null, k.created_at))
      from \(sold)
      """,
      """
      update customers c set has_purchased = true from \(sold)
      where c.workspace_id = \(workspace) and c.customer_id = k.customer_id
        and not c.has_purchased
      """,
    ]
  }

  private func uses(_ part: Part, _ count: Int64) -> SQL {
    """
    with wish as materialized (
      select n, \(drawn("n", 21 + part.index, below: "\(part.people)::bigint")) as person,
        1 + \(drawn("n", 22 + part.index, below: "3")) as price,
        (\(bots)::bigint[])[1 + \(drawn("n", 23 + part.index, below: "\(bots.count)"))] as bot_id,
        \(moment("n", "\(count)::bigint", part)) as at
      from generate_series(1, \(count)::bigint) n
    ), answer as (
      select ledger_debit(\(workspace), c.customer_id, 1::smallint, w.price,
        'bench:use:' || \(number)::bigint || ':' || \(part.index)::bigint || ':' || w.n, null,
        (array['bench_sticker', 'bench_lookup', 'bench_upscale'])[w.price], 1, null, w.at,
        w.bot_id) as a
      from wish w
      join customers c on c.workspace_id = \(workspace)
        and c.telegram_id = \(telegramID("w.person"))
    )
    select count(*) filter (where (answer.a).status = 'applied') as count from answer
    """
  }
}
