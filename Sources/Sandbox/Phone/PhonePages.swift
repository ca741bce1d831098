import Foundation
import HTTPTypes
import Hummingbird
import Mustache
import NIOCore

/// The pages' templates, style and script, read once.
struct PhonePages: Sendable {
  private let library: MustacheLibrary
  private let assets: [String: Asset]
  private let version: String

  struct Asset: Sendable {
    let bytes: ByteBuffer
    let contentType: String
  }

  /// - Throws: `SandboxError` when a template is missing or malformed.
  init(resources: URL) throws {
    do {
      let folder = resources.appending(path: "Templates/sandbox")
      var templates: [String: MustacheTemplate] = [:]
      for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
      where name.hasSuffix(".mustache") {
        let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
        // Values arrive escaped: the engine escapes by grapheme, and a `<` that a combining mark
        // has joined would slip through.
        templates[String(name.dropLast(9))] = try MustacheTemplate(
          string: "{{% CONTENT_TYPE:TEXT}}" + text)
      }
      library = MustacheLibrary(templates: templates)
      var assets: [String: Asset] = [:]
      let types = [
        "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
        "svg": "image/svg+xml",
      ]
      let files = resources.appending(path: "Public/sandbox")
      for name in try FileManager.default.contentsOfDirectory(atPath: files.path) {
        let url = files.appending(path: name)
        guard let type = types[url.pathExtension] else { continue }
        assets[name] = Asset(
          bytes: ByteBuffer(data: try Data(contentsOf: url)), contentType: type)
      }
      self.assets = assets
      version = PhonePages.fingerprint(
        assets.sorted { $0.key < $1.key }.map { String(buffer: $0.value.bytes) }.joined())
    } catch {
      throw SandboxError.templates("\(error)")
    }
  }

  /// Renders a page inside the layout.
  func page(
    _ template: String, _ values: [String: Any], status: HTTPResponse.Status = .ok
  ) -> Response {
    var values = values
    values["version"] = version
    return html(fragment(template, values), status: status)
  }

  func fragment(_ template: String, _ values: [String: Any]) -> String {
    library.render(escaped(values), withTemplate: template) ?? ""
  }

  /// Every text in the values as HTML. Only what stands under `html` is markup already.
  private func escaped(_ values: [String: Any]) -> [String: Any] {
    var safe: [String: Any] = [:]
    for (name, value) in values { safe[name] = name == "html" ? value : escaped(value) }
    return safe
  }

  private func escaped(_ value: Any) -> Any {
    switch value {
    case let text as String: RichTextHTML.escape(text)
    case let record as [String: Any]: escaped(record) as [String: Any]
    case let list as [Any]: list.map(escaped) as [Any]
    default: value
    }
  }

  func html(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
    var headers = PhonePages.security
    headers[.contentType] = "text/html; charset=utf-8"
    headers[.cacheControl] = "no-store"
    return Response(
      status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
  }

  func failure(_ refusal: Refusal) -> Response {
    page(
      "failure", ["title": "Not done", "message": refusal.message],
      status: .init(code: refusal.status))
  }

  /// A style or a script. Its address carries a version, so browsers may keep it.
  func asset(_ name: String) throws -> Response {
    guard let asset = assets[name] else { throw Refusal.missing("file") }
    var headers = PhonePages.security
    headers[.contentType] = asset.contentType
    headers[.cacheControl] = "public, max-age=31536000, immutable"
    return Response(status: .ok, headers: headers, body: .init(byteBuffer: asset.bytes))
  }

  /// Not for secrets: tells whether two texts differ.
  static func fingerprint(_ text: String) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return String(hash, radix: 36)
  }

  private static let security: HTTPFields = [
    .contentSecurityPolicy:
      "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
      + "object-src 'none'",
    .xContentTypeOptions: "nosniff",
    HTTPField.Name("Referrer-Policy")!: "same-origin",
  ]
}
