/// The front matter of `content/<language>/faq.md`.
struct FAQContent: SiteContent {
  static let template = TemplateName.faq

  struct Group: Decodable, Sendable {
    var heading: String
    /// What links from elsewhere end in.
    var id: String
    var items: [SiteQuestion]
  }

  var title: String
  var description: String
  var lede: String
  var groups: [Group]

  var questions: [SiteQuestion] { groups.flatMap(\.items) }

  func model(_ page: SiteContext) throws -> [String: TemplateValue] {
    [
      "lede": .text(lede),
      "groups": .records(groups) { group in
        [
          "group_heading": .text(group.heading), "id": .text(group.id),
          "items": .records(group.items) {
            ["question": .text($0.question), "answer": .html($0.answer.html)]
          },
        ]
      },
    ]
  }
}
