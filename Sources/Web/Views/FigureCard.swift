import Foundation

/// A number with what it means beneath, and what it was before.
struct FigureCard: Sendable, Equatable {
  var label: String
  var value: String
  /// What the number counts.
  var note: String
  /// Beside the days before.
  var change: String?
  var tone: Tone

  init(_ label: String, _ value: String, _ note: String, change: String? = nil, _ tone: Tone) {
    (self.label, self.value, self.note) = (label, value, note)
    (self.change, self.tone) = (change, tone)
  }

  var model: TemplateValue {
    [
      "label": .text(label), "value": .text(value), "note": .text(note),
      "change": .optional(change), "tone": .text(tone.rawValue),
    ]
  }
}

extension PageContext {
  /// `1,200 ★ before, +12 %`.
  func change(_ now: Int64, from before: Int64, say: (Int64) -> String) -> String {
    guard before > 0 else { return strings("chart.was", ["before": say(before)]) }
    let tenths = Int64(((Double(now) - Double(before)) / Double(before) * 1000).rounded())
    let percent = (tenths > 0 ? "+" : "") + format.percent(tenths: tenths)
    return strings("chart.changed", ["before": say(before), "percent": percent])
  }

  /// A share of a whole beside the one before it; nil where there was no whole before.
  func change(of before: Int64, _ whole: Int64) -> String? {
    whole > 0 ? strings("chart.was", ["before": format.share(before, of: whole)]) : nil
  }
}
