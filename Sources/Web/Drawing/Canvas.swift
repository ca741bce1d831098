/// A picture in memory: one byte a channel, three channels a pixel, without transparency.
struct Canvas: Sendable {
  struct Colour: Sendable, Equatable {
    let red, green, blue: UInt8

    /// Such as `0xfbfaf7`.
    init(_ value: UInt32) {
      red = UInt8(truncatingIfNeeded: value >> 16)
      green = UInt8(truncatingIfNeeded: value >> 8)
      blue = UInt8(truncatingIfNeeded: value)
    }
  }

  let width: Int
  let height: Int
  private(set) var pixels: [UInt8]

  init(width: Int, height: Int, ground: Colour) {
    self.width = width
    self.height = height
    let row = [ground.red, ground.green, ground.blue]
    pixels = []
    pixels.reserveCapacity(width * height * 3)
    for _ in 0..<(width * height) { pixels.append(contentsOf: row) }
  }

  mutating func fill(x: Int, y: Int, width: Int, height: Int, _ colour: Colour) {
    for row in max(0, y)..<min(self.height, y + height) {
      for column in max(0, x)..<min(self.width, x + width) {
        put(column, row, colour, 255)
      }
    }
  }

  /// Lines with round ends. Where they meet, the picture is as dark as one of them.
  mutating func stroke(_ lines: [[Point]], width: Double, _ colour: Colour) {
    let points = lines.joined()
    guard let first = points.first else { return }
    var (left, right, top, bottom) = (first.x, first.x, first.y, first.y)
    for point in points {
      left = min(left, point.x)
      right = max(right, point.x)
      top = min(top, point.y)
      bottom = max(bottom, point.y)
    }
    let reach = width / 2 + 1
    var mask = Mask(
      x: max(0, Int(left - reach)), y: max(0, Int(top - reach)),
      endX: min(self.width, Int(right + reach) + 1), endY: min(height, Int(bottom + reach) + 1))
    for line in lines {
      guard line.count > 1 else { continue }
      for index in 1..<line.count { mask.add(line[index - 1], line[index], radius: width / 2) }
    }
    for row in mask.y..<mask.endY {
      for column in mask.x..<mask.endX {
        let coverage = mask.values[(row - mask.y) * mask.width + column - mask.x]
        if coverage > 0 { put(column, row, colour, Int(coverage)) }
      }
    }
  }

  /// - Parameter x: of the text's beginning, or of its end.
  mutating func write(
    _ text: String, x: Double, baseline: Double, capHeight: Double, weight: Double,
    endsThere: Bool = false, _ colour: Colour
  ) {
    let scale = capHeight / StrokeFont.capHeight
    let start = endsThere ? x - StrokeFont.width(of: text) * scale : x
    for (offset, glyph) in StrokeFont.layout(text) {
      let lines = glyph.lines.map { line in
        line.map {
          Point(x: start + (offset + $0.x) * scale, y: baseline - $0.y * scale)
        }
      }
      stroke(lines, width: weight, colour)
    }
  }

  /// - Parameter coverage: 0–255.
  private mutating func put(_ x: Int, _ y: Int, _ colour: Colour, _ coverage: Int) {
    let index = (y * width + x) * 3
    func mix(_ old: UInt8, _ new: UInt8) -> UInt8 {
      UInt8((Int(old) * (255 - coverage) + Int(new) * coverage + 127) / 255)
    }
    pixels[index] = mix(pixels[index], colour.red)
    pixels[index + 1] = mix(pixels[index + 1], colour.green)
    pixels[index + 2] = mix(pixels[index + 2], colour.blue)
  }

  /// How much of each pixel some lines cover.
  private struct Mask {
    let x, y, endX, endY: Int
    let width: Int
    var values: [UInt8]

    init(x: Int, y: Int, endX: Int, endY: Int) {
      (self.x, self.y, self.endX, self.endY) = (x, y, max(x, endX), max(y, endY))
      width = self.endX - x
      values = Array(repeating: 0, count: width * (self.endY - y))
    }

    /// Only the pixels around the piece are looked at.
    mutating func add(_ a: Point, _ b: Point, radius: Double) {
      let reach = radius + 1
      let (dx, dy) = (b.x - a.x, b.y - a.y)
      let length = dx * dx + dy * dy
      let rows =
        max(y, Int(min(a.y, b.y) - reach))..<max(y, min(endY, Int(max(a.y, b.y) + reach) + 1))
      let columns =
        max(x, Int(min(a.x, b.x) - reach))..<max(x, min(endX, Int(max(a.x, b.x) + reach) + 1))
      for row in rows {
        for column in columns {
          let (px, py) = (Double(column) + 0.5 - a.x, Double(row) + 0.5 - a.y)
          let t = length == 0 ? 0 : min(1, max(0, (px * dx + py * dy) / length))
          let (ex, ey) = (px - t * dx, py - t * dy)
          let coverage = radius + 0.5 - (ex * ex + ey * ey).squareRoot()
          guard coverage > 0 else { continue }
          // Sixteen steps: edges are as smooth to the eye, and the file is a third smaller.
          let value = UInt8(min(1, coverage) * 15) * 17
          let index = (row - y) * width + column - x
          if values[index] < value { values[index] = value }
        }
      }
    }
  }
}
