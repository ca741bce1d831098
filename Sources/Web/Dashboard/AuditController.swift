import EStars
import Foundation

/// Who changed what in the workspace.
enum AuditController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    let query = visit.inbound.query
    func typed(_ name: String, max: Int = 254) -> String {
      String((query[name] ?? "").replacing("\0", with: "").prefix(max))
    }
    var view = AuditView(
      filter: .init(
        actor: typed("actor"), action: typed("action", max: 100), kind: typed("kind", max: 50),
        subject: visit.inbound.words(typed("subject")), from: typed("from", max: 10),
        until: typed("until", max: 10)), lines: [])
    let before = query["after"].flatMap { Int64($0) }
    var entries = try await AuditEntry.search(
      .init(view.filter, in: visit.workspace.timeZone, &view.problems), before: before,
      limit: EStars.Limits.pageSize + 1, in: visit.scope,
      visit.platform.pool)
    let hasMore = entries.count > EStars.Limits.pageSize
    if hasMore { entries.removeLast() }
    let names = try await AuditEntry.names(in: visit.scope, visit.platform.pool)
    view.actors = names.actors
    view.actions = names.actions
    view.kinds = names.subjectKinds
    view.members = Dictionary(
      try await Member.all(in: visit.scope, visit.platform.pool).map { ($0.email, $0.id) }
    ) { first, _ in first }
    view.lines = entries.map(AuditView.Line.init)
    view.paging = Paging(
      nextCursor: hasMore ? entries.last.map { String($0.id) } : nil, isFirst: before == nil)
    return try await visit.page(view.render)
  }
}

extension AuditEntry.Filter {
  /// A day that is none is said so beside its field, and bounds nothing.
  init(_ typed: AuditView.Filter, in timeZone: TimeZone, _ problems: inout [FormProblem]) {
    func some(_ text: String) -> String? { text.isEmpty ? nil : text }
    self.init(
      actor: some(typed.actor), action: some(typed.action), subjectKind: some(typed.kind),
      subject: some(typed.subject))
    if let day = some(typed.from) {
      from = Day(day)?.start(in: timeZone)
      if from == nil { problems.append(FormProblem(field: "from", kind: .day)) }
    }
    if let day = some(typed.until) {
      until = Day(day)?.advanced(by: 1).start(in: timeZone)
      if until == nil { problems.append(FormProblem(field: "until", kind: .day)) }
    }
  }
}

extension AuditView.Line {
  init(_ entry: AuditEntry) {
    self.init(
      change: RuleChange(entry), isOurs: [.admin, .job, .system].contains(entry.actor.kind),
      kind: entry.subjectKind, subject: entry.subject)
  }
}

/// What is kept shut, and why.
enum GatesController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    try await visit.page(GatesView().render)
  }
}
