import Foundation

/// A plain table of figures: words first, numbers after them.
struct DataTable: Sendable, Equatable {
  struct Column: Sendable, Equatable {
    var title: String
    var isNumber = true
    /// Left out where there is little room.
    var isExtra = false
  }

  struct Row: Sendable, Equatable {
    var name: String
    /// Where its name leads.
    var href: String?
    /// One for each column after the first.
    var cells: [String]
  }

  /// Of its heading, once on a page.
  var id: String
  var title: String
  /// What is counted.
  var note: String?
  /// What the first column holds.
  var of: String
  var columns: [Column]
  var rows: [Row]

  func model(_ page: PageContext) -> [String: TemplateValue] {
    [
      "id": .text(id), "title": .text(title), "note": .optional(note), "of": .text(of),
      "columns": .records(columns) {
        [
          "title": .text($0.title), "class": .optional(Self.className($0)),
        ]
      },
      "table": rows.isEmpty ? .none : .record(["rows": .records(rows) { model($0) }]),
    ]
  }

  private func model(_ row: Row) -> [String: TemplateValue] {
    [
      "name": .text(row.name), "href": .optional(row.href),
      "cells": .records(Array(zip(columns, row.cells))) { column, value in
        [
          "label": .text(column.title), "value": .text(value),
          "class": .optional(Self.className(column)),
        ]
      },
    ]
  }

  private static func className(_ column: Column) -> String? {
    let names = [column.isNumber ? "num" : nil, column.isExtra ? "extra" : nil].compactMap { $0 }
    return names.isEmpty ? nil : names.joined(separator: " ")
  }
}
