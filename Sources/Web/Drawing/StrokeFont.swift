/// Letters as lines of one width, for pictures that are drawn where no font is installed. Coordinates
/// are units with the baseline at 0, small letters 10 high, capitals 14.
enum StrokeFont {
  struct Glyph: Sendable {
    let width: Double
    /// Polylines.
    let lines: [[Point]]
  }

  static let capHeight = 14.0
  /// Between letters.
  private static let gap = 2.2

  /// - Returns: nil for a character that has no glyph.
  static func glyph(_ character: Character) -> Glyph? { glyphs[character] }

  static func width(of text: String) -> Double {
    max(0, text.reduce(0) { $0 + (glyphs[$1]?.width ?? 0) + gap } - gap)
  }

  /// Each glyph of a text with the place where it begins.
  static func layout(_ text: String) -> [(x: Double, glyph: Glyph)] {
    var x = 0.0
    return text.compactMap { character in
      guard let glyph = glyphs[character] else { return nil }
      defer { x += glyph.width + gap }
      return (x, glyph)
    }
  }

  /// The first character that cannot be drawn.
  static func missing(in text: String) -> Character? { text.first { glyphs[$0] == nil } }

  private static let bowl = "M8 5Q8 10 4.5 10Q1 10 1 5Q1 0 4.5 0Q8 0 8 5"
  private static let leftBowl = "M1 5Q1 10 4.5 10Q8 10 8 5Q8 0 4.5 0Q1 0 1 5"
  private static let dotless = "M1.5 10L1.5 0"

