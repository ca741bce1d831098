import Foundation
import Yams

/// A file of `content/`: YAML front matter between two lines of `---`, then Markdown.
struct ContentPage<FrontMatter: Decodable & Sendable>: Sendable {
  let frontMatter: FrontMatter
  let body: Markdown
  /// Where in the file each key of the front matter stands.
  private let keyLines: [String: Int]

  /// - Parameters:
  ///   - file: the path to name in errors.
  ///   - fence: what stands in place of a fenced block; see ``Markdown/Fence``.
  /// - Throws: `ContentError` naming the file, the line and, where there is one, the key.
  init(
    source: Data, file: String,
    fence: (FrontMatter, _ info: String, _ text: String) throws -> HTML? = { _, _, _ in nil }
  ) throws {
    guard let text = String(validating: source, as: UTF8.self) else {
      throw ContentError(file: file, message: "is not valid UTF-8")
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.first == "---", let end = lines.dropFirst().firstIndex(of: "---") else {
      throw ContentError(
        file: file, line: 1, message: "must begin with front matter between two `---` lines")
    }
    let yaml = FrontMatterText(yaml: lines[1..<end].joined(separator: "\n"), file: file)
    let frontMatter = try yaml.decode(FrontMatter.self)
    self.frontMatter = frontMatter
    keyLines = yaml.keyLines
    body = try Markdown(
      lines[(end + 1)...].joined(separator: "\n"), file: file, linesBefore: end + 1
    ) {
      try fence(frontMatter, $0, $1)
    }
  }

  /// What `work` makes of the page; what is wrong with a key gets the key's line.
  func lined<Value>(_ work: () throws -> Value) throws -> Value {
    do {
      return try work()
    } catch var error as ContentError where error.line == nil {
      error.line = error.key.flatMap { keyLines[$0] } ?? 1
      throw error
    }
  }
}

/// The YAML of a content file, and where in the file what is wrong with it stands.
struct FrontMatterText {
  let yaml: String
  let file: String

  /// The line of `---` above it.
  private static let linesBefore = 1

  /// - Throws: `ContentError`
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    let root: Node?
    do {
      root = try Yams.compose(yaml: yaml)
    } catch {
      throw ContentError(
        file: file, line: line(of: error),
        message: "front matter is not valid YAML: \(reason(error))")
    }
    do {
      return try YAMLDecoder().decode(type, from: yaml)
    } catch let error as DecodingError {
      let (path, message) = Self.explain(error)
      throw ContentError(
        file: file, line: line(of: path, in: root) + Self.linesBefore, message: message)
    } catch let error as ContentError {
      throw ContentError(file: file, message: error.message)
    } catch {
      throw ContentError(
        file: file, line: line(of: error), message: "front matter cannot be read: \(error)")
    }
  }

  /// Of the keys that stand at the front matter's margin.
  var keyLines: [String: Int] {
    let pairs = (try? Yams.compose(yaml: yaml))?.mapping?.compactMap { key, _ in
      key.string.flatMap { name in key.mark.map { (name, $0.line + Self.linesBefore) } }
    }
    return Dictionary(pairs ?? []) { first, _ in first }
  }

  private func line(of error: any Error) -> Int? {
    let mark: Mark? =
      switch error as? YamlError {
      case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _):
        mark
      case .duplicatedKeysInMapping(_, let context): context.mark
      default: nil
      }
    return mark.map { min($0.line + Self.linesBefore, yaml.count { $0 == "\n" } + 2) }
  }

  private func reason(_ error: any Error) -> String {
    switch error as? YamlError {
    case .scanner(_, let problem, _, _), .parser(_, let problem, _, _),
      .composer(_, let problem, _, _):
      problem
    case .duplicatedKeysInMapping(let keys, _): "`\(keys.joined(separator: "`, `"))` twice"
    default: "\(error)"
    }
  }

  /// Of the value at this path, or of the last one on the way to it that there is.
  private func line(of path: [any CodingKey], in root: Node?) -> Int {
    var node = root
    var line = root?.mark?.line ?? 1
    for key in path {
      if let index = key.intValue, let items = node?.sequence {
        node = items.indices.contains(index) ? items[index] : nil
      } else {
        let pair = node?.mapping?.first { $0.key.string == key.stringValue }
        if let mark = pair?.key.mark { line = mark.line }
        node = pair?.value
        continue
      }
      if let mark = node?.mark { line = mark.line }
    }
    return line
  }

  private static func explain(_ error: DecodingError) -> ([any CodingKey], String) {
    switch error {
    case .keyNotFound(let key, let context):
      let whole = context.codingPath + [key]
      return (context.codingPath, "front matter lacks `\(path(whole))`")
    case .typeMismatch(let type, let context):
      return (
        context.codingPath, "front matter `\(path(context.codingPath))` must be \(name(of: type))"
      )
    case .valueNotFound(_, let context):
      return (context.codingPath, "front matter `\(path(context.codingPath))` is empty")
    case .dataCorrupted(let context):
      let reason = context.underlyingError.map { ": \($0)" } ?? ""
      let place = path(context.codingPath)
      guard !place.isEmpty else { return ([], "front matter is not valid YAML\(reason)") }
      return (
        context.codingPath, "front matter `\(place)` is not valid: \(context.debugDescription)"
      )
    @unknown default:
      return ([], "front matter cannot be read: \(error)")
    }
  }

  private static func path(_ keys: [any CodingKey]) -> String {
    keys.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
      .replacing(".[", with: "[")
  }

  private static func name(of type: Any.Type) -> String {
    switch type {
    case is Node.Scalar.Type, is String.Type: "a single value"
    case is Node.Sequence.Type: "a list"
    case is Node.Mapping.Type: "a mapping"
    default: "\(type)"
    }
  }
}
