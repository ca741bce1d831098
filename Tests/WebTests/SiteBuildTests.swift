import Foundation
import HummingbirdTesting
import NIOCore
import Testing

@testable import Web

/// The static site is the served one.
@Suite struct SiteBuildTests {
  private static let app = "https://app.estars.example"

  private static func build(site: URL) throws -> SiteBuild {
    try SiteBuild(
      resources: GoldenTests.root, site: site, app: try #require(URL(string: Self.app)))
  }

  @Test func everyFileIsWhatIsServed() async throws {
    try await ServerFixture.with { fixture in
      let files = try Self.build(site: fixture.server.configuration.publicURL).files
      var linksToTheApp = 0
      for (path, bytes) in files {
        let page = path == "index.html" ? "" : path.replacing("/index.html", with: "")
        let response = try await fixture.client.executeRequest(
          uri: "/" + page, method: .get, headers: [:], body: nil)
        #expect(response.status == .ok, "\(path)")
        let served = Array(buffer: response.body)
        guard path.hasSuffix(".html") else {
          #expect(served == bytes, "\(path)")
          continue
        }
        // Only where the program answers do they differ.
        let html = String(decoding: bytes, as: UTF8.self)
        linksToTheApp += html.components(separatedBy: "\"\(Self.app)/login\"").count - 1
        #expect(
          html.replacing("\"\(Self.app)/", with: "\"/")
            == String(decoding: served, as: UTF8.self)
            .replacing(/<input type="hidden" name="stamp"[^>]*>/, with: ""), "\(path)")
      }
      #expect(files["pt-br/how-it-works/index.html"] != nil && files["docs/index.html"] != nil)
      #expect(files["docs/quickstart.py"] != nil && files["sitemap.xml"] != nil)
      #expect(linksToTheApp > 40)
      let form = String(decoding: files["pt-br/pilot/index.html"] ?? [], as: UTF8.self)
      #expect(form.contains("action=\"\(Self.app)/pt-br/pilot\"") && !form.contains("stamp"))
    }
  }

  @Test func whatPagesFetchIsThere() throws {
    let site = try #require(URL(string: "https://estars.example"))
    let files = try Self.build(site: site).files
    for (path, bytes) in files where path.hasSuffix(".html") {
      let html = String(decoding: bytes, as: UTF8.self)
      for match in html.matches(of: /"(?:https:\/\/estars.example)?\/(assets\/[^"]*)"/) {
        #expect(files[String(match.output.1)] != nil, "\(path) → \(match.output.1)")
      }
    }
  }

  @Test func onlyItsOwnFolderIsWrittenTo() throws {
    let manager = FileManager.default
    let folder = manager.temporaryDirectory.appending(path: "site-\(UUID())")
    defer { try? manager.removeItem(at: folder) }
    let build = try Self.build(site: try #require(URL(string: "https://estars.example")))
    try build.write(to: folder)
    let home = folder.appending(path: "index.html")
    #expect(try Data(contentsOf: home) == Data(try #require(build.files["index.html"])))
    // What an earlier build wrote goes; what somebody else put there stays.
    let list = folder.appending(path: SiteBuild.marker)
    let names = try String(contentsOf: list, encoding: .utf8)
    try Data((names + "old.html\n../outside.html\n").utf8).write(to: list)
    let outside = folder.deletingLastPathComponent().appending(path: "outside.html")
    for file in ["old.html", "mine.html"] {
      try Data("x".utf8).write(to: folder.appending(path: file))
    }
    try Data("x".utf8).write(to: outside)
    defer { try? manager.removeItem(at: outside) }
    try build.write(to: folder)
    #expect(!manager.fileExists(atPath: folder.appending(path: "old.html").path))
    #expect(manager.fileExists(atPath: folder.appending(path: "mine.html").path))
    #expect(manager.fileExists(atPath: outside.path))
    // Without the mark the folder is somebody else's.
    try manager.removeItem(at: list)
    #expect(throws: SiteBuild.Refusal.self) { try build.write(to: folder) }
    #expect(throws: SiteBuild.Refusal.self) { try build.write(to: home) }
  }
}

@Suite struct ShareImageTests {
  private static func words(_ language: Language) throws -> ShareImage.Words {
    let file = SitePlace.home.file(language)
    return try ContentPage<LandingContent>(
      source: Data(contentsOf: GoldenTests.root.appending(path: file)), file: file
    ).frontMatter.shareWords
  }

  @Test(arguments: Language.allCases) func itIsDrawnAlikeEachTime(_ language: Language) throws {
    let words = try Self.words(language)
    #expect(ShareImage.missing(in: words) == nil)
    let png = try ShareImage.png(words)
    #expect(png == (try PNG.encode(ShareImage.draw(words))))
    #expect(png.starts(with: [0x89, 0x50, 0x4e, 0x47]) && png.count < 60_000, "\(png.count) bytes")
  }

  @Test func theStripAndItsColoursAreThere() throws {
    let canvas = ShareImage.draw(try Self.words(.en))
    func pixel(_ x: Int, _ y: Int) -> [UInt8] {
      let index = (y * canvas.width + x) * 3
      return Array(canvas.pixels[index..<(index + 3)])
    }
    #expect(canvas.width == 1200 && canvas.height == 630)
    #expect(pixel(1, 1) == [0xfb, 0xfa, 0xf7])
    // The dots of Stars that came, credits, a use, Stars that went back.
    #expect(pixel(716, 112) == [0xdd, 0x9a, 0x12])
    #expect(pixel(716, 204) == [0x2f, 0x9a, 0x63])
    #expect(pixel(716, 296) == [0x5b, 0x63, 0xd8])
    #expect(pixel(716, 388) == [0xd1, 0x3a, 0x30])
    // The headline ends before the strip begins.
    for y in 0..<canvas.height { #expect(pixel(660, y) == [0xfb, 0xfa, 0xf7]) }
  }

  @Test func aWordThatCannotBeDrawnIsNamed() {
    let words = ShareImage.Words(headline: "日", rows: [])
    #expect(ShareImage.missing(in: words) == "日")
  }
}
