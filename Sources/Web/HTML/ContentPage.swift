import Foundation
import Yams

/// A file of `content/`: YAML front matter between two lines of `---`, then Markdown.
struct ContentPage<FrontMatter: Decodable & Sendable>: Sendable {
  let frontMatter: FrontMatter
  let body: Markdown

  /// - Parameter file: the path to name in errors.
  /// - Throws: `ContentError` naming the file and, where there is one, the key.
  init(source: Data, file: String) throws {
    guard let text = String(validating: source, as: UTF8.self) else {
      throw ContentError(file: file, message: "is not valid UTF-8")
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.first == "---", let end = lines.dropFirst().firstIndex(of: "---") else {
      throw ContentError(
        file: file, message: "must begin with front matter between two `---` lines")
    }
    do {
      frontMatter = try YAMLDecoder().decode(
        FrontMatter.self, from: lines[1..<end].joined(separator: "\n"))
    } catch let error as DecodingError {
      throw ContentError(file: file, message: Self.explain(error))
    } catch {
      throw ContentError(file: file, message: "front matter is not valid YAML: \(error)")
    }
    body = try Markdown(lines[(end + 1)...].joined(separator: "\n"), file: file)
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
    case is String.Type: "text"
    case is Int64.Type, is Int.Type: "a whole number"
    case is Bool.Type: "true or false"
    case is [Any].Type: "a list"
    default: "of another shape"
    }
  }
}
