/// A canvas as a PNG file (RFC 2083): true colour, eight bits, unfiltered rows.
enum PNG {
  static func encode(_ canvas: Canvas) throws -> [UInt8] {
    var rows: [UInt8] = []
    let stride = canvas.width * 3
    rows.reserveCapacity((stride + 1) * canvas.height)
    for row in 0..<canvas.height {
      rows.append(0)
      rows.append(contentsOf: canvas.pixels[(row * stride)..<((row + 1) * stride)])
    }
    return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
      + chunk("IHDR", bigEndian(canvas.width) + bigEndian(canvas.height) + [8, 2, 0, 0, 0])
      + chunk("IDAT", try Gzip.deflate(rows)) + chunk("IEND", [])
  }

  private static func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + data
    return bigEndian(data.count) + body + bigEndian(Int(checksum(body)))
  }

  private static func bigEndian(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in
      value & 1 == 1 ? 0xedb8_8320 ^ (value >> 1) : value >> 1
    }
  }

  /// CRC-32 as PNG has it.
  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { table[Int(($0 ^ UInt32($1)) & 0xff)] ^ ($0 >> 8) }
  }
}
