import Foundation

/// The wish for more live bots, where it stands, and the form to make it.
struct ExpansionPart: Sendable, Equatable {
  enum State: String, Sendable, CaseIterable { case asked, approved, declined }

  struct Request: Sendable, Equatable {
    var state: State
    var askedAt: Date
    var askedBy: String
    var body: String
    /// Of the drills that it rests on.
    var run: Int64
    var decidedAt: Date?
    var answer: String?
  }

  /// Why nothing can be asked for now.
  enum Refusal: String, Sendable, CaseIterable {
    case noDrills = "no_drills"
    case drillsFailed = "drills_failed"
    case drillsOld = "drills_old"
    /// The reader is no owner of both sides.
    case owners
  }

  /// The newest.
  var request: Request?
  var refusal: Refusal?
  /// Of the live side, which asks; nil where the reader does not belong to it.
  var liveSlug: String?
  /// What was typed, where it could not be taken.
  var draft: String?
  var limit: Int

  func model(_ page: PageContext, stage: PilotView.Stage, drillSlug: String?) -> TemplateValue {
    let t = page.strings
    return [
      "about": .text(t[.init(stage == .open ? "expansion.open" : "expansion.about")]),
      "request": .optional(request) { requestModel($0, page, drillSlug) },
      "refusal": stage == .pilot && request?.state != .asked
        ? .optional(refusal.map { t[.init("expansion.refusal_\($0.rawValue)")] }) : .none,
      "form": form(page, stage),
    ]
  }

  private func requestModel(
    _ request: Request, _ page: PageContext, _ drillSlug: String?
  ) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    let classes: [State: String] = [.asked: "requested", .approved: "good", .declined: "bad"]
    return [
      "state": .text(t[.init("expansion.state_\(request.state.rawValue)")]),
      "state_class": .text(classes[request.state] ?? "unknown"),
      "asked": .record([
        "by": .text(request.askedBy), "time": format.time(request.askedAt),
      ]),
      "body": request.body.isEmpty ? .none : .text(request.body),
      "run": .record([
        "label": .text(t("pilot.number", ["n": String(request.run)])),
        "href": .optional(drillSlug.map { Links.drillRun($0, request.run) }),
      ]),
      "decided": .optional(request.decidedAt) { ["time": format.time($0)] },
      "answer": .optional(request.answer.flatMap { $0.isEmpty ? nil : $0 }),
    ]
  }

  private func form(_ page: PageContext, _ stage: PilotView.Stage) -> TemplateValue {
    guard stage == .pilot, refusal == nil || draft?.isEmpty == false, request?.state != .asked,
      let liveSlug
    else {
      return .none
    }
    let problems =
      (draft?.unicodeScalars.count ?? 0) > limit
      ? [FormProblem(field: "body", kind: .tooLong(max: limit))] : []
    let field = FormField(
      id: "body", label: page.strings["expansion.body"], hint: page.strings["expansion.body_hint"],
      value: draft ?? "", kind: .area(rows: 3, max: limit))
    return [
      "action": .text(Links.expansionRequests(liveSlug)),
      "summary": problems.summary(page, of: [field]),
      "fields": .list([.record(field.model(problems, page))]),
    ]
  }
}
