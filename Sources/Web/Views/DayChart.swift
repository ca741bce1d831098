import Foundation

/// An amount for each of some days: bars, or a line where there are too many for bars or where
/// something stands rather than happens. From a zero line, the last value said, the days before as a
/// thin line. The same numbers stand in a table beneath.
///
/// Places across are shares of the width and letters have their own size, so that a chart reads alike
/// in every width.
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

  /// Pixels.
  private static let height = 170.0
  private static let (top, bottom) = (26.0, 30.0)
  /// With more, bars are too thin to see.
  private static let mostBars = 100
  /// Share of the width: a single bar is not a wall.
  private static let widestBar = 0.12
  /// Lines are drawn on a sheet of this width, which is stretched to what there is.
  private static let sheet = 1000.0

  /// Down in pixels, across as shares of the width.
  private struct Scale {
    let (low, high): (Double, Double)
    let slot: Double

    var bar: Double { min(slot * 0.7, DayChart.widestBar) }

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
      low: low, high: high == low ? low + 1 : high, slot: 1 / Double(max(days.count, 1)))
  }

  private var isLine: Bool { shape == .line || days.count > Self.mostBars }

  /// Whether the days before are in the picture. In the table they are wherever they are known.
  var drawsBefore: Bool { before.count == values.count && before.contains { $0 != 0 } }

  /// - Parameters:
  ///   - label: What a screen reader says of it.
  ///   - say: An amount in words.
  func svg(label: String, format: Formatting, say: (Int64) -> String) -> HTML {
    let scale = scale
    var marks = isLine ? "" : bars(scale, format, say)
    if drawsBefore { marks += Self.line(before, scale, className: "chart-before") }
    if isLine { marks += Self.line(values, scale, className: "chart-line") }
    if isLine, values.count == 1 {
      marks += """
        <circle class="chart-dot" cx="50%" cy="\(Self.text(scale.y(values[0])))" r="4"></circle>
        """
    }
    let zero = Self.text(scale.y(0))
    marks += #"<line class="bar-base" x1="0" x2="100%" y1="\#(zero)" y2="\#(zero)"></line>"#
    return HTML(
      trusted: """
        <svg class="chart ink-\(ink.rawValue)" width="100%" height="\(Int(Self.height))" \
        role="img" aria-label="\(HTML(escaping: label).text)">\
        \(marks)\(lastValue(scale, say))\(axis(format))</svg>
        """)
  }

  private func bars(_ scale: Scale, _ format: Formatting, _ say: (Int64) -> String) -> String {
    var marks = ""
    for (index, value) in values.enumerated() {
      let (top, base) = (scale.y(max(value, 0)), scale.y(min(value, 0)))
      let title = HTML(escaping: "\(format.day(isoDay: days[index])): \(say(value))").text
      marks += """
        <rect class="bar-day\(index == values.count - 1 ? " bar-last" : "")" \
        x="\(Self.percent(scale.middle(index) - scale.bar / 2))" y="\(Self.text(top))" \
        width="\(Self.percent(scale.bar))" \
        height="\(Self.text(value == 0 ? 0 : max(base - top, 1)))"><title>\(title)</title></rect>
        """
    }
    return marks
  }

  private func lastValue(_ scale: Scale, _ say: (Int64) -> String) -> String {
    guard let last = values.last else { return "" }
    let middle = scale.middle(values.count - 1)
    let y = min(scale.y(max(last, 0)), scale.y(last)) - 8
    let words = say(last)
    if values.count == 1 {
      return Self.words(words, x: middle, y: y, anchor: "middle", className: "bar-value")
    }
    return Self.words(
      words, x: isLine ? 1 : middle + scale.bar / 2, y: y, anchor: "end", className: "bar-value")
  }

  private func axis(_ format: Formatting) -> String {
    guard let first = days.first, let last = days.last else { return "" }
    let y = Self.height - 6
    guard first != last else {
      return Self.words(
        format.shortDay(isoDay: first), x: 0.5, y: y, anchor: "middle", className: "bar-axis")
    }
    return Self.words(
      format.shortDay(isoDay: first), x: 0, y: y, anchor: "start", className: "bar-axis")
      + Self.words(
        format.shortDay(isoDay: last), x: 1, y: y, anchor: "end", className: "bar-axis")
  }

  /// One value is a line as well: as wide as its bar would be.
  private static func line(_ values: [Int64], _ scale: Scale, className: String) -> String {
    var points = values.enumerated().map { (scale.middle($0), scale.y($1)) }
    if let only = points.first, points.count == 1 {
      points = [(only.0 - scale.bar, only.1), (only.0 + scale.bar, only.1)]
    }
    let places = points.map { "\(text($0 * sheet)),\(text($1))" }.joined(separator: " ")
    return """
      <svg width="100%" height="\(Int(height))" viewBox="0 0 \(Int(sheet)) \(Int(height))" \
      preserveAspectRatio="none" overflow="visible">\
      <polyline class="\(className)" points="\(places)"></polyline></svg>
      """
  }

  private static func words(
    _ words: String, x: Double, y: Double, anchor: String, className: String
  ) -> String {
    """
    <text class="\(className)" x="\(percent(x))" y="\(text(y))" \
    text-anchor="\(anchor)">\(HTML(escaping: words).text)</text>
    """
  }

  /// One decimal is finer than a pixel here.
  private static func text(_ value: Double) -> String { decimal(value, 10) }

  private static func percent(_ share: Double) -> String { decimal(share * 100, 100) + "%" }

  /// - Parameter parts: 10 or 100 in a whole.
  private static func decimal(_ value: Double, _ parts: UInt) -> String {
    let rounded = Int((value * Double(parts)).rounded())
    let sign = rounded < 0 ? "-" : ""
    let (whole, rest) = rounded.magnitude.quotientAndRemainder(dividingBy: parts)
    guard rest != 0 else { return sign + String(whole) }
    let digits = String(parts + rest).dropFirst()
    return sign + "\(whole)." + (digits.last == "0" ? digits.dropLast() : digits)
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
    let label = drawsBefore ? t("chart.with_before", ["what": title]) : title
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