  /// Width, then `M`ove, `L`ine and `Q`uadratic curve as SVG has them, upside up.
  private static let drawings: [Character: (Double, String)] = [
    " ": (4.5, ""),
    "a": (9, "M8 10L8 0" + bowl), "b": (9, "M1 14L1 0" + leftBowl),
    "c": (8, "M7.6 8.4Q6.6 10 4.5 10Q1 10 1 5Q1 0 4.5 0Q6.6 0 7.6 1.6"),
    "d": (9, "M8 14L8 0" + bowl),
    "e": (9, "M1 5L8 5Q8 10 4.5 10Q1 10 1 5Q1 0 4.7 0Q6.8 0 7.7 1.8"),
    "f": (6, "M6 13.8Q3 14.6 3 11L3 0M.5 10L5.6 10"),
    "g": (9, bowl + "M8 10L8 -.5Q8 -4.4 4.6 -4.4Q2.6 -4.4 1.4 -3"),
    "h": (9, "M1 14L1 0M1 6Q1 10 4.5 10Q8 10 8 6L8 0"), "i": (3, dotless + "M1.5 13.5L1.5 13.6"),
    "j": (3.5, "M2 10L2 -1.5Q2 -4.5 -.6 -4.3M2 13.5L2 13.6"),
    "k": (8, "M1 14L1 0M7.4 10L1 3.8M3.6 6.3L8 0"), "l": (3, "M1.5 14L1.5 0"),
    "m": (14, "M1 10L1 0M1 6Q1 10 4 10Q7 10 7 6L7 0M7 6Q7 10 10 10Q13 10 13 6L13 0"),
    "n": (9, "M1 10L1 0M1 6Q1 10 4.5 10Q8 10 8 6L8 0"),
    "o": (9.5, "M1 5Q1 10 4.75 10Q8.5 10 8.5 5Q8.5 0 4.75 0Q1 0 1 5"),
    "p": (9, "M1 10L1 -4.4" + leftBowl), "q": (9, "M8 10L8 -4.4" + bowl),
    "r": (6, "M1 10L1 0M1 5.5Q1 10.2 5.6 9.8"),
    "s": (
      8,
      "M7 8.5Q6 10 4 10Q1.2 10 1.2 7.6Q1.2 5.6 4 5.1Q7.2 4.5 7.2 2.5Q7.2 0 4 0Q1.6 0 .8 1.7"
    ),
    "t": (6.5, "M3 13L3 3Q3 -.2 6.2 .2M.5 10L6 10"),
    "u": (9, "M1 10L1 4Q1 0 4.5 0Q8 0 8 4M8 10L8 0"), "v": (9, "M.8 10L4.5 0L8.2 10"),
    "w": (13.6, "M.8 10L3.8 0L6.8 10L9.8 0L12.8 10"), "x": (9, "M1 10L8 0M8 10L1 0"),
    "y": (9, "M.8 10L4.5 0M8.2 10L3.8 -2.2Q3 -4.4 .9 -4.3"), "z": (8.5, "M1 10L7.5 10L1 0L7.8 0"),
    "A": (11, "M.5 0L5.5 14L10.5 0M2.3 5L8.7 5"),
    "B": (
      10.2,
      "M1 0L1 14L5 14Q8.6 14 8.6 10.7Q8.6 7.4 5 7.4L1 7.4M5 7.4Q9.4 7.4 9.4 3.7Q9.4 0 5 0L1 0"
    ),
    "C": (10.5, "M10 11.4Q8.6 14 6 14Q1 14 1 7Q1 0 6 0Q8.6 0 10 2.6"),
    "D": (11.5, "M1 0L1 14L4.5 14Q10.5 14 10.5 7Q10.5 0 4.5 0L1 0"),
    "E": (9, "M8.5 14L1 14L1 0L8.5 0M1 7.3L7.5 7.3"), "F": (8.7, "M8.5 14L1 14L1 0M1 7.3L7.5 7.3"),
    "G": (11.3, "M10 11.4Q8.6 14 6 14Q1 14 1 7Q1 0 6 0Q10.3 0 10.3 6.5L6.5 6.5"),
    "H": (11, "M1 0L1 14M10 0L10 14M1 7.3L10 7.3"), "I": (3, "M1.5 0L1.5 14"),
    "J": (7, "M6 14L6 4Q6 0 3 0Q1 0 .5 2"), "K": (9.7, "M1 0L1 14M9 14L1 5.5M4 8.7L9.5 0"),
    "L": (8.4, "M1 14L1 0L8 0"), "M": (13, "M1 0L1 14L6.5 4L12 14L12 0"),
    "N": (11, "M1 0L1 14L10 0L10 14"),
    "O": (12.4, "M1 7Q1 14 6.2 14Q11.4 14 11.4 7Q11.4 0 6.2 0Q1 0 1 7"),
    "P": (10, "M1 0L1 14L5.5 14Q9.5 14 9.5 10Q9.5 6 5.5 6L1 6"),
    "Q": (12.4, "M1 7Q1 14 6.2 14Q11.4 14 11.4 7Q11.4 0 6.2 0Q1 0 1 7M7.6 3.6L11.2 -.6"),
    "R": (10.2, "M1 0L1 14L5.5 14Q9.5 14 9.5 10Q9.5 6 5.5 6L1 6M5.2 6L9.8 0"),
    "S": (
      10.2,
      "M9 11.7Q7.8 14 5 14Q1.3 14 1.3 10.7Q1.3 7.9 5 7.2Q9.4 6.4 9.4 3.5Q9.4 0 5 0Q1.8 0 .8 2.4"
    ),
    "T": (10, "M.5 14L9.5 14M5 14L5 0"), "U": (11, "M1 14L1 5Q1 0 5.5 0Q10 0 10 5L10 14"),
    "V": (10.6, "M.5 14L5.3 0L10.1 14"), "W": (15, "M.5 14L4 0L7.5 14L11 0L14.5 14"),
    "X": (10.5, "M1 14L9.5 0M9.5 14L1 0"), "Y": (10, "M.5 14L5 7L9.5 14M5 7L5 0"),
    "Z": (10, "M1 14L9 14L1 0L9.3 0"),
    "0": (9.5, "M1 7Q1 14 4.75 14Q8.5 14 8.5 7Q8.5 0 4.75 0Q1 0 1 7"),
    "1": (9.5, "M2 11.3L5.2 14L5.2 0"),
    "2": (9.5, "M1.2 10.5Q1.2 14 4.8 14Q8.3 14 8.3 10.6Q8.3 8.4 6 6L1 0L8.7 0"),
    "3": (9.5, "M1.3 14L8 14L4.4 8.4Q8.6 8.4 8.6 4.3Q8.6 0 4.5 0Q1.8 0 .9 2.3"),
    "4": (9.5, "M6.6 0L6.6 14L.8 4L9 4"),
    "5": (9.5, "M8 14L2 14L1.5 7.8Q2.8 9 4.7 9Q8.6 9 8.6 4.5Q8.6 0 4.5 0Q1.8 0 .9 2.3"),
    "6": (
      9.5, "M7.6 12.3Q6.6 14 4.9 14Q1 14 1 6.5Q1 0 4.8 0Q8.6 0 8.6 4.3Q8.6 8.5 4.8 8.5Q1.6 8.5 1 5"
    ),
    "7": (9.5, "M1 14L8.6 14L3.5 0"),
    "8": (
      9.5,
      "M4.75 7.5Q1.5 7.5 1.5 10.8Q1.5 14 4.75 14Q8 14 8 10.8Q8 7.5 4.75 7.5Q1 7.5 1 3.8Q1 0 4.75 0Q8.5 0 8.5 3.8Q8.5 7.5 4.75 7.5"
    ),
    "9": (
      9.5,
      "M1.9 1.7Q2.9 0 4.6 0Q8.5 0 8.5 7.5Q8.5 14 4.7 14Q.9 14 .9 9.7Q.9 5.5 4.7 5.5Q7.9 5.5 8.5 9"
    ),
    ".": (3, "M1.5 .2L1.5 .3"), ",": (3, "M1.7 .4L.9 -2.2"),
    ":": (3, "M1.5 .2L1.5 .3M1.5 7.8L1.5 7.9"),
    "·": (3, "M1.5 5.6L1.5 5.7"), "+": (9.5, "M1 6L8.5 6M4.75 2.2L4.75 9.8"),
    "−": (9.5, "M1 6L8.5 6"), "-": (6, "M1 5.4L5 5.4"), "/": (6.5, "M.5 -1.5L6 15"),
    "?": (8, "M.8 11Q1.2 14 4.2 14Q7.6 14 7.6 11Q7.6 8.8 5.6 7.6Q4 6.6 4 4.4M4 .2L4 .3"),
    "★": (
      14,
      "M7 13.4L8.9 8.6L13.6 8.2L10 5L11.2 .2L7 2.9L2.8 .2L4 5L.4 8.2L5.1 8.6L7 13.4"
        + "M7 10.5L8 7.4L11 7.2L8.6 5.2L9.4 2.6L7 4.4L4.6 2.6L5.4 5.2L3 7.2L6 7.4L7 10.5M7 8L6 5.6L8.2 5.6L7 8"
    ),
  ]

