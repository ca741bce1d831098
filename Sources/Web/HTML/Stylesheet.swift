/// A stylesheet as its rules, so that a page may carry those it needs and be shown before anything else
/// has arrived.
struct Stylesheet: Sendable {
  private enum Rule {
    case style(selectors: [Selector], body: String)
    /// `@media` and the like, with the rules inside.
    case group(condition: String, rules: [Rule])
  }

  private struct Selector {
    let text: String
    /// What it cannot match without; a class that is excluded is none of them.
    let classes: Set<String>

    init(_ text: String) {
      self.text = text
      classes = Set(
        text.replacing(/:not\([^()]*\)/, with: "").matches(of: /\.([A-Za-z][\w-]*)/)
          .map { String($0.output.1) })
    }
  }

  private let rules: [Rule]

  /// - Throws: `ContentError` naming the file for braces that do not match.
  init(_ text: String, file: String) throws {
    var rest = text.replacing(/(?s)\/\*.*?\*\//, with: "")[...]
    rules = try Self.parse(&rest, isInside: false, file: file)
  }

  /// The rules that can apply to a page, in their order and without space that means nothing.
  func rules(for html: String) -> String {
    var used: Set<String> = []
    for match in html.matches(of: /\sclass="([^"]*)"/) {
      used.formUnion(match.output.1.split(separator: " ").map(String.init))
    }
    return Self.text(rules, used)
  }

  private static func text(_ rules: [Rule], _ used: Set<String>) -> String {
    rules.map { rule in
      switch rule {
      case .style(let selectors, let body):
        let own = selectors.filter { $0.classes.isSubset(of: used) }.map(\.text)
        return own.isEmpty ? "" : own.joined(separator: ",") + "{" + body + "}"
      case .group(let condition, let rules):
        let inside = text(rules, used)
        return inside.isEmpty ? "" : condition + "{" + inside + "}"
      }
    }.joined()
  }

  private static func parse(
    _ rest: inout Substring, isInside: Bool, file: String
  ) throws -> [Rule] {
    var rules: [Rule] = []
    while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
      let head = tidy(rest[..<brace])
      rest = rest[rest.index(after: brace)...]
      if rest.base[brace] == "}" {
        guard isInside, head.isEmpty else { throw unmatched(file) }
        return rules
      }
      if head.hasPrefix("@") {
        rules.append(
          .group(condition: head, rules: try parse(&rest, isInside: true, file: file)))
        continue
      }
      guard let end = rest.firstIndex(where: { $0 == "{" || $0 == "}" }), rest[end] == "}" else {
        throw unmatched(file)
      }
      rules.append(.style(selectors: selectors(head), body: tidy(rest[..<end])))
      rest = rest[rest.index(after: end)...]
    }
    guard !isInside, tidy(rest).isEmpty else { throw unmatched(file) }
    return rules
  }

  private static func unmatched(_ file: String) -> ContentError {
    ContentError(file: file, message: "its braces do not match")
  }

  private static func tidy(_ text: Substring) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// Parted at the commas that stand in no brackets.
  private static func selectors(_ head: String) -> [Selector] {
    var parts = [""]
    var depth = 0
    for character in head {
      if character == "(" { depth += 1 }
      if character == ")" { depth -= 1 }
      if character == ",", depth == 0 {
        parts.append("")
      } else {
        parts[parts.count - 1].append(character)
      }
    }
    return parts.map { Selector(tidy($0[...])) }
  }
}
