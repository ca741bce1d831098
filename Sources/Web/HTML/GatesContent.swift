/// The front matter of `content/<language>/gates.md`: what is kept shut, in public words.
struct GatesContent: SiteContent {
  static let template = TemplateName.siteGates

  struct Columns: Decodable, Sendable {
    var gate: String
    var state: String
    var why: String
  }

  struct Words: Decodable, Sendable {
    var name: String
    var why: String
  }

  var title: String
  var description: String
  var lede: String
  var columns: Columns
  var closed: String
  /// By the gate's own name.
  var gates: [String: Words]

  /// - Throws: `ContentError` when a gate has no words, or words have no gate.
  func model(_ page: SiteContext) throws -> [String: TemplateValue] {
    let known = Set(GatesView.Gate.allCases.map(\.rawValue))
    if let key = known.symmetricDifference(gates.keys).min() {
      throw ContentError(
        file: page.file, key: "gates",
        message: known.contains(key)
          ? "front matter `gates` lacks `\(key)`" : "there is no gate `\(key)`")
    }
    let rows = GatesView.Gate.allCases.compactMap { gates[$0.rawValue] }
    return [
      "lede": .text(lede), "closed": .text(closed), "body": .html(page.body.html),
      "columns": [
        "gate": .text(columns.gate), "state": .text(columns.state), "why": .text(columns.why),
      ],
      "rows": .records(rows) { ["name": .text($0.name), "why": .text($0.why)] },
    ]
  }
}
