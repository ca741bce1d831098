import EStars
import Foundation
import HTTPTypes

/// Everybody with an account.
enum AdminOperatorsController {
  @Sendable static func index(_ call: AdminCall) async throws -> Reply {
    let query = call.inbound.query
    let named = String(call.inbound.words(query["named"]).prefix(100))
    let cursor = query["after"].flatMap { Int64($0) }
    let limit = EStars.Limits.pageSize
    var found = try await OperatorRecord.all(
      named: named, after: cursor, limit: limit + 1, call.platform.pool)
    let hasMore = found.count > limit
    if hasMore { found.removeLast() }
    let view = AdminOperatorsView(
      rows: found.map { .init($0) }, query: named,
      paging: Paging(
        nextCursor: hasMore ? found.last.map { String($0.person.id) } : nil,
        isFirst: cursor == nil))
    return call.page(view.render)
  }

  @Sendable static func show(_ call: AdminCall) async throws -> Reply {
    try await call.operatorPage(try await call.person())
  }
}

/// A link by which somebody sets a new password or goes without the lost phone.
enum AdminResetsController {
  @Sendable static func create(_ call: AdminCall) async throws -> Reply {
    let record = try await call.person()
    guard let kind = try call.inbound.form()["kind"].flatMap(ResetLink.Kind.init) else {
      throw Refusal(.unprocessableContent, "kind", "Choose what the link resets.")
    }
    do {
      let token = try await ResetLink.make(
        kind, for: record.person, by: call.admin, at: call.at, call.platform)
      let view = AdminSecretView(
        kind: .reset(operator: record.person.id, name: record.person.name),
        text: call.address(of: Links.reset(token)))
      return call.page(view.render, .created)
    } catch is Member.Refusal {
      return try await call.operatorPage(record, isTooHigh: true, .conflict)
    }
  }
}

extension AdminCall {
  fileprivate func person() async throws -> OperatorRecord {
    guard
      let record = try await OperatorRecord.find(id: inbound.id("operator"), platform.pool)
    else { throw Refusal.notFound }
    return record
  }

  fileprivate func operatorPage(
    _ record: OperatorRecord, isTooHigh: Bool = false, _ status: HTTPResponse.Status = .ok
  ) async throws -> Reply {
    var view = AdminOperatorView(row: .init(record), isTooHigh: isTooHigh)
    view.history = try await AdminAuditEntry.about(
      "operator", record.person.email, limit: EStars.Limits.ruleHistory, platform.pool
    ).map { RuleChange($0) }
    return page(view.render, status)
  }
}

extension OperatorRow {
  init(_ record: OperatorRecord) {
    // Both sides of a business are one place, with the higher role.
    var places: [OperatorRow.Place] = []
    for place in record.places.sorted(by: { $0.role > $1.role })
    where !places.contains(where: { $0.id == place.businessID }) {
      places.append(
        .init(
          name: place.workspaceName, id: place.businessID,
          role: .init(rawValue: place.role.rawValue) ?? .viewer))
    }
    let person = record.person
    self.init(
      id: person.id, name: person.name, email: person.email, isAdmin: person.isAdmin,
      hasSecondFactor: person.secondFactorSince != nil, createdAt: record.createdAt,
      lastSeenAt: record.lastSeenAt, places: places.sorted { $0.name < $1.name })
  }
}
