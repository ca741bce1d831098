import Foundation
import Ledger
import Postgres

/// Money and credits between two full hours. Credits of the first unit.
public struct HourFigures: Sendable, Equatable {
  public let payments: Int64
  public let stars: Int64
  public let starsRefunded: Int64
  public let creditsIssued: Int64
  public let creditsUsed: Int64
  public let creditsExpired: Int64

  public var net: Int64 { stars - starsRefunded }

  public init(
    payments: Int64, stars: Int64, starsRefunded: Int64, creditsIssued: Int64, creditsUsed: Int64,
    creditsExpired: Int64
  ) {
    (self.payments, self.stars, self.starsRefunded) = (payments, stars, starsRefunded)
    (self.creditsIssued, self.creditsUsed) = (creditsIssued, creditsUsed)
    self.creditsExpired = creditsExpired
  }

  /// The full hours that begin in this time.
  public static func total(
    _ time: Range<Date>, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> HourFigures {
    let row = try await pool.query(
      """
      select coalesce(sum(payments), 0)::bigint as payments,
        coalesce(sum(stars), 0)::bigint as stars,
        coalesce(sum(stars_refunded), 0)::bigint as stars_refunded,
        coalesce(sum(credits_issued), 0)::bigint as credits_issued,
        coalesce(sum(credits_used), 0)::bigint as credits_used,
        coalesce(sum(credits_expired), 0)::bigint as credits_expired
      from hours where workspace_id = \(scope.workspaceID)
        and hour >= \(time.lowerBound) and hour < \(time.upperBound)
      """, in: scope)[0]
    return HourFigures(
      payments: try row.get("payments"), stars: try row.get("stars"),
      starsRefunded: try row.get("stars_refunded"), creditsIssued: try row.get("credits_issued"),
      creditsUsed: try row.get("credits_used"), creditsExpired: try row.get("credits_expired"))
  }
}
