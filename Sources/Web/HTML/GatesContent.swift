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

  /// The words of every gate, in the gates' own order.
  struct Gates: Sendable {
    let words: [Words]
  }

  var title: String
  var description: String
  var lede: String
  var columns: Columns
  var closed: String
  var gates: Gates

  func model(_ page: SiteContext) throws -> [String: TemplateValue] {
    return [
      "lede": .text(lede), "closed": .text(closed), "body": .html(page.body.html),
      "columns": [
        "gate": .text(columns.gate), "state": .text(columns.state), "why": .text(columns.why),
      ],
      "rows": .records(gates.words) { ["name": .text($0.name), "why": .text($0.why)] },
    ]
  }
}

extension GatesContent.Gates: Decodable {
  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// - Throws: also when a gate has no words, or words have no gate.
  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: Name.self)
    let known = GatesView.Gate.allCases.map { Name(stringValue: $0.rawValue) }
    if let name = fields.allKeys.first(where: { name in
      !known.contains { $0.stringValue == name.stringValue }
    }) {
      throw DecodingError.dataCorruptedError(
        forKey: name, in: fields, debugDescription: "there is no such gate")
    }
    words = try known.map { try fields.decode(GatesContent.Words.self, forKey: $0) }
  }
}
