import Foundation
import Yams

/// The dashboard's words in one language, from `Templates/strings/<language>.yaml`.
///
/// The file has sections of keys. A value is text, perhaps with `{named}` places, or a plural
/// with the forms `one` and `other`.
struct Strings: Sendable {
  /// `section.key`.
  struct Key: Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    let name: String
    init(stringLiteral name: String) { self.name = name }
    init(_ name: String) { self.name = name }
  }

  private enum Phrase: Equatable {
    case text(String)
    case plural(one: String, other: String)

    var forms: [String] {
      switch self {
      case .text(let text): [text]
      case .plural(let one, let other): [one, other]
      }
    }
  }

  let language: Language
  private let phrases: [Key: Phrase]

  /// - Throws: `ContentError` naming the file and the key that is wrong.
  init(language: Language, yaml: String, file: String) throws {
    self.language = language
    let root: Any?
    do {
      root = try Yams.load(yaml: yaml)
    } catch {
      throw ContentError(file: file, message: "not valid YAML: \(error)")
    }
    guard let sections = root as? [String: Any] else {
      throw ContentError(file: file, message: "must be a mapping of sections")
    }
    var phrases: [Key: Phrase] = [:]
    for (section, value) in sections {
      guard let keys = value as? [String: Any] else {
        throw ContentError(file: file, message: "`\(section)` must be a mapping of keys")
      }
      for (key, value) in keys {
        let name = "\(section).\(key)"
        phrases[Key(name)] = try Self.phrase(value, name: name, file: file)
      }
    }
    self.phrases = phrases
    self.keys = Set(phrases.keys)
  }

  private static func phrase(_ value: Any, name: String, file: String) throws -> Phrase {
    if let text = value as? String { return .text(text) }
    if let forms = value as? [String: String], forms.count == 2,
      let one = forms["one"], let other = forms["other"]
    {
      return .plural(one: one, other: other)
    }
    throw ContentError(
      file: file, message: "`\(name)` must be text (quote it), or a mapping of `one` and `other`")
  }

  /// Keys that a template may use as they are: one form, no places.
  var plainKeys: Set<Key> {
    Set(phrases.keys.filter { phrases[$0]?.forms.count == 1 && places(of: $0).isEmpty })
  }

  let keys: Set<Key>

  /// The `{named}` places of a phrase, over all its forms.
  func places(of key: Key) -> Set<String> {
    Set(
      (phrases[key]?.forms ?? []).flatMap { form in
        form.matches(of: /\{([a-z]+)\}/).map { String($0.output.1) }
      })
  }

  /// A phrase without places. A key that does not exist shows itself; a test finds it first.
  subscript(_ key: Key) -> String { fill(key, [:], count: nil) }

  /// A phrase with its places filled in.
  func callAsFunction(_ key: Key, _ values: [String: String]) -> String {
    fill(key, values, count: nil)
  }

  /// A plural phrase, chosen by `count`. Both languages use `one` for exactly one: "0 créditos" is
  /// what Brazilians write, whatever CLDR's rule for Portuguese says.
  func callAsFunction(_ key: Key, count: Int64, _ values: [String: String]) -> String {
    fill(key, values, count: count)
  }

  private func fill(_ key: Key, _ values: [String: String], count: Int64?) -> String {
    let form: String
    switch phrases[key] {
    case .text(let text): form = text
    case .plural(let one, let other): form = count.map { $0.magnitude == 1 } == true ? one : other
    case nil: return key.name
    }
    guard !values.isEmpty else { return form }
    // One pass, so that braces inside a value (a customer's name, say) are never filled again.
    return form.replacing(/\{([a-z]+)\}/) { match in
      values[String(match.output.1)] ?? String(match.output.0)
    }
  }

  /// The table as templates see it: `t.section.key`.
  var templateValue: TemplateValue {
    var sections: [String: [String: TemplateValue]] = [:]
    for (key, phrase) in phrases {
      let parts = key.name.split(separator: ".", maxSplits: 1).map(String.init)
      guard parts.count == 2, case .text(let text) = phrase else { continue }
      sections[parts[0], default: [:]][parts[1]] = .text(text)
    }
    return .record(sections.mapValues { .record($0) })
  }
}
