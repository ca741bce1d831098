import EStars
import Foundation

/// The people of the house, who may buy what is for staff only.
enum StaffController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    try await visit.page(try await visit.staffView().render)
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let form = try visit.inbound.form()
    var draft = StaffView.Draft(
      telegramID: visit.inbound.words(form["telegram_id"]),
      name: visit.inbound.words(form["name"]))
    let telegramID = Int64(draft.telegramID.filter { $0 != " " })
      .flatMap { (1...EStars.Limits.telegramID).contains($0) ? $0 : nil }
    if telegramID == nil {
      draft.problems.append(FormProblem(field: "telegram_id", kind: .telegramID))
    }
    if draft.name.unicodeScalars.count > 60 {
      draft.problems.append(FormProblem(field: "name", kind: .tooLong(max: 60)))
    }
    if let telegramID, draft.problems.isEmpty {
      do {
        try await StaffMember.add(
          telegramID, name: draft.name, by: visit.actor, in: visit.scope, visit.platform.pool)
        return .seeOther(Links.staff(visit.workspace.slug))
      } catch RuleRefusal.taken {
        draft.problems = [FormProblem(field: "telegram_id", kind: .taken)]
      } catch RuleRefusal.tooMany {
        draft.problems = [
          FormProblem(field: "telegram_id", kind: .tooMany(max: EStars.Limits.staff))
        ]
      }
    }
    var view = try await visit.staffView()
    view.draft = draft
    return try await visit.page(view.render, .unprocessableContent)
  }
}

enum StaffRemovalController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    guard let id = visit.inbound.parameters["telegram_id"].flatMap({ Int64($0) }) else {
      throw Refusal.notFound
    }
    do {
      try await StaffMember.remove(id, by: visit.actor, in: visit.scope, visit.platform.pool)
    } catch RuleRefusal.notFound { throw Refusal.notFound }
    return .seeOther(Links.staff(visit.workspace.slug))
  }
}

extension Visit {
  fileprivate func staffView() async throws -> StaffView {
    let staff = try await StaffMember.all(in: scope, platform.pool)
    let changes = try await AuditEntry.history(
      of: "staff", limit: Limits.ruleHistory, in: scope, platform.pool)
    return StaffView(
      rows: staff.map {
        StaffView.Row(
          telegramID: $0.telegramID, name: $0.name, customer: $0.customer.map(CustomerLabel.init),
          addedBy: $0.addedBy, addedAt: $0.addedAt)
      }, mayEdit: membership.role >= .manager,
      history: changes.map { RuleChange($0, showsSubject: true) })
  }
}
