import Foundation
import Testing

@testable import Web

@Suite struct EscapingTests {
  @Test(arguments: [
    ("<b>&\"'</b>", "&lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;"),
    ("plain", "plain"),
    ("", ""),
    // One grapheme each, so an escape that compares characters would let them through.
    ("\u{600}<script>", "\u{600}&lt;script&gt;"),
    ("\"\u{301} onfocus=x", "&quot;\u{301} onfocus=x"),
    ("<\u{338}", "&lt;\u{338}"),
    ("&\u{20dd}", "&amp;\u{20dd}"),
    ("\r\n<", "\r\n&lt;"),
  ])
  func escapesEverySpecialByte(_ text: String, _ expected: String) {
    #expect(HTML(escaping: text).text.unicodeScalars.elementsEqual(expected.unicodeScalars))
  }

  @Test func hostileNamesStayTextInEveryPage() throws {
    let renderer = try GoldenTests.renderer()
    for page in GoldenTests.pages {
      let html = try page.render(renderer)
      #expect(!html.contains("<script>alert"), "\(page.name)")
      #expect(!html.contains("m\"a'l"), "\(page.name)")
    }
  }

  @Test func graphemeTricksStayTextInARenderedPage() throws {
    var view = Samples.indebted
    view.customer.name = "\u{600}<script>x</script>\"\u{301} y"
    let html = view.render(with: try GoldenTests.renderer(), in: Samples.frame())
    #expect(!html.utf8.contains(sequence: "<script>x"))
    let bareQuote = html.utf8.contains(sequence: "\"\u{301}")
    #expect(!bareQuote)
    #expect(html.utf8.contains(sequence: "&lt;script&gt;x"))
  }

  @Test func absentKeysHideOuterOnes() throws {
    let value = TemplateValue.record(["outer": "x", "inner": .record(["outer": .none])])
    let record = try #require(value.rendered as? [String: Any])
    let inner = try #require(record["inner"] as? [String: Any])
    #expect(inner["outer"] != nil)
  }
}

extension String.UTF8View {
  fileprivate func contains(sequence: String) -> Bool {
    Data(self).range(of: Data(sequence.utf8)) != nil
  }
}
