import Mustache

/// What a template is given. Text is escaped on its way into the page, whatever the template says;
/// only `HTML` goes in as it is.
indirect enum TemplateValue: Sendable, Equatable {
  case text(String)
  case html(HTML)
  case flag(Bool)
  case list([TemplateValue])
  case record([String: TemplateValue])
  /// Absent: a section over it is skipped and its inverse is drawn.
  case none

  /// A record when there is something to show, otherwise absent.
  static func optional<Wrapped>(
    _ value: Wrapped?, _ record: (Wrapped) -> [String: TemplateValue]
  ) -> TemplateValue {
    value.map { .record(record($0)) } ?? .none
  }

  static func optional(_ text: String?) -> TemplateValue { text.map { .text($0) } ?? .none }

  static func records<Element>(
    _ elements: [Element], _ record: (Element) -> [String: TemplateValue]
  ) -> TemplateValue {
    .list(elements.map { .record(record($0)) })
  }

  /// The form the Mustache engine walks.
  var rendered: Any? {
    switch self {
    case .text(let text): HTML(escaping: text).text
    case .html(let html): html.text
    case .flag(let flag): flag
    case .list(let values): values.compactMap(\.rendered)
    // An absent key still hides an outer key of the same name.
    case .record(let record): record.mapValues { $0.rendered ?? Absent() }
    case .none: nil
    }
  }
}

extension TemplateValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  init(stringLiteral text: String) { self = .text(text) }
  init(booleanLiteral flag: Bool) { self = .flag(flag) }
  init(arrayLiteral values: TemplateValue...) { self = .list(values) }
  init(dictionaryLiteral pairs: (String, TemplateValue)...) {
    self = .record(Dictionary(pairs) { _, last in last })
  }
}

private struct Absent: MustacheCustomRenderable {
  var renderText: String { "" }
  var isNull: Bool { true }
}
