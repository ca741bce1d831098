import Foundation

/// Where people write to about the site, its claims and their data: in one file for all pages.
struct Contact: Decodable, Sendable {
  static let file = "content/contact.md"
  /// What stands for the address in texts.
  private static let place = "{contact}"

  var address: String

  /// - Throws: `ContentError` when the file is broken or holds no e-mail address.
  static func read(_ root: URL) throws -> Contact {
    let contact = try ContentPage<Contact>(
      source: Data(contentsOf: root.appending(path: file)), file: file
    ).frontMatter
    guard contact.address.wholeMatch(of: /[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}/) != nil
    else {
      throw ContentError(
        file: file, line: 2, message: "front matter `address` must be an e-mail address")
    }
    return contact
  }

  func fill(_ source: Data) -> Data {
    guard let text = String(validating: source, as: UTF8.self) else { return source }
    return Data(text.replacing(Self.place, with: address).utf8)
  }
}
