import Foundation

/// What somebody typed of a name, folded as names are stored.
struct NameQuery: Sendable, Equatable {
  let words: [String]
  /// Where it can only be a username: it was typed with its @, or as a link to it.
  let username: String?

  var text: String { words.joined(separator: " ") }
  var isEmpty: Bool { words.isEmpty }

  init(_ text: String) {
    let cut = String(String.UnicodeScalarView(text.unicodeScalars.prefix(200)))
    let folded = Customer.fold(cut)
    if let match = folded.wholeMatch(of: /(?:@|(?:https?:\/\/)?t\.me\/)([a-z0-9_]+)\/?/) {
      username = String(match.output.1)
      words = [String(match.output.1)]
    } else {
      username = nil
      words = String(
        String.UnicodeScalarView(folded.unicodeScalars.prefix(Limits.searchTextCharacters))
      ).split(whereSeparator: \.isWhitespace).map(String.init)
    }
  }

  /// As LIKE patterns in which nothing but the words count, wherever they stand; nil where the
  /// words are too short for an index of trigrams to know them.
  var patterns: [String]? { Self.patterns(words) }

  static func patterns(_ words: [String]) -> [String]? {
    guard words.contains(where: { $0.unicodeScalars.count >= 3 }) else { return nil }
    return words.map { word in
      let escaped = word.replacing("\\", with: "\\\\").replacing("%", with: "\\%")
        .replacing("_", with: "\\_")
      return "%\(escaped)%"
    }
  }

  /// How well a customer fits; less is better.
  func rank(_ customer: Customer) -> Int {
    let text = text
    let name = Customer.fold("\(customer.firstName) \(customer.lastName)")
      .split(whereSeparator: \.isWhitespace)
    let whole = name.joined(separator: " ")
    let username = customer.username.lowercased()
    if whole == text || username == text { return 0 }
    if whole.hasPrefix(text + " ") { return 1 }
    if whole.hasPrefix(text) || username.hasPrefix(text) { return 2 }
    if words.allSatisfy({ word in name.contains { $0.hasPrefix(word) } }) { return 3 }
    return 4
  }
}

/// Words that differ from one by a letter: two that changed places, one too many, another one, one
/// too few. In this order, the word itself first.
enum Spelling {
  static func variants(of word: String) -> [String] {
    let letters = Array(word.unicodeScalars)
    guard (3...20).contains(letters.count) else { return [word] }
    var variants: [[Unicode.Scalar]] = [letters]
    for place in 1..<letters.count {
      var swapped = letters
      swapped.swapAt(place - 1, place)
      variants.append(swapped)
    }
    for place in letters.indices {
      variants.append(Array(letters[..<place] + letters[(place + 1)...]))
    }
    let alphabet = Self.alphabet(of: letters)
    for place in letters.indices {
      for letter in alphabet {
        var other = letters
        other[place] = letter
        variants.append(other)
      }
    }
    for place in 0...letters.count {
      for letter in alphabet {
        var longer = letters
        longer.insert(letter, at: place)
        variants.append(longer)
      }
    }
    var seen: Set<String> = []
    return variants.map { String(String.UnicodeScalarView($0)) }.filter { seen.insert($0).inserted }
  }

  private static func alphabet(of letters: [Unicode.Scalar]) -> [Unicode.Scalar] {
    let isCyrillic = letters.contains { (0x400...0x4ff).contains($0.value) }
    let range: ClosedRange<UInt32> = isCyrillic ? 0x430...0x44f : 0x61...0x7a
    return range.compactMap(Unicode.Scalar.init)
  }
}
