import Foundation

/// The files of `Public/`, in memory under names that carry their content's hash, so that a browser
/// may keep them for ever.
struct Assets: Sendable {
  /// By path, such as `/assets/app.1f3a….css`.
  let files: [String: StaticBytes]
  private let paths: [String: String]

  static let immutable = "public, max-age=31536000, immutable"
  private static let contentTypes: [String: (type: String, compress: Bool)] = [
    "css": ("text/css; charset=utf-8", true),
    "js": ("text/javascript; charset=utf-8", true),
    "svg": ("image/svg+xml", true),
    "png": ("image/png", false),
    "ico": ("image/x-icon", false),
    "txt": ("text/plain; charset=utf-8", true),
  ]
  /// Belongs to the sandbox, which is another server.
  private static let foreignFolder = "sandbox/"

  /// - Throws: `ContentError` for a file of an unknown kind or one that is too large.
  init(directory: URL) throws {
    var files: [String: StaticBytes] = [:]
    var paths: [String: String] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: directory.path).sorted() {
      let url = directory.appending(path: path)
      let isFile = try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true
      guard isFile, !path.hasPrefix(Self.foreignFolder) else { continue }
      guard let kind = Self.contentTypes[url.pathExtension] else {
        throw ContentError(file: "Public/\(path)", message: "no content type is known for it")
      }
      let body = [UInt8](try Data(contentsOf: url))
      guard body.count <= ContentLimits.assetBytes else {
        throw ContentError(
          file: "Public/\(path)", message: "is larger than \(ContentLimits.assetBytes) bytes")
      }
      let stem = path.dropLast(url.pathExtension.count + 1)
      let address = "/assets/\(stem).\(StaticBytes.hash(body)).\(url.pathExtension)"
      paths[path] = address
      files[address] = try StaticBytes(
        contentType: kind.type, body: body, cacheControl: Self.immutable, compress: kind.compress)
    }
    self.files = files
    self.paths = paths
  }

  /// The address of a file of `Public/`, or of nothing when there is no such file.
  func path(_ name: String) -> String { paths[name] ?? "/assets/\(name)" }

  /// What layouts draw: `assets.css`, `assets.js`, `assets.icon`.
  var templateValue: TemplateValue {
    [
      "css": .text(path("app.css")), "js": .text(path("app.js")),
      "icon": .text(path("favicon.svg")),
    ]
  }
}
