import EStars
import Foundation

extension [NameDraft] {
  /// Languages that every form offers.
  private static let offered = ["en", "pt-br", "es", "ru"]

  /// The languages that are offered, and those that the product has besides.
  init(_ names: [ProductName]) {
    let known = Dictionary(names.map { ($0.language, $0) }) { first, _ in first }
    let languages = Self.offered + names.map(\.language).filter { !Self.offered.contains($0) }
    self = languages.map {
      NameDraft(
        language: $0, title: known[$0]?.title ?? "", description: known[$0]?.description ?? "")
    }
  }

  /// The same languages with what was typed.
  init(_ names: [ProductName], typed: (String) -> String) {
    self = [NameDraft](names).map { NameDraft($0.language, $0.language, typed: typed) }
  }

  /// The words that the form describes; a language without any has none.
  ///
  /// - Parameter other: one more language, that the list has not.
  func names(and other: NameDraft, _ problems: inout [FormProblem]) -> [ProductName] {
    var names: [ProductName] = []
    func add(_ name: NameDraft, _ id: String, _ language: String) {
      problems += name.problems("title:\(id)", "description:\(id)")
      names.append(
        ProductName(language: language, title: name.title, description: name.description))
    }
    for name in self where !(name.title + name.description).isEmpty {
      add(name, name.language, name.language)
    }
    guard other != NameDraft(language: "") else { return names }
    guard let language = PaywallText.tag(other.language) else {
      problems.append(FormProblem(field: "language", kind: .language))
      return names
    }
    if contains(where: { $0.language == language }) {
      problems.append(FormProblem(field: "language", kind: .taken))
    } else if names.count >= Limits.productLanguages {
      problems.append(FormProblem(field: "language", kind: .tooMany(max: Limits.productLanguages)))
    } else {
      add(other, "other", language)
    }
    return names
  }
}

extension NameDraft {
  /// - Parameter id: what the names of the language's fields end in.
  init(_ language: String, _ id: String, typed: (String) -> String) {
    self.init(
      language: language, title: typed("title:\(id)"), description: typed("description:\(id)"))
  }

  /// What Telegram's invoices hold: 32 and 255 characters. Where one is empty, so must be the other.
  fileprivate func problems(_ titleField: String, _ descriptionField: String) -> [FormProblem] {
    [
      Typed.problem(with: title, in: titleField, max: 32),
      Typed.problem(with: description, in: descriptionField, max: 255),
    ].compactMap { $0 }
  }
}
