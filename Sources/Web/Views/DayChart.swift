import Foundation

/// An amount for each of some days: bars, or a line where there are too many for bars or where
/// something stands rather than happens. From a zero line, the last value said, the days before as a
/// thin line. The same numbers stand in a table beneath.
struct DayChart: Sendable, Equatable {
  enum Shape: Sendable, Equatable { case bars, line }
  enum Ink: String, Sendable { case stars, use, `in` }

  /// ISO days, oldest first.
  var days: [String]
  var values: [Int64]
  /// As many of the days before; empty: there is nothing to compare with.
  var before: [Int64] = []
  var shape = Shape.bars
  var ink = Ink.use

  private static let (width, height) = (560.0, 170.0)
  private static let (top, bottom) = (26.0, 22.0)
  /// With more, bars are too thin to see.
  private static let mostBars = 100

  private struct Scale {
    let (low, high): (Double, Double)
    let slot: Double

    func y(_ value: Int64) -> Double {
      let room = DayChart.height - DayChart.top - DayChart.bottom
      return DayChart.top + (high - Double(value)) / (high - low) * room
    }

    func middle(_ index: Int) -> Double { (Double(index) + 0.5) * slot }
  }

  private var scale: Scale {
    let all = (values + before).map(Double.init)
    let (low, high) = (min(0, all.min() ?? 0), max(0, all.max() ?? 0))
    return Scale(
      low: low, high: high == low ? low + 1 : high,
      slot: Self.width / Double(max(days.count, 1)))
  }

  /// - Parameters:
  ///   - label: What a screen reader says of it.
  ///   - say: An amount in words.
  func svg(label: String, format: Formatting, say: (Int64) -> String) -> HTML {
    let scale = scale
    let isLine = shape == .line || days.count > Self.mostBars
    var marks = ""
    if before.count == values.count, before.contains(where: { $0 != 0 }) {
      marks += Self.line(before, scale, className: "chart-before")
    }
    marks += isLine ? Self.line(values, scale, className: "chart-line") : bars(scale, format, say)
    if let last = values.last {
      let x = isLine ? Self.width : scale.middle(values.count - 1) + scale.slot * 0.35
      marks += Self.words(
        say(last), x: x, y: min(scale.y(max(last, 0)), scale.y(last)) - 7, anchor: "end",
        className: "bar-value")
    }
    if let first = days.first, let last = days.last {
      let y = Self.height - 5
      marks += Self.words(
        format.shortDay(isoDay: first), x: 0, y: y, anchor: "start", className: "bar-axis")
      if first != last {
        marks += Self.words(
          format.shortDay(isoDay: last), x: Self.width, y: y, anchor: "end",
          className: "bar-axis")
      }
    }
    let zero = Self.text(scale.y(0))
    return HTML(
      trusted: """
        <svg class="chart ink-\(ink.rawValue)" viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" \
        role="img" aria-label="\(HTML(escaping: label).text)">\(marks)\
        <line class="bar-base" x1="0" x2="\(Int(Self.width))" y1="\(zero)" y2="\(zero)"></line></svg>
        """)
  }

  private func bars(_ scale: Scale, _ format: Formatting, _ say: (Int64) -> String) -> String {
    var marks = ""
    for (index, value) in values.enumerated() {
      let (top, base) = (scale.y(max(value, 0)), scale.y(min(value, 0)))
      let title = HTML(escaping: "\(format.day(isoDay: days[index])): \(say(value))").text
      marks += """
        <rect class="bar-day\(index == values.count - 1 ? " bar-last" : "")" \
        x="\(Self.text((Double(index) + 0.15) * scale.slot))" y="\(Self.text(top))" \
        width="\(Self.text(scale.slot * 0.7))" \
        height="\(Self.text(value == 0 ? 0 : max(base - top, 1)))"><title>\(title)</title></rect>
        """
    }
    return marks
  }

  private static func line(_ values: [Int64], _ scale: Scale, className: String) -> String {
    let points = values.enumerated().map { "\(text(scale.middle($0))),\(text(scale.y($1)))" }
    return """
      <polyline class="\(className)" points="\(points.joined(separator: " "))"></polyline>
      """
  }

  private static func words(
    _ words: String, x: Double, y: Double, anchor: String, className: String
  ) -> String {
    """
    <text class="\(className)" x="\(text(x))" y="\(text(y))" \
    text-anchor="\(anchor)">\(HTML(escaping: words).text)</text>
    """
  }

  /// One decimal is finer than a pixel here.
  private static func text(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    let sign = tenths < 0 ? "-" : ""
    let (whole, rest) = tenths.magnitude.quotientAndRemainder(dividingBy: 10)
    return sign + (rest == 0 ? String(whole) : "\(whole).\(rest)")
  }
}

extension DayChart {
  /// What the `chart` partial draws: the picture, and its numbers as a table, newest first.
  ///
  /// - Parameter id: Of the heading, once on a page.
  func model(
    id: String, title: String, column: String, _ page: PageContext, say: (Int64) -> String
  ) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    let compares = before.count == values.count && !before.isEmpty
    let label =
      compares ? t("chart.with_before", ["what": title]) : title
    return [
      "id": .text(id), "title": .text(title),
      "svg": .html(svg(label: label, format: format, say: say)),
      "column": .text(column), "compares": .flag(compares),
      "rows": .records(Array(days.indices.reversed())) { index in
        [
          "day": .text(format.day(isoDay: days[index])), "value": .text(say(values[index])),
          "before": compares ? .text(say(before[index])) : .none,
        ]
      },
    ]
  }
}
