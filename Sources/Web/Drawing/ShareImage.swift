import Synchronization

/// The picture that shows where a page is linked: the first words of the home page and its ledger
/// strip, drawn here, since a server has no fonts.
struct ShareImage: Sendable {
  struct Row: Sendable, Hashable {
    var tone: Tone
    var what: String
    var quantity: String
  }

  struct Words: Sendable, Hashable {
    var headline: String
    var rows: [Row]
  }

  static let width = 1200
  static let height = 630

  /// Words without a glyph; nil when all can be drawn.
  static func missing(in words: Words) -> Character? {
    StrokeFont.missing(in: words.headline)
      ?? words.rows.lazy.compactMap { StrokeFont.missing(in: $0.what + $0.quantity) }.first
  }

  /// A PNG file. The same words make the same bytes.
  static func png(_ words: Words) throws -> [UInt8] {
    if let drawn = drawn.withLock({ $0[words] }) { return drawn }
    let bytes = try PNG.encode(draw(words))
    drawn.withLock { $0[words] = bytes }
    return bytes
  }

  /// Drawing takes longer than all else at boot, and a process boots once but tests boot often.
  private static let drawn = Mutex<[Words: [UInt8]]>([:])

  private static let paper = Canvas.Colour(0xfbfaf7)
  private static let sheet = Canvas.Colour(0xf2f0e9)
  private static let ink = Canvas.Colour(0x14171f)
  private static let quiet = Canvas.Colour(0x575c68)
  private static let line = Canvas.Colour(0xdcd8cc)

  /// The stylesheet's light theme: of words, of dots.
  private static func colours(_ tone: Tone) -> (Canvas.Colour, Canvas.Colour) {
    switch tone {
    case .stars: (Canvas.Colour(0x855500), Canvas.Colour(0xdd9a12))
    case .in: (Canvas.Colour(0x17693f), Canvas.Colour(0x2f9a63))
    case .use: (Canvas.Colour(0x3d44b5), Canvas.Colour(0x5b63d8))
    case .back: (Canvas.Colour(0xb0241c), Canvas.Colour(0xd13a30))
    case .quiet: (quiet, Canvas.Colour(0x85806f))
    }
  }

  static func draw(_ words: Words) -> Canvas {
    var canvas = Canvas(width: width, height: height, ground: paper)
    brand(&canvas)
    headline(words.headline, &canvas)
    strip(Array(words.rows.prefix(5)), &canvas)
    return canvas
  }

  private static func brand(_ canvas: inout Canvas) {
    func bar(_ x: Double, _ y: Double, _ endX: Double, _ endY: Double, _ colour: Canvas.Colour) {
      canvas.stroke([[Point(x: x, y: y), Point(x: endX, y: endY)]], width: 5, colour)
    }
    bar(76, 66, 76, 106, ink)
    bar(76, 74, 104, 74, colours(.stars).1)
    bar(76, 86, 94, 86, colours(.in).1)
    bar(76, 98, 86, 98, colours(.use).1)
    canvas.write("eStars", x: 120, baseline: 99, capHeight: 27, weight: 4.6, ink)
  }

  private static func headline(_ text: String, _ canvas: inout Canvas) {
    let capHeight = 43.0
    let lines = wrapped(text, width: 540 / (capHeight / StrokeFont.capHeight))
    var baseline = 345 - Double(lines.count - 1) * 38
    for line in lines {
      canvas.write(line, x: 72, baseline: baseline, capHeight: capHeight, weight: 7.5, ink)
      baseline += 76
    }
  }

  private static func wrapped(_ text: String, width: Double) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, StrokeFont.width(of: "\(last) \(word)") <= width {
        lines[lines.count - 1] = "\(last) \(word)"
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }

  private static func strip(_ rows: [Row], _ canvas: inout Canvas) {
    canvas.fill(x: 672, y: 64, width: 464, height: 502, line)
    canvas.fill(x: 673, y: 65, width: 462, height: 500, sheet)
    let (top, step) = (112.0, 92.0)
    canvas.stroke(
      [[Point(x: 716, y: top), Point(x: 716, y: top + step * Double(rows.count - 1))]], width: 2,
      Canvas.Colour(0x85806f))
    for (index, row) in rows.enumerated() {
      let y = top + step * Double(index)
      let (word, dot) = colours(row.tone)
      let here = Point(x: 716, y: y)
      canvas.stroke([[here, here]], width: 30, sheet)
      canvas.stroke([[here, here]], width: 18, dot)
      canvas.write(
        row.quantity, x: 748, baseline: y + 11, capHeight: 24, weight: 4, word)
      canvas.write(row.what, x: 748, baseline: y + 43, capHeight: 13.5, weight: 2.1, quiet)
    }
  }
}
