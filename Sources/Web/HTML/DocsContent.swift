/// The front matter of a developer page, `content/<language>/docs/<page>.md`.
struct DocsContent: Decodable, Sendable {
  /// Where a fence named `table <name>` stands; cells are a line of Markdown each.
  struct Table: Decodable, Sendable {
    var columns: [String]
    var rows: [[String]]
  }

  var title: String
  /// Its name in the list of pages.
  var short: String
  var description: String
  var tables: [String: Table]?
}

extension DocsContent.Table {
  /// - Throws: `ContentError` when a row has another number of cells than there are columns.
  func model(file: String) throws -> [String: TemplateValue] {
    for row in rows where row.count != columns.count {
      throw ContentError(file: file, message: "a table's row does not fit its columns: \(row)")
    }
    func cell(_ source: String) throws -> HTML {
      let paragraph = try Markdown(source, file: file).html.text
      return HTML(
        trusted: String(paragraph.replacing("<p>", with: "").replacing("</p>\n", with: "")))
    }
    return [
      "columns": .list(columns.map { .text($0) }),
      "rows": .list(
        try rows.map { row in
          let cells = try zip(columns, row).dropFirst().map { label, source in
            TemplateValue.record(["label": .text(label), "cell": .html(try cell(source))])
          }
          return ["head": .html(try cell(row.first ?? "")), "cells": .list(cells)]
        }),
    ]
  }
}

extension [String: DocsContent.Table] {
  /// What stands in place of a fence `table <name>`; nil for any other.
  ///
  /// - Throws: `ContentError` when there is no such table.
  func drawn(_ info: String, file: String, _ renderer: Renderer) throws -> HTML? {
    let words = info.split(separator: " ").map(String.init)
    guard words.first == "table" else { return nil }
    guard let table = self[words.last ?? ""] else {
      throw ContentError(file: file, message: "front matter has no table for “\(info)”")
    }
    return HTML(trusted: renderer.templates.render(.docsTable, try table.model(file: file)))
  }
}
