import Foundation

/// An amount of one day in the workspace's zone.
struct DayAmount: Sendable, Equatable {
  /// `2026-11-21`.
  var isoDay: String
  var amount: Int64
}

/// Bars from a zero line, the last one labelled. The same numbers stand in a table beside it.
struct BarChart: Sendable {
  let days: [DayAmount]

  private static let (width, height) = (560.0, 150.0)
  private static let (top, bottom) = (24.0, 22.0)

  func svg(label: String, format: Formatting) -> HTML {
    let peak = max(days.map(\.amount).max() ?? 0, 1)
    let slot = Self.width / Double(max(days.count, 1))
    let room = Self.height - Self.top - Self.bottom
    let base = Self.height - Self.bottom
    var marks = ""
    for (index, day) in days.enumerated() {
      let height = max(Double(max(day.amount, 0)) / Double(peak) * room, day.amount > 0 ? 1 : 0)
      let x = Double(index) * slot + slot * 0.15
      let isLast = index == days.count - 1
      let title = HTML(escaping: "\(format.day(isoDay: day.isoDay)): \(format.number(day.amount))")
      marks += """
        <rect class="bar-day\(isLast ? " bar-last" : "")" x="\(Self.text(x))" \
        y="\(Self.text(base - height))" width="\(Self.text(slot * 0.7))" \
        height="\(Self.text(height))"><title>\(title.text)</title></rect>
        """
      if isLast {
        marks += Self.label(
          format.number(day.amount), x: x + slot * 0.7, y: base - height - 6, anchor: "end",
          className: "bar-value")
      }
    }
    if let first = days.first, let last = days.last {
      marks += Self.label(
        format.shortDay(isoDay: first.isoDay), x: 0, y: Self.height - 5, anchor: "start",
        className: "bar-axis")
      marks += Self.label(
        format.shortDay(isoDay: last.isoDay), x: Self.width, y: Self.height - 5, anchor: "end",
        className: "bar-axis")
    }
    return HTML(
      trusted: """
        <svg class="chart" viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" \
        aria-label="\(HTML(escaping: label).text)">\(marks)\
        <line class="bar-base" x1="0" x2="\(Int(Self.width))" y1="\(Self.text(base))" \
        y2="\(Self.text(base))"></line></svg>
        """)
  }

  private static func label(
    _ text: String, x: Double, y: Double, anchor: String, className: String
  ) -> String {
    """
    <text class="\(className)" x="\(Self.text(x))" y="\(Self.text(y))" \
    text-anchor="\(anchor)">\(HTML(escaping: text).text)</text>
    """
  }

  /// One decimal is finer than a pixel here.
  private static func text(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths.isMultiple(of: 10) ? String(tenths / 10) : "\(tenths / 10).\(abs(tenths % 10))"
  }
}
