/// Who tells whom what, one arrow a step, from top to bottom. As narrow as a phone, so that its words
/// are never smaller than the page's small print.
struct SequenceDiagram: Sendable {
  struct Step: Sendable {
    var from: Int
    var to: Int
    var tone: Tone
    var label: String
  }

  static let laneCount = 3

  let lanes: [String]
  let steps: [Step]
  /// Steps, counted from 0, above which a new part begins.
  let partStarts: Set<Int>

  private static let width = 360
  private static let laneX = [40, 180, 320]
  private static let top = 44
  private static let stepHeight = 48
  private static let partGap = 22

  /// - Parameter label: what the whole shows, for those who do not see it.
  func svg(label: String) -> HTML {
    var y = Self.top
    var body = ""
    var separators = ""
    for (index, step) in steps.enumerated() {
      if partStarts.contains(index) {
        separators += "<path class=\"draw-part\" d=\"M0 \(y + 9).5H\(Self.width)\"></path>"
        y += Self.partGap
      }
      body += draw(step, number: index + 1, y: y + 32)
      y += Self.stepHeight
    }
    let bottom = y + 10
    var frame = ""
    for (name, x) in zip(lanes, Self.laneX) {
      frame += """
        <path class="draw-edge" d="M\(x).5 30V\(bottom)"></path>\
        <text class="draw-text draw-strong draw-middle" x="\(x)" y="18">\(HTML(escaping: name).text)</text>
        """
    }
    return HTML(
      trusted: """
        <svg class="draw" viewBox="0 0 \(Self.width) \(bottom + 2)" role="img" \
        aria-label="\(HTML(escaping: label).text)">\(separators)\(frame)\(body)</svg>
        """)
  }

  private func draw(_ step: Step, number: Int, y: Int) -> String {
    let (start, end) = (Self.laneX[step.from], Self.laneX[step.to])
    let ink = "ink-\(step.tone.rawValue)"
    // Words stand over the arrow, on the side where it begins if it crosses a lane; before the number
    // where nothing is told to anybody.
    let crossed = Self.laneX.filter { min(start, end) < $0 && $0 < max(start, end) }
    let middle = (start + (crossed.first ?? end)) / 2
    let isInPlace = step.from == step.to
    let place =
      isInPlace
      ? "draw-figure draw-halo\" x=\"\(start - 16)\" y=\"\(y + 4)"
      : "draw-text draw-middle draw-halo\" x=\"\(middle)\" y=\"\(y - 11)"
    let words = """
      <text class="draw-small-text \(place)">\(HTML(escaping: step.label).text)</text>
      """
    let number = """
      <circle class="draw-number" cx="\(start)" cy="\(y)" r="9"></circle>\
      <text class="draw-text draw-number-text draw-middle" x="\(start)" y="\(y + 4)">\(number)</text>
      """
    if isInPlace {
      return words + number
    }
    let direction = end > start ? 1 : -1
    let tip = end - 2 * direction
    return """
      <path class="draw-line \(ink)" d="M\(start) \(y)H\(tip)M\(tip - 7 * direction) \(y - 5)L\(tip) \(y)L\(tip - 7 * direction) \(y + 5)"></path>\
      \(words)\(number)
      """
  }
}
