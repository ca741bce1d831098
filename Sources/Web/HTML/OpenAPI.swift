import Foundation
import Yams

/// The description of `/v1`: written as YAML, served as JSON.
struct OpenAPI: Sendable {
  let bytes: StaticBytes

  private static let file = "content/openapi.yaml"

  /// - Parameter root: the folder that holds `content/`.
  /// - Throws: `ContentError`, or what Foundation throws for a missing file.
  init(root: URL) throws {
    let yaml = try String(contentsOf: root.appending(path: Self.file), encoding: .utf8)
    let description: Any?
    do {
      description = try Yams.load(yaml: yaml)
    } catch {
      throw ContentError(file: Self.file, message: "not valid YAML: \(error)")
    }
    // A key or value that JSON has no word for, such as an unquoted date.
    guard let description, JSONSerialization.isValidJSONObject(description) else {
      throw ContentError(
        file: Self.file, message: "holds something that is not JSON: quote dates")
    }
    let json = try JSONSerialization.data(
      withJSONObject: description, options: [.sortedKeys, .withoutEscapingSlashes])
    bytes = try StaticBytes(
      contentType: "application/json", body: Array(json), cacheControl: Site.cacheControl)
  }
}
