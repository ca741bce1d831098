import Foundation
import Ledger
import Postgres

/// What happened to a customer, newest first: Stars that came and went, every ledger entry with the
/// lots it filled or burned, and what was said and done beside them.
public struct Timeline: Sendable {
  public enum Event: Sendable, Equatable {
    case payment(Payment)
    case refund(Payment)
    /// Somebody decided against a refund; with the title of the pack that was paid.
    case decline(Refund, pack: String?)
    case entry(Movement)
    case message(OutgoingMessage)
    case supportCase(SupportCase)
    case operatorAction(AuditEntry)
    case subscription(SubscriptionStep)
  }

  /// A ledger entry in the product's words.
  public struct Movement: Sendable, Equatable {
    /// `credit`, `debit`, `hold`, `release`, `expire`, `clawback`, `forgive`.
    public let kind: String
    public let operation: String
    public let accountID: Int64
    public let unit: Int16
    public let version: Int64
    public let amount: Int64
    public let balanceAfter: Int64
    public let at: Date
    public let action: String?
    public let units: Int64?
    public let reason: String?
    /// An operator's e-mail address, where a person gave the credits.
    public let givenBy: String?
    public let lots: [LotMove]
  }

  public struct LotMove: Sendable, Equatable {
    public let lot: Int64
    public let source: String
    /// Signed: negative when burned.
    public let amount: Int64
    public let botID: Int64?
    public let chargeID: String?
  }

  /// A step of one of the customer's subscriptions.
  public struct SubscriptionStep: Sendable, Equatable {
    public let subscriptionID: Int64
    /// Of the plan that it leads to.
    public let planTitle: String
    public let change: Subscription.Change
  }

  /// Which events are shown.
  public enum Filter: String, Sendable, CaseIterable {
    /// Stars that came, and the steps of subscriptions.
    case payments
    /// What came into the balance, and what expired of it.
    case credits
    case uses, holds, refunds, messages, cases, actions
  }

  public let events: [Event]
  /// Where the next page goes on; nil at the end.
  public let next: Cursor?

  /// One page of a customer's timeline in a credit unit. What are no ledger entries stands in the
  /// first unit's.
  ///
  /// - Parameter filter: nil = everything.
  public static func of(
    customer id: Int64, unit: Int16 = 1, _ filter: Filter? = nil, after cursor: Cursor? = nil,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Timeline {
    let page = TimelinePage(
      customer: id, unit: unit, filter: filter, limit: Limits.timelinePageSize, scope: scope,
      pool: pool)
    return try await page.after(cursor)
  }

  /// A place in a timeline, which new events do not move: entries below a version, and everything
  /// else below a place in time.
  public struct Cursor: Sendable, Equatable {
    let version: Int64?
    let place: Place?

    init(version: Int64?, place: Place?) {
      self.version = version
      self.place = place
    }

    /// `12` (only a version: what stands below that entry), or all numbers, `12.1795000000.3.77`.
    public init?(_ text: String) {
      let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int64($0) }
      switch parts.count {
      case 1:
        guard let version = parts[0] else { return nil }
        self.init(version: version, place: nil)
      case 4:
        guard let version = parts[0], let second = parts[1], let order = parts[2],
          let id = parts[3], let kind = Kind(rawValue: Int(clamping: order)),
          (0...253_402_300_799).contains(second)
        else { return nil }
        self.init(
          version: version == 0 ? nil : version, place: Place(second: second, kind: kind, id: id))
      default: return nil
      }
    }

    public var text: String {
      guard let place else { return version.map(String.init) ?? "" }
      return "\(version ?? 0).\(place.second).\(place.kind.rawValue).\(place.id)"
    }
  }

  /// What stands within a second, from below: Stars that came are below what they brought, and
  /// Stars that went above what they took. Telegram's times are whole seconds.
  enum Kind: Int, Sendable, CaseIterable {
    case payment, entry, subscription, message, supportCase, action, decline, refund
  }

  struct Place: Sendable, Equatable, Comparable {
    let second: Int64
    let kind: Kind
    let id: Int64

    init(second: Int64, kind: Kind, id: Int64) {
      self.second = second
      self.kind = kind
      self.id = id
    }

    init(at: Date, _ kind: Kind, _ id: Int64) {
      self.init(second: Int64(at.timeIntervalSince1970.rounded(.down)), kind: kind, id: id)
    }

    static func < (a: Place, b: Place) -> Bool {
      (a.second, a.kind.rawValue, a.id) < (b.second, b.kind.rawValue, b.id)
    }

    /// Below which number things of a kind stand that are as old as this place to the second.
    func bound(of kind: Kind) -> Int64 {
      kind == self.kind ? id : kind.rawValue < self.kind.rawValue ? .max : .min
    }
  }
}

extension Timeline.Event {
  public var at: Date {
    switch self {
    case .payment(let payment): payment.paidAt
    case .refund(let payment): payment.refundedAt ?? payment.paidAt
    case .decline(let refund, _): refund.stateAt
    case .entry(let movement): movement.at
    case .message(let message): message.createdAt
    case .supportCase(let opened): opened.openedAt
    case .operatorAction(let line): line.at
    case .subscription(let step): step.change.at
    }
  }
}
