import EStars
import Foundation
import HTTPTypes

/// Codes that shorten the queue.
enum InvitationCodesController {
  @Sendable static func index(_ call: AdminCall) async throws -> Reply {
    try await call.codesPage()
  }

  @Sendable static func create(_ call: AdminCall) async throws -> Reply {
    let form = try call.inbound.form()
    var draft = InvitationCodesView.Draft(
      uses: call.inbound.words(form["uses"]), days: call.inbound.words(form["days"]))
    draft.name = call.words(
      form, "name", max: InvitationCode.nameCharacters, &draft.problems)
    var numbers: [Int] = []
    for (field, text, range) in [
      ("uses", draft.uses, InvitationCode.usesRange),
      ("days", draft.days, InvitationCode.daysRange),
    ] {
      if let number = Typed.whole(text, range) {
        numbers.append(Int(number))
      } else {
        draft.problems.append(
          FormProblem(
            field: field, kind: .whole(min: range.lowerBound, max: range.upperBound)))
      }
    }
    guard draft.problems.isEmpty, numbers.count == 2 else {
      return try await call.codesPage(draft, .unprocessableContent)
    }
    let code = try await InvitationCode.make(
      for: draft.name, uses: numbers[0], days: numbers[1], by: call.admin, at: call.at,
      call.platform.pool)
    let view = AdminSecretView(kind: .code(name: draft.name), text: code)
    return call.page(view.render, .created)
  }
}

enum InvitationCodeRevocationController {
  @Sendable static func create(_ call: AdminCall) async throws -> Reply {
    do {
      try await InvitationCode.revoke(
        call.inbound.id("invitation_code"), by: call.admin, at: call.at, call.platform.pool)
    } catch is InvitationCode.Refusal { throw Refusal.notFound }
    return .seeOther(Done.codeRevoked.on(Links.admin(.invitationCodes)))
  }
}

extension AdminCall {
  fileprivate func codesPage(
    _ draft: InvitationCodesView.Draft = .init(), _ status: HTTPResponse.Status = .ok
  ) async throws -> Reply {
    let cursor = inbound.query["after"].flatMap { Int64($0) }
    let limit = EStars.Limits.pageSize
    var codes = try await InvitationCode.all(before: cursor, limit: limit + 1, platform.pool)
    let hasMore = codes.count > limit
    if hasMore { codes.removeLast() }
    let view = InvitationCodesView(
      rows: codes.map { code in
        .init(
          id: code.id, name: code.name, madeBy: code.madeBy, madeAt: code.madeAt,
          expiresAt: code.expiresAt, uses: Int64(code.uses), maxUses: Int64(code.maxUses),
          state: .init(rawValue: code.state(at: at).rawValue) ?? .over)
      }, draft: draft,
      paging: Paging(
        nextCursor: hasMore ? codes.last.map { String($0.id) } : nil, isFirst: cursor == nil))
    return page(view.render, status)
  }
}
