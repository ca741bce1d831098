import Foundation
import Postgres

/// Somebody who asks to be let in. Until it is approved there is neither an account nor a workspace.
public struct Application: Sendable, Equatable {
  public enum State: String, Sendable, CaseIterable {
    case received
    /// An admin asked something, and the answer is awaited.
    case asked
    case approved, declined

    public var isOpen: Bool { self == .received || self == .asked }
  }

  public enum DeclineReason: String, Sendable, CaseIterable {
    case noCapacity = "no_capacity"
    case poorFit = "poor_fit"
    case againstTerms = "against_terms"
    case noAnswer = "no_answer"
    case other
  }

  /// Why nothing was changed.
  public enum Refusal: Error, Equatable, Sendable {
    case notFound
    /// Somebody has decided about it meanwhile, or nothing was asked.
    case state
    /// As many messages as fit stand there.
    case tooMany
  }

  public let id: Int64
  public let state: State
  /// `en` or `pt-BR`.
  public let locale: String
  /// Without the @.
  public let botUsername: String
  public let segment: Bot.Segment
  /// Stars a month, as the applicant says.
  public let monthlyStars: Int64
  public let variableCost: String
  public let contact: String
  public let pain: String
  public let invitationCodeID: Int64?
  /// For whom the code was made, in the admin's words.
  public let invitationCodeName: String?
  public let receivedAt: Date
  public let decidedAt: Date?
  public let decidedBy: String?
  public let declineReason: DeclineReason?
  /// The live side that came of it.
  public let workspaceID: Int64?

  static let columns: SQL = """
    a.application_id, a.state, a.locale, a.bot_username, a.segment, a.monthly_stars,
    a.variable_cost, a.contact, a.pain, a.invitation_code_id, a.received_at, a.decided_at,
    a.decided_by, a.decline_reason, a.workspace_id,
    (select c.name from invitation_codes c where c.invitation_code_id = a.invitation_code_id)
      as invitation_code_name
    """

  init(_ row: Row) throws {
    id = try row.get("application_id")
    state = State(rawValue: try row.get("state")) ?? .received
    locale = try row.get("locale")
    botUsername = try row.get("bot_username")
    segment = Bot.Segment(rawValue: try row.get("segment")) ?? .serviceBot
    monthlyStars = try row.get("monthly_stars")
    variableCost = try row.get("variable_cost")
    contact = try row.get("contact")
    pain = try row.get("pain")
    invitationCodeID = try row.getIfPresent("invitation_code_id")
    invitationCodeName = try row.getIfPresent("invitation_code_name")
    receivedAt = try row.get("received_at")
    decidedAt = try row.getIfPresent("decided_at")
    decidedBy = try row.getIfPresent("decided_by")
    declineReason = try row.getIfPresent("decline_reason", as: String.self)
      .flatMap(DeclineReason.init)
    workspaceID = try row.getIfPresent("workspace_id")
  }

  public static func find(id: Int64, _ pool: Pool) async throws -> Application? {
    try await pool.query(
      "select \(columns) from applications a where a.application_id = \(id)"
    ).first.map(Application.init)
  }

  /// The application of a private link.
  public static func find(token: String, _ pool: Pool) async throws -> Application? {
    guard token.utf8.count <= 128 else { return nil }
    return try await pool.query(
      "select \(columns) from applications a where a.token_hash = \(Bytes.sha256(token))"
    ).first.map(Application.init)
  }

  /// The application that a workspace came of, while it is kept.
  public static func find(openedAs workspaceID: Int64, _ pool: Pool) async throws -> Application? {
    try await pool.query(
      "select \(columns) from applications a where a.workspace_id = \(workspaceID)"
    ).first.map(Application.init)
  }

  /// Those that wait for a decision, in the order in which they are to be read: whoever has an
  /// invitation code first, then the oldest.
  ///
  /// - Parameter after: The last of the page before.
  public static func queue(
    after: Int64? = nil, limit: Int, _ pool: Pool
  ) async throws -> [Application] {
    let next: SQL =
      after.map {
        """
        and (a.invitation_code_id is null, a.received_at, a.application_id) >
          (select l.invitation_code_id is null, l.received_at, l.application_id
            from applications l where l.application_id = \($0))
        """
      } ?? ""
    return try await pool.query(
      """
      select \(columns) from applications a where a.state in ('received', 'asked') \(next)
      order by (a.invitation_code_id is null), a.received_at, a.application_id limit \(limit)
      """
    ).map(Application.init)
  }

  /// Newest first.
  ///
  /// - Parameters:
  ///   - state: nil = all of them.
  ///   - before: The last of the page before.
  public static func recent(
    in state: State?, before: Int64? = nil, limit: Int, _ pool: Pool
  ) async throws -> [Application] {
    try await pool.query(
      """
      select \(columns) from applications a
      where (\(state?.rawValue)::text is null or a.state = \(state?.rawValue)::text)
        and a.application_id < \(before ?? .max)
      order by a.application_id desc limit \(limit)
      """
    ).map(Application.init)
  }

  /// How many wait for an admin, and how many of them for the applicant.
  public static func openCounts(_ pool: Pool) async throws -> (received: Int, asked: Int) {
    let row = try await pool.query(
      """
      select count(*) filter (where state = 'received') as received,
        count(*) filter (where state = 'asked') as asked
      from applications where state in ('received', 'asked')
      """)[0]
    return (try row.get("received"), try row.get("asked"))
  }

  /// What was decided long ago is forgotten; what came of it stands in the workspace.
  static func purge(at: Date, _ pool: Pool) async throws -> Int {
    try await pool.execute(
      """
      delete from applications
      where decided_at < \(at.addingTimeInterval(-Limits.applicationSeconds))
      """)
  }
}
