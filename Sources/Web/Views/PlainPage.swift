import Foundation

/// A page without a frame, for people who are not signed in yet.
struct PlainPage: Sendable {
  let renderer: Renderer
  let language: Language
  var strings: Strings { renderer.strings(language) }

  func render(
    _ template: TemplateName, title: String, _ values: [String: TemplateValue]
  ) -> String {
    renderer.page(
      template, language: language, title: title + " · eStars",
      ["heading": .text(title), "home": .text(SitePlace.home.path(language))]
        .merging(values) { _, own in own })
  }

  func field(_ field: FormField, _ problems: [FormProblem]) -> TemplateValue {
    .record(field.model(problems, context))
  }

  func summary(_ problems: [FormProblem], of fields: [FormField]) -> TemplateValue {
    problems.summary(context, of: fields)
  }

  /// Words of problems are the same wherever a form stands.
  private var context: PageContext {
    PageContext(
      frame: Frame(
        language: language, timeZone: .gmt, now: Date(timeIntervalSince1970: 0), csrfToken: "",
        operatorName: ""), renderer: renderer)
  }
}
