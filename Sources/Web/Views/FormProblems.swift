/// What is wrong with a form: a summary that links to the fields, and the words beside each.
struct FormProblems: Sendable, Equatable {
  struct Row: Sendable, Equatable {
    /// The id of the field.
    var field: String
    var words: String
  }

  var rows: [Row] = []

  var model: TemplateValue {
    guard !rows.isEmpty else { return .none }
    return .record([
      "rows": .records(rows) { ["href": .text("#" + $0.field), "words": .text($0.words)] }
    ])
  }

  /// The words for one field.
  func words(_ field: String) -> TemplateValue {
    .optional(rows.first { $0.field == field }?.words)
  }
}
