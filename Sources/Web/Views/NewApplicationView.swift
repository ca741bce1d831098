import Foundation

/// The form by which somebody asks to be let in. It is not self-serve, and says so.
struct NewApplicationView: Sendable, Equatable {
  /// What was typed.
  struct Draft: Sendable, Equatable {
    var bot = ""
    var segment = ""
    var stars = ""
    var cost = ""
    var contact = ""
    var pain = ""
    var code = ""
    var problems: [FormProblem] = []
  }

  enum Notice: Sendable, Equatable {
    /// The form was too young, too old or somebody else's: it is to be sent once more.
    case again
    /// With the private link of what stands.
    case sentBefore(String)
    case throttled(seconds: Int)
    case removed
  }

  var draft = Draft()
  /// Signed; nil on a page that nobody drew for this reader.
  var stamp: String?
  var notice: Notice?

  func render(in frame: SiteFrame) -> String {
    let t = frame.strings
    return frame.page(
      .newApplication, .init(title: t["apply.title"], description: t["apply.description"]),
      model(PlainPage(renderer: frame.renderer, language: frame.language), frame))
  }

  private func model(_ page: PlainPage, _ frame: SiteFrame) -> [String: TemplateValue] {
    let t = page.strings
    let fields = fields(t)
    return [
      "action": .text(frame.app(frame.link(.pilot))), "stamp": .optional(stamp),
      "notice": .optional(notice) { model($0, t) },
      "summary": page.summary(draft.problems, of: fields),
      "fields": .list(fields.map { page.field($0, draft.problems) }),
      "privacy": .text(frame.link(.privacy)),
    ]
  }

  private func model(_ notice: Notice, _ t: Strings) -> [String: TemplateValue] {
    switch notice {
    case .again: return ["words": .text(t["apply.again"]), "bad": true, "href": .none]
    case .sentBefore(let token):
      return [
        "words": .text(t["apply.sent_before"]), "bad": true,
        "href": .text(Links.application(token)),
      ]
    case .throttled(let seconds):
      let hours = Int64(max(1, (seconds + 3599) / 3600))
      return [
        "words": .text(t("apply.throttled", count: hours, ["n": String(hours)])), "bad": true,
        "href": .none,
      ]
    case .removed: return ["words": .text(t["apply.removed"]), "bad": false, "href": .none]
    }
  }

  private func fields(_ t: Strings) -> [FormField] {
    func field(_ id: String, _ value: String, _ kind: FormField.Kind) -> FormField {
      FormField(
        id: id, label: t[.init("apply.\(id)")], hint: t[.init("apply.\(id)_hint")], value: value,
        kind: kind)
    }
    let segments =
      [(value: "", label: t["apply.choose"])]
      + BotSegment.allCases.map {
        (value: $0.rawValue, label: t[.init("apply.segment_\($0.rawValue)")])
      }
    return [
      field("bot", draft.bot, .text(max: 100)),
      field("segment", draft.segment, .choice(segments)),
      field("stars", draft.stars, .text(max: 20, isNumber: true)),
      field("cost", draft.cost, .text(max: 200)),
      field("pain", draft.pain, .area(rows: 4, max: 2000)),
      field("contact", draft.contact, .text(max: 120)),
      field("code", draft.code, .text(max: 60)),
    ]
  }
}
