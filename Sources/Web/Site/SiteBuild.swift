import Foundation

/// The public pages as files, for a web server or a network that only hands out files. What the running
/// program must answer, signing in and forms, is linked to where it runs.
public struct SiteBuild: Sendable {
  /// Why nothing was written.
  public struct Refusal: Error, CustomStringConvertible {
    public let description: String
  }

  /// By path below the folder, such as `pt-br/how-it-works/index.html`.
  public let files: [String: [UInt8]]

  /// Says that a folder is ours, and which of its files are.
  static let marker = ".estars-site"

  /// - Parameters:
  ///   - resources: the folder with `Templates`, `Public` and `content`.
  ///   - site: where the files will be reached.
  ///   - app: where the program runs.
  /// - Throws: When a template, a page or an asset is missing or broken; the error names the file.
  public init(resources: URL, site: URL, app: URL) throws {
    let pages = try Pages(resources: resources, address: SiteAddress(site: site, app: app))
    var files: [String: [UInt8]] = [
      String(Sitemap.path.dropFirst()): pages.sitemap.xml.body,
      String(Sitemap.robotsPath.dropFirst()): pages.sitemap.robots.body,
      String(Links.openAPI.dropFirst()): pages.openAPI.bytes.body,
    ]
    for place in SitePlace.allCases where place.content != nil {
      for language in Language.allCases {
        files[Self.file(place.path(language))] = pages.site.page(place, language).body
      }
    }
    // Nobody can be asked when it was drawn, so the program shows the form once more.
    for language in Language.allCases {
      let form = NewApplicationView().render(in: pages.site.frame(.pilot, language))
      files[Self.file(SitePlace.pilot.path(language))] = Array(form.utf8)
    }
    for (path, bytes) in pages.docs.pages {
      let isPage = bytes.contentType.hasPrefix("text/html")
      files[isPage ? Self.file(path) : String(path.dropFirst())] = bytes.body
    }
    let assets = pages.renderer.assets
    for path in [assets.path("app.css"), assets.path("favicon.svg")] {
      files[String(path.dropFirst())] = assets.files[path]?.body
    }
    for image in pages.site.shell.images.values {
      files[String(image.path.dropFirst())] = image.bytes.body
    }
    self.files = files
  }

  /// `/faq` → `faq/index.html`.
  static func file(_ path: String) -> String {
    let folder = path.trimmingCharacters(in: ["/"])
    return folder.isEmpty ? "index.html" : folder + "/index.html"
  }

  /// Writes the files. What an earlier build wrote and this one does not is removed.
  ///
  /// - Throws: ``Refusal`` for a folder with something in it that no build wrote, and what Foundation
  ///   throws for one that cannot be written.
  public func write(to folder: URL) throws {
    let manager = FileManager.default
    let old = try Self.earlier(in: folder)
    try manager.createDirectory(at: folder, withIntermediateDirectories: true)
    for path in old where files[path] == nil {
      try? manager.removeItem(at: folder.appending(path: path))
    }
    for (path, bytes) in files {
      let file = folder.appending(path: path)
      try manager.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: file, options: .atomic)
    }
    let list = files.keys.sorted().joined(separator: "\n") + "\n"
    try Data(list.utf8).write(to: folder.appending(path: Self.marker), options: .atomic)
  }

  /// What the last build wrote there; nothing for an empty folder or none.
  private static func earlier(in folder: URL) throws -> [String] {
    let manager = FileManager.default
    var isFolder: ObjCBool = false
    guard manager.fileExists(atPath: folder.path, isDirectory: &isFolder) else { return [] }
    guard isFolder.boolValue else { throw Refusal(description: "\(folder.path) is not a folder") }
    guard try !manager.contentsOfDirectory(atPath: folder.path).isEmpty else { return [] }
    let file = folder.appending(path: marker)
    guard let data = try? Data(contentsOf: file) else {
      throw Refusal(
        description:
          "\(folder.path) holds files that no `site build` wrote: name an empty folder or a new one"
      )
    }
    // Only names as a build makes them: nothing outside the folder is ever removed.
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init).filter {
      !$0.hasPrefix("/") && !$0.split(separator: "/").contains("..")
    }
  }
}
