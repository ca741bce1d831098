/// The front matter of `content/<language>/index.md`.
struct LandingContent: SiteContent {
  static let template = TemplateName.landing

  struct StripRow: Decodable, Sendable {
    var tone: Tone
    var what: String
    var quantity: String
    var meta: String?
    /// Credits after it, for the line beneath the strip.
    var balance: Int?
  }

  struct Hero: Decodable, Sendable {
    var eyebrow: String
    var headline: String
    var lede: String
    var ask: String
    var more: String
    var caption: String
    var rows: [StripRow]
    /// What the line beneath the strip is, and what it shows to those who do not see it.
    var lineTitle: String
    var line: String
    var note: String
  }

  struct Card: Decodable, Sendable {
    var title: String
    var text: String
  }

  struct Problem: Decodable, Sendable {
    var heading: String
    var unpaid: Card
    var spreadsheet: Card
    var margin: Card
  }

  /// A benefit with the words of its illustration.
  struct Benefit: Decodable, Sendable {
    var title: String
    var text: String
    /// The illustration for those who do not see it.
    var label: String
    var words: [String: String]
  }

  struct Benefits: Decodable, Sendable {
    var heading: String
    var sync: Benefit
    var control: Benefit
    var support: Benefit
    var overview: Benefit
  }

  struct Example: Decodable, Sendable {
    /// How much of what comes in the work costs.
    struct Margin: Decodable, Sendable {
      var label: String
      var revenue: String
      var cost: String
      var left: String
      /// The cost's share of the revenue, in percent.
      var costPercent: Int
    }

    var caption: String
    var rows: [StripRow]
    var margin: Margin?
    var result: String
  }

  struct Segment: Decodable, Sendable {
    var title: String
    var label: String
    var text: String
    var example: Example
  }

  struct Segments: Decodable, Sendable {
    var heading: String
    var lede: String
    var cards: [Segment]
  }

  /// A figure that the product produced itself.
  struct Proof: Decodable, Sendable {
    var figure: String
    var title: String
    var text: String
  }

  struct Proofs: Decodable, Sendable {
    var heading: String
    var lede: String
    var figures: [Proof]
    var note: String
  }

  struct Pilot: Decodable, Sendable {
    var heading: String
    var lede: ProseText
    var steps: [Card]
  }

  struct FAQ: Decodable, Sendable {
    var heading: String
    var items: [SiteQuestion]
    var more: ProseText
  }

  struct Closing: Decodable, Sendable {
    var heading: String
    var text: String
    var ask: String
  }

  var title: String
  var description: String
  var hero: Hero
  var problem: Problem
  var benefits: Benefits
  var segments: Segments
  var proofs: Proofs
  var pilot: Pilot
  var faq: FAQ
  var closing: Closing
}

extension LandingContent {
  /// Of the strip, what moves Stars or credits.
  var shareWords: ShareImage.Words {
    ShareImage.Words(
      headline: hero.headline,
      rows: hero.rows.filter { $0.tone != .quiet }.map {
        .init(tone: $0.tone, what: $0.what, quantity: $0.quantity)
      })
  }

  func model(_ page: SiteContext) throws -> [String: TemplateValue] {
    let balances = hero.rows.compactMap(\.balance)
    guard balances.count > 1 else {
      throw ContentError(
        file: page.file, key: "hero",
        message: "front matter `hero.rows` needs two rows with a `balance`")
    }
    return [
      "ask": .text(Links.pilot(page.frame.language)),
      "more": .text(page.frame.link(.howItWorks)),
      "hero": .record(hero.model),
      "problem": .record(problem.model),
      "benefits": .record(benefits.model),
      "segments": [
        "heading": .text(segments.heading), "lede": .text(segments.lede),
        "cards": .records(segments.cards) { $0.model },
      ],
      "proofs": [
        "heading": .text(proofs.heading), "lede": .text(proofs.lede), "note": .text(proofs.note),
        "figures": .records(proofs.figures) {
          ["figure": .text($0.figure), "card_title": .text($0.title), "text": .text($0.text)]
        },
      ],
      "pilot": [
        "heading": .text(pilot.heading), "lede": .html(pilot.lede.line),
        "steps": .records(pilot.steps) { $0.model },
      ],
      "faq_part": [
        "heading": .text(faq.heading), "more": .html(faq.more.line),
        "items": .records(faq.items) {
          ["question": .text($0.question), "answer": .html($0.answer.html)]
        },
      ],
      "closing": [
        "heading": .text(closing.heading), "text": .text(closing.text),
        "ask_label": .text(closing.ask),
      ],
    ]
  }
}

extension LandingContent.Hero {
  fileprivate var model: [String: TemplateValue] {
    [
      "eyebrow": .text(eyebrow), "headline": .text(headline), "lede": .text(lede),
      "ask_label": .text(ask), "more_label": .text(more), "caption": .text(caption),
      "note": .text(note), "rows": .records(rows) { $0.model },
      "line_title": .text(lineTitle),
      "drawing": .html(BalanceLine(rows.compactMap(\.balance)).svg(label: line)),
    ]
  }
}

extension LandingContent.StripRow {
  fileprivate var model: [String: TemplateValue] {
    [
      "tone": .text(tone.rawValue), "what": .text(what), "quantity": .text(quantity),
      "meta": .optional(meta),
    ]
  }
}

extension LandingContent.Card {
  fileprivate var model: [String: TemplateValue] {
    ["card_title": .text(title), "text": .text(text)]
  }
}

extension LandingContent.Problem {
  fileprivate var model: [String: TemplateValue] {
    [
      "heading": .text(heading), "unpaid": .record(unpaid.model),
      "spreadsheet": .record(spreadsheet.model), "margin": .record(margin.model),
    ]
  }
}

extension LandingContent.Benefits {
  fileprivate var model: [String: TemplateValue] {
    func benefit(_ benefit: LandingContent.Benefit) -> TemplateValue {
      [
        "card_title": .text(benefit.title), "text": .text(benefit.text),
        "label": .text(benefit.label), "w": .record(benefit.words.mapValues { .text($0) }),
      ]
    }
    return [
      "heading": .text(heading), "sync": benefit(sync), "control": benefit(control),
      "support": benefit(support), "overview": benefit(overview),
    ]
  }
}

extension LandingContent.Segment {
  fileprivate var model: [String: TemplateValue] {
    [
      "card_title": .text(title), "label": .text(label), "text": .text(text),
      "caption": .text(example.caption), "rows": .records(example.rows) { $0.model },
      "result": .text(example.result),
      "margin": .optional(example.margin) {
        [
          "label": .text($0.label), "revenue": .text($0.revenue), "cost": .text($0.cost),
          "left": .text($0.left), "drawing": .html(MarginBar(costPercent: $0.costPercent).svg),
        ]
      },
    ]
  }
}
