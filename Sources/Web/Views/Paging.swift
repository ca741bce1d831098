/// Where a page of a long list stands. A cursor is opaque to the view; it comes back as `?after=`.
struct Paging: Sendable, Equatable {
  /// nil: this is the last page.
  var nextCursor: String?
  /// False once the reader has followed a cursor.
  var isFirst = true
  /// Another name for `after`, where a page has two lists.
  var parameter = "after"
  /// The list begins with the oldest.
  var isAscending = false

  func model(path: String, query: [(name: String, value: String?)] = []) -> TemplateValue {
    guard nextCursor != nil || !isFirst else { return .none }
    return .record([
      "ascending": .flag(isAscending),
      "older": .optional(
        nextCursor.map { Links.with(path, query + [(name: parameter, value: $0)]) }),
      "newest": isFirst ? .none : .text(Links.with(path, query)),
    ])
  }
}
