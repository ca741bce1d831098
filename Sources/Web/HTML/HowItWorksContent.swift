/// The front matter of `content/<language>/how-it-works.md`.
struct HowItWorksContent: SiteContent {
  static let template = TemplateName.howItWorks

  struct Step: Decodable, Sendable {
    /// Numbers of lanes, counted from 0; the same twice where something happens in one place.
    var from: Int
    var to: Int
    var tone: Tone
    /// On the arrow: a few words.
    var label: String
    var title: String
    var text: ProseText
  }

  struct Part: Decodable, Sendable {
    var heading: String
    /// How many of the steps belong to it.
    var steps: Int
  }

  struct Way: Decodable, Sendable {
    var title: String
    var text: ProseText
  }

  struct Ways: Decodable, Sendable {
    var heading: String
    var lede: String
    var items: [Way]
  }

  struct Diagram: Decodable, Sendable {
    /// What it shows, for those who do not see it; the list beneath says it step by step.
    var label: String
    var lanes: [String]
  }

  var title: String
  var description: String
  var lede: String
  var diagram: Diagram
  var parts: [Part]
  var steps: [Step]
  var ways: Ways
  var ask: String
  var docs: String

  func model(_ page: SiteContext) throws -> [String: TemplateValue] {
    guard diagram.lanes.count == SequenceDiagram.laneCount,
      steps.allSatisfy({
        diagram.lanes.indices.contains($0.from) && diagram.lanes.indices.contains($0.to)
      })
    else {
      throw ContentError(
        file: page.file, key: "diagram",
        message:
          "front matter `diagram` must have \(SequenceDiagram.laneCount) lanes, and steps go from one to one of them"
      )
    }
    guard parts.reduce(0, { $0 + $1.steps }) == steps.count else {
      throw ContentError(
        file: page.file, key: "parts",
        message: "front matter `parts` do not add up to \(steps.count) steps")
    }
    var first = 0
    var rows: [TemplateValue] = []
    for part in parts {
      let own = Array(steps.enumerated())[first..<(first + part.steps)]
      rows.append([
        "part": .text(part.heading), "start": .text(String(first + 1)),
        "steps": .records(Array(own)) { index, step in
          [
            "number": .text(String(index + 1)), "tone": .text(step.tone.rawValue),
            "step_title": .text(step.title), "text": .html(step.text.line),
          ]
        },
      ])
      first += part.steps
    }
    let drawing = SequenceDiagram(
      lanes: diagram.lanes,
      steps: steps.map { .init(from: $0.from, to: $0.to, tone: $0.tone, label: $0.label) },
      partStarts: Set(
        parts.dropLast().indices.map { index in
          parts[...index].reduce(0) { $0 + $1.steps }
        }))
    return [
      "lede": .text(lede), "drawing": .html(drawing.svg(label: diagram.label)),
      "parts": .list(rows), "prose": .html(page.body.html),
      "ways": [
        "ways_heading": .text(ways.heading), "ways_lede": .text(ways.lede),
        "items": .records(ways.items) {
          ["way_title": .text($0.title), "text": .html($0.text.line)]
        },
      ],
      "ask": .text(Links.pilot(page.frame.language)), "ask_label": .text(ask),
      "docs_label": .text(docs),
    ]
  }
}
