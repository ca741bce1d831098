/// The front matter of `content/<language>/index.md`.
struct LandingContent: Decodable, Sendable {
  struct StripRow: Decodable, Sendable {
    var tone: Tone
    var what: String
    var quantity: String
    var meta: String?
  }

  struct Card: Decodable, Sendable {
    var title: String
    var text: String
    var label: String?
    var row: StripRow?
  }

  struct Cards: Decodable, Sendable {
    var heading: String
    var lede: String?
    var cards: [Card]
  }

  struct Hero: Decodable, Sendable {
    var eyebrow: String
    var headline: String
    var lede: String
    var signIn: String
    var more: String
    var caption: String
    var note: String
    var rows: [StripRow]
  }

  struct Pilot: Decodable, Sendable {
    var heading: String
    var steps: [Card]
  }

  struct Boundaries: Decodable, Sendable {
    var heading: String
    var lede: String
    var openLabel: String
    var open: [String]
    var shutLabel: String
    var shut: [String]
  }

  struct Question: Decodable, Sendable {
    var question: String
    var answer: String
  }

  struct FAQ: Decodable, Sendable {
    var heading: String
    var items: [Question]
  }

  struct Navigation: Decodable, Sendable {
    var how: String
    var pilot: String
    var questions: String
    var docs: String
  }

  struct Idea: Decodable, Sendable {
    var heading: String
  }

  struct Closing: Decodable, Sendable {
    var heading: String
    var text: String
    var signIn: String
  }

  struct Footer: Decodable, Sendable {
    var affiliation: String
  }

  var title: String
  var description: String
  var nav: Navigation
  var hero: Hero
  var problem: Cards
  var idea: Idea
  var features: Cards
  var segments: Cards
  var pilot: Pilot
  var boundaries: Boundaries
  var faq: FAQ
  var closing: Closing
  var footer: Footer
}

extension LandingContent {
  /// What the landing template draws.
  func model(body: Markdown) -> [String: TemplateValue] {
    [
      "description": .text(description),
      "login": .text(Links.login), "home": .text(Links.home),
      "nav": [
        "how": .text(nav.how), "pilot": .text(nav.pilot), "questions": .text(nav.questions),
        "docs": .text(nav.docs),
      ],
      "docs": .text(Links.docs(nil, .en)),
      "idea": ["heading": .text(idea.heading)],
      "hero": .record(hero.model),
      "problem": .record(problem.model), "features": .record(features.model),
      "segments": .record(segments.model),
      "pilot": ["heading": .text(pilot.heading), "cards": .records(pilot.steps) { $0.model }],
      "boundaries": .record(boundaries.model),
      "faq": [
        "heading": .text(faq.heading),
        "items": .records(faq.items) {
          ["question": .text($0.question), "answer": .text($0.answer)]
        },
      ],
      "closing": [
        "heading": .text(closing.heading), "text": .text(closing.text),
        "sign_in": .text(closing.signIn),
      ],
      "affiliation": .text(footer.affiliation),
      "prose": .html(body.html),
    ]
  }
}

extension LandingContent.Hero {
  fileprivate var model: [String: TemplateValue] {
    [
      "eyebrow": .text(eyebrow), "headline": .text(headline), "lede": .text(lede),
      "sign_in": .text(signIn), "more": .text(more), "caption": .text(caption),
      "note": .text(note), "rows": .records(rows) { $0.model },
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
    [
      "card_title": .text(title), "text": .text(text), "label": .optional(label),
      "row": .optional(row) { $0.model },
    ]
  }
}

extension LandingContent.Cards {
  fileprivate var model: [String: TemplateValue] {
    ["heading": .text(heading), "lede": .optional(lede), "cards": .records(cards) { $0.model }]
  }
}

extension LandingContent.Boundaries {
  fileprivate var model: [String: TemplateValue] {
    [
      "heading": .text(heading), "lede": .text(lede),
      "open_label": .text(openLabel), "open": .list(open.map { .text($0) }),
      "shut_label": .text(shutLabel), "shut": .list(shut.map { .text($0) }),
    ]
  }
}