  /// Letters with a mark: the letter, and the mark over or under its middle.
  private static let marked: [Character: (base: String, width: Double, mark: String)] = {
    let acute = "M-.6 12L1.4 14.2"
    let tilde = "M-2.8 12.2Q-1.4 14.2 0 13Q1.4 11.8 2.8 13.6"
    let roof = "M-2.2 12L0 14L2.2 12"
    let cedilla = "M.3 0L0 -1.6Q2.2 -1.8 1.6 -3.4Q1.2 -4.4 -.8 -4"
    var marked: [Character: (base: String, width: Double, mark: String)] = [
      "í": (dotless, 3, acute)
    ]
    for (letter, base, mark) in [
      ("á", "a", acute), ("é", "e", acute), ("ó", "o", acute), ("ú", "u", acute),
      ("ã", "a", tilde), ("õ", "o", tilde), ("â", "a", roof), ("ê", "e", roof), ("ô", "o", roof),
      ("ç", "c", cedilla),
    ] as [(Character, Character, String)] {
      guard let (width, drawing) = drawings[base] else { continue }
      marked[letter] = (drawing, width, mark)
    }
    return marked
  }()

  private static let glyphs: [Character: Glyph] = {
    var glyphs = drawings.mapValues { Glyph(width: $0.0, lines: StrokePath.lines($0.1)) }
    for (letter, parts) in marked {
      let middle = parts.width / 2
      let mark = StrokePath.lines(parts.mark).map { line in
        line.map { Point(x: $0.x + middle, y: $0.y) }
      }
      glyphs[letter] = Glyph(width: parts.width, lines: StrokePath.lines(parts.base) + mark)
    }
    return glyphs
  }()
}

struct Point: Sendable, Equatable {
  var x: Double
  var y: Double
}

/// Drawings as text, made into polylines.
enum StrokePath {
  /// A curve is as many straight pieces.
  private static let pieces = 8

  static func lines(_ source: String) -> [[Point]] {
    var lines: [[Point]] = []
    for match in source.matches(of: /([MLQ])([^MLQ]*)/) {
      let numbers = match.output.2.replacing("-", with: " -").split(separator: " ").compactMap {
        Double($0)
      }
      switch match.output.1 {
      case "M": lines.append([Point(x: numbers[0], y: numbers[1])])
      case "L": lines[lines.count - 1].append(Point(x: numbers[0], y: numbers[1]))
      default:
        guard let start = lines.last?.last else { continue }
        for piece in 1...pieces {
          let t = Double(piece) / Double(pieces)
          let (a, b, c) = ((1 - t) * (1 - t), 2 * t * (1 - t), t * t)
          lines[lines.count - 1].append(
            Point(
              x: a * start.x + b * numbers[0] + c * numbers[2],
              y: a * start.y + b * numbers[1] + c * numbers[3]))
        }
      }
    }
    return lines
  }
}
