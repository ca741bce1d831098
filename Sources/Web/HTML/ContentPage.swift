import Foundation
import Yams

/// A file of `content/`: YAML front matter between two lines of `---`, then Markdown.
struct ContentPage<FrontMatter: Decodable & Sendable>: Sendable {
  let frontMatter: FrontMatter
  let body: Markdown

  /// - Parameters:
  ///   - file: the path to name in errors.
  ///   - fence: what stands in place of a fenced block; see ``Markdown/Fence``.
  /// - Throws: `ContentError` naming the file and, where there is one, the key.
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
        file: file, message: "must begin with front matter between two `---` lines")
    }
    let frontMatter: FrontMatter
    do {
      frontMatter = try YAMLDecoder().decode(
        FrontMatter.self, from: lines[1..<end].joined(separator: "\n"))
    } catch let error as DecodingError {
      throw ContentError(file: file, message: Self.explain(error))
    } catch {
      throw ContentError(file: file, message: "front matter is not valid YAML: \(error)")
    }
    self.frontMatter = frontMatter
    body = try Markdown(lines[(end + 1)...].joined(separator: "\n"), file: file) {
      try fence(frontMatter, $0, $1)
    }
  }

  private static func explain(_ error: DecodingError) -> String {
    switch error {
    case .keyNotFound(let key, let context):
      return "front matter lacks `\(path(context.codingPath + [key]))`"
    case .typeMismatch(let type, let context):
      return "front matter `\(path(context.codingPath))` must be \(name(of: type))"
    case .valueNotFound(_, let context):
      return "front matter `\(path(context.codingPath))` is empty"
    case .dataCorrupted(let context):
      let reason = context.underlyingError.map { ": \($0)" } ?? ""
      let place = path(context.codingPath)
      guard !place.isEmpty else { return "front matter is not valid YAML\(reason)" }
      return "front matter `\(place)` is not valid: \(context.debugDescription)"
    @unknown default:
      return "front matter cannot be read: \(error)"
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
