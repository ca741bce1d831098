/// The workspaces an operator belongs to.
struct WorkspacesView: Sendable, Equatable {
  enum Role: String, Sendable, CaseIterable { case viewer, support, manager, owner }

  /// One business with one or both of its sides.
  struct Choice: Sendable, Equatable {
    var name: String
    var role: Role
    var liveSlug: String?
    var testSlug: String?
  }

  var choices: [Choice]

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    return page.page(
      .workspaces, title: t["workspaces.title"], place: nil,
      [
        "choices": choices.isEmpty
          ? .none
          : .record([
            "rows": .records(choices) { choice in
              [
                "name": .text(choice.name),
                "role": .text(t[.init("role.\(choice.role.rawValue)")]),
                "live": .optional(choice.liveSlug.map(Links.overview)),
                "test": .optional(choice.testSlug.map(Links.overview)),
              ]
            }
          ])
      ])
  }
}
