import Foundation

/// Everything pages are drawn with, read once at boot from the product's own files.
struct Renderer: Sendable {
  let templates: Templates
  let assets: Assets
  private let strings: [Language: Strings]
  private let stringValues: [Language: TemplateValue]
  private let english: Strings

  /// - Parameter root: the folder that holds `Templates/` and `Public/`.
  /// - Throws: `ContentError`, or what Foundation throws for a folder that cannot be read.
  init(root: URL) throws {
    let templatesFolder = root.appending(path: "Templates")
    templates = try Templates(directory: templatesFolder)
    assets = try Assets(directory: root.appending(path: "Public"))
    let english = try Self.strings(.en, in: templatesFolder)
    let portuguese = try Self.strings(.ptBR, in: templatesFolder)
    self.english = english
    strings = [.en: english, .ptBR: portuguese]
    stringValues = strings.mapValues(\.templateValue)
    try Self.check(english, against: portuguese, templates: templates)
  }

  private static func strings(_ language: Language, in folder: URL) throws -> Strings {
    let name = "strings/\(language.rawValue).yaml"
    let yaml = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    return try Strings(language: language, yaml: yaml, file: "Templates/\(name)")
  }

  private static func check(_ one: Strings, against other: Strings, templates: Templates) throws {
    for (has, lacks) in [(one, other), (other, one)] {
      if let key = has.keys.subtracting(lacks.keys).map(\.name).min() {
        throw ContentError(
          file: "Templates/strings/\(lacks.language.rawValue).yaml", message: "lacks `\(key)`")
      }
    }
    for key in one.keys where one.places(of: key) != other.places(of: key) {
      throw ContentError(
        file: "Templates/strings/\(other.language.rawValue).yaml",
        message: "`\(key.name)` must have the same {places} as in English")
    }
    if let key = templates.stringKeys.subtracting(one.keys).map(\.name).min() {
      throw ContentError(
        file: "Templates/strings/\(one.language.rawValue).yaml",
        message: "lacks `\(key)`, which a template uses")
    }
  }

  func strings(_ language: Language) -> Strings { strings[language] ?? english }

  /// Draws a page: the page's own values beside those that every page has.
  func page(
    _ name: TemplateName, language: Language, title: String, _ values: [String: TemplateValue]
  ) -> String {
    let shared: [String: TemplateValue] = [
      "lang": .text(language.rawValue), "title": .text(title),
      "assets": assets.templateValue, "t": stringValues[language] ?? .none,
    ]
    return templates.render(name, shared.merging(values) { _, own in own })
  }
}
