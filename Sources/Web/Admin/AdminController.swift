import EStars
import Foundation
import HTTPTypes

/// What waits for an admin, and how the platform does.
enum AdminController {
  @Sendable static func show(_ call: AdminCall) async throws -> Reply {
    let pool = call.platform.pool
    let open = try await Application.openCounts(pool)
    let stages = try await Business.counts(pool)
    let requests = try await ExpansionRequest.waiting(pool)
    let names = try await Business.names(of: requests.map(\.workspaceID), pool)
    let health = try await SystemHealth.load(at: call.at, call.platform)
    let view = AdminView(
      numbers: .init(
        received: Int64(open.received), asked: Int64(open.asked),
        expansions: requests.map {
          .init(
            business: $0.workspaceID, name: names[$0.workspaceID] ?? "", askedAt: $0.askedAt)
        },
        stages: stages.reduce(into: [:]) { $0[.init($1.key)] = Int64($1.value) },
        admins: try await OperatorRecord.adminCount(pool)),
      system: .init(health))
    return call.page(view.render)
  }
}

enum AdminGatesController {
  @Sendable static func index(_ call: AdminCall) async throws -> Reply {
    call.page(AdminGatesView().render)
  }
}

/// Who did what as an admin.
enum AdminAuditController {
  @Sendable static func index(_ call: AdminCall) async throws -> Reply {
    let (query, pool) = (call.inbound.query, call.platform.pool)
    func typed(_ name: String, max: Int = 254) -> String {
      String((query[name] ?? "").replacing("\0", with: "").prefix(max))
    }
    var view = AdminAuditView(
      filter: .init(
        actor: typed("actor"), action: typed("action", max: 100), kind: typed("kind", max: 50),
        subject: call.inbound.words(typed("subject")), from: typed("from", max: 10),
        until: typed("until", max: 10)), lines: [])
    let before = query["after"].flatMap { Int64($0) }
    let filter = AuditEntry.Filter(view.filter, in: .gmt, &view.problems)
    var entries = try await AdminAuditEntry.search(
      filter, before: before, limit: EStars.Limits.pageSize + 1, pool)
    let hasMore = entries.count > EStars.Limits.pageSize
    if hasMore { entries.removeLast() }
    view.actors = try await AdminAuditEntry.actors(pool)
    view.actions = AdminAuditVocabulary.facts.keys.sorted()
    view.kinds = AdminAuditVocabulary.subjectKinds.sorted()
    view.lines = entries.map {
      .init(change: RuleChange($0), kind: $0.subjectKind, subject: $0.subject)
    }
    view.paging = Paging(
      nextCursor: hasMore ? entries.last.map { String($0.id) } : nil, isFirst: before == nil)
    return call.page(view.render)
  }
}

extension AdminCall {
  /// What stands around an admin's page. Its times are in UTC: businesses have zones of their own.
  func page(
    _ render: (Renderer, Frame) -> String, _ status: HTTPResponse.Status = .ok
  ) -> Reply {
    SessionCall(server: server, inbound: inbound, session: session).page(render, status)
  }

  /// A whole address, to be handed to somebody.
  func address(of path: String) -> String {
    let url = server.configuration.publicURL
    return "\(url.scheme ?? "https")://\(url.authority)\(path)"
  }

  /// What was written into a field that must hold something.
  func words(
    _ form: [String: String], _ field: String, max: Int, _ problems: inout [FormProblem]
  ) -> String {
    let text = inbound.words(form[field])
    if let problem = Typed.problem(with: text, in: field, max: max) { problems.append(problem) }
    return text
  }
}

extension AdminView.System {
  init(_ health: SystemHealth) {
    self.init(
      schema: health.schema, schemaAt: health.schemaAt,
      databaseMegabytes: health.databaseBytes >> 20, databaseVersion: health.databaseVersion,
      answerMilliseconds: Int64(health.answerMilliseconds),
      jobs: health.jobs.map {
        .init(
          kind: $0.kind, late: Int64($0.late), failing: Int64($0.failing), oldest: $0.oldest)
      }, journalDebits: health.journalDebits.map { Int64($0) })
  }
}

extension BusinessStage {
  init(_ stage: Workspace.Stage) { self = .init(rawValue: stage.rawValue) ?? .approved }
}

extension RuleChange {
  init(_ entry: AdminAuditEntry) {
    self.init(
      id: entry.id, at: entry.at, actor: entry.actor, action: entry.action, reason: entry.reason,
      facts: Set(entry.before.keys).union(entry.after.keys).sorted().map {
        .init(name: $0, before: entry.before[$0], after: entry.after[$0])
      })
  }
}
