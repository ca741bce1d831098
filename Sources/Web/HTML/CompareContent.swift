import Foundation

/// The front matter of `content/<language>/compare/<name>.md`: another product and ours, side by side.
struct CompareContent: SiteContent {
  static let template = TemplateName.compare

  /// A page that a statement rests on.
  struct Source: Decodable, Sendable {
    var name: String
    var url: String
  }

  struct Columns: Decodable, Sendable {
    var topic: String
    var estars: String
    var tribute: String
    var source: String
  }

  struct Row: Decodable, Sendable {
    var topic: String
    var estars: String
    var tribute: String
    /// Keys of the table's sources; none where nothing was found.
    var sources: [String]
  }

  struct Table: Sendable {
    var sources: [String: Source]
    var columns: Columns
    var rows: [Row]
  }

  struct When: Decodable, Sendable {
    var heading: String
    var items: [String]
  }

  struct Part: Decodable, Sendable {
    var heading: String
    var text: ProseText
  }

  var title: String
  var description: String
  var lede: ProseText
  /// ISO day on which every statement was looked up.
  var checked: String
  var checkedLabel: String
  var checkedNote: String
  var table: Table
  var tributeWhen: When
  var estarsWhen: When
  var both: Part
  var corrections: Part
  /// Whose names these are.
  var marks: String

  func model(_ page: SiteContext) throws -> [String: TemplateValue] {
    let format = Formatting(
      strings: page.frame.strings, timeZone: .gmt, now: Date(timeIntervalSince1970: 0))
    let drawn = try table.forDrawing.model(file: page.file)
    return [
      "lede": .html(lede.line),
      "checked": .text(checked), "checked_day": .text(format.day(isoDay: checked)),
      "checked_label": .text(checkedLabel), "checked_note": .text(checkedNote),
      "table": .html(HTML(trusted: page.frame.renderer.templates.render(.docsTable, drawn))),
      "whens": .records([tributeWhen, estarsWhen]) {
        ["when_heading": .text($0.heading), "items": .list($0.items.map { .text($0) })]
      },
      "parts": .records([both, corrections]) {
        ["part_heading": .text($0.heading), "text": .html($0.text.html)]
      },
      "marks": .text(marks),
    ]
  }
}

extension CompareContent.Table: Decodable {
  private enum CodingKeys: String, CodingKey { case sources, columns, rows }

  /// - Throws: also for a source that is named and not there, or there and not named.
  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    sources = try fields.decode([String: CompareContent.Source].self, forKey: .sources)
    columns = try fields.decode(CompareContent.Columns.self, forKey: .columns)
    rows = try fields.decode([CompareContent.Row].self, forKey: .rows)
    let named = Set(rows.flatMap(\.sources))
    if let key = named.subtracting(sources.keys).min() {
      throw DecodingError.dataCorruptedError(
        forKey: .sources, in: fields, debugDescription: "lacks `\(key)`, which a row names")
    }
    if let key = Set(sources.keys).subtracting(named).min() {
      throw DecodingError.dataCorruptedError(
        forKey: .sources, in: fields, debugDescription: "no row names `\(key)`")
    }
  }

  fileprivate var forDrawing: DocsContent.Table {
    DocsContent.Table(
      columns: [columns.topic, columns.estars, columns.tribute, columns.source],
      rows: rows.map { row in
        let links = row.sources.compactMap { sources[$0] }.map { "[\($0.name)](\($0.url))" }
        return [
          row.topic, row.estars, row.tribute, links.isEmpty ? "–" : links.joined(separator: ", "),
        ]
      })
  }
}
