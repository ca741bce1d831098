import Foundation
import Ledger
import Postgres
import Telegram

/// A line of Telegram's books as we keep it.
struct BookLine: Sendable, Equatable {
  let id: String
  let direction: StarTransaction.Direction
  let position: Int64
  let stars: Int64
  let nanostars: Int64
  let partner: String
  let kind: String
  /// 0 = nobody is named.
  let telegramID: Int64
  let payload: String
  let periodSeconds: Int64
  let withdrawalState: String
  let at: Date

  /// The lines of a page, in their order. Telegram names a movement by its id and direction, so no
  /// two have both.
  static func all(_ page: [StarTransaction], from position: Int64) -> [BookLine] {
    var seen: Set<String> = []
    return page.enumerated().compactMap { index, row in
      let line = BookLine(row, at: position + Int64(index))
      let isNew = seen.insert("\(line.direction.rawValue) \(line.id)").inserted
      return line.id.isEmpty || !isNew ? nil : line
    }
  }

  private init(_ row: StarTransaction, at position: Int64) {
    func clean(_ text: String?, _ length: Int) -> String {
      String((text ?? "").replacing("\0", with: "").prefix(length))
    }
    let partner = row.source ?? row.receiver
    id = clean(row.id, 512)
    direction = row.direction ?? .incoming
    self.position = position
    stars = max(0, row.amount)
    nanostars = min(max(0, row.nanostarAmount ?? 0), 999_999_999)
    self.partner = partner.map { clean($0.type, 64) } ?? "none"
    kind = clean(partner?.transactionType, 64)
    let person = partner?.user?.id ?? 0
    telegramID = (1..<Limits.telegramID).contains(person) ? person : 0
    payload = clean(partner?.invoicePayload, 512)
    periodSeconds = Int64(partner?.subscriptionPeriod ?? 0)
    withdrawalState = clean(partner?.withdrawalState?.type, 32)
    self.at = Date(timeIntervalSince1970: Double(row.date))
  }
}

extension Transaction {
  /// Whether a line that was read before no longer stands where it stood.
  func hasMoved(
    _ lines: [BookLine], _ run: Reconciliation, in scope: WorkspaceScope
  ) async throws -> Bool {
    let end = run.nextPosition + Int64(Limits.starTransactionsPage)
    let known = try await query(
      """
      select transaction_id, direction, position from star_transactions
      where workspace_id = \(scope.workspaceID) and bot_id = \(run.botID)
        and position >= \(run.nextPosition) and position < \(end)
      """)
    let now = Dictionary(lines.map { ($0.position, $0) }, uniquingKeysWith: { first, _ in first })
    return try known.contains { row in
      let line = now[try row.get("position")]
      let direction: String = try row.get("direction")
      return try line?.id != row.get("transaction_id", as: String.self)
        || line?.direction.rawValue != direction
    }
  }

  func write(
    _ lines: [BookLine], botID: Int64, in scope: WorkspaceScope, at: Date
  ) async throws {
    guard !lines.isEmpty else { return }
    try await execute(
      """
      insert into star_transactions as t (workspace_id, bot_id, transaction_id, direction, position,
        stars, nanostars, partner, transaction_type, telegram_id, invoice_payload,
        subscription_period, withdrawal_state, at, first_seen_at)
      select \(scope.workspaceID), \(botID), n.id, n.direction, n.position, n.stars, n.nanostars,
        n.partner, nullif(n.kind, ''),
        case when known.is_erased then null else nullif(n.person, 0) end,
        case when known.is_erased then null else nullif(n.payload, '') end,
        nullif(n.period, 0)::int, nullif(n.withdrawal, ''), n.at, \(at)
      from unnest(\(lines.map(\.id))::text[], \(lines.map(\.direction.rawValue))::text[],
        \(lines.map(\.position))::bigint[], \(lines.map(\.stars))::bigint[],
        \(lines.map(\.nanostars))::bigint[], \(lines.map(\.partner))::text[],
        \(lines.map(\.kind))::text[], \(lines.map(\.telegramID))::bigint[],
        \(lines.map(\.payload))::text[], \(lines.map(\.periodSeconds))::bigint[],
        \(lines.map(\.withdrawalState))::text[], \(lines.map(\.at))::timestamptz[])
        n (id, direction, position, stars, nanostars, partner, kind, person, payload, period,
          withdrawal, at)
      -- Telegram goes on naming a buyer who was erased here.
      cross join lateral (select exists (
        select from payments p join customers c on c.workspace_id = p.workspace_id
          and c.customer_id = p.customer_id and c.erased_at is not null
        where p.workspace_id = \(scope.workspaceID) and p.bot_id = \(botID)
          and p.charge_id = n.id) as is_erased) known
      on conflict (workspace_id, bot_id, transaction_id, direction) do update set
        position = excluded.position, withdrawal_state = excluded.withdrawal_state,
        stars = excluded.stars, nanostars = excluded.nanostars,
        is_matched = t.is_matched and (t.stars, t.nanostars) = (excluded.stars, excluded.nanostars)
      where (t.position, t.stars, t.nanostars, t.withdrawal_state) is distinct from
        (excluded.position, excluded.stars, excluded.nanostars, excluded.withdrawal_state)
      """)
  }
}
