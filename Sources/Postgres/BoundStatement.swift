/// A statement made ready to send: its text and its values as NUL-terminated bytes in one buffer.
struct BoundStatement: Sendable {
  let text: String
  private let bytes: [CChar]
  /// Where each value starts in `bytes`; nil is NULL.
  private let offsets: [Int?]

  /// Throws `.encoding` for what the protocol cannot carry, before anything is sent.
  init(_ sql: SQL) throws {
    text = sql.text
    guard !text.utf8.contains(0) else {
      throw PostgresError(.encoding, "the statement's text contains a NUL byte")
    }
    let values = sql.values
    guard values.count <= Limits.parameters else {
      throw PostgresError(.encoding, "a statement has at most \(Limits.parameters) values")
    }
    var bytes: [CChar] = []
    var offsets: [Int?] = []
    offsets.reserveCapacity(values.count)
    for (index, value) in values.enumerated() {
      guard let value else {
        offsets.append(nil)
        continue
      }
      offsets.append(bytes.count)
      var text = value
      let hasNUL = text.withUTF8 { utf8 in
        bytes.append(contentsOf: utf8.lazy.map(CChar.init(bitPattern:)))
        return utf8.contains(0)
      }
      if hasNUL {
        throw PostgresError(.encoding, "value $\(index + 1) contains a NUL byte")
      }
      bytes.append(0)
    }
    self.bytes = bytes
    self.offsets = offsets
  }

  /// Calls `body` with what libpq's `paramValues` wants.
  func withParameters<T>(
    _ body: (Int32, UnsafePointer<UnsafePointer<CChar>?>?) -> T
  ) -> T {
    bytes.withUnsafeBufferPointer { buffer in
      let pointers = offsets.map { offset in offset.flatMap { buffer.baseAddress?.advanced(by: $0) }
      }
      return pointers.withUnsafeBufferPointer { body(Int32(offsets.count), $0.baseAddress) }
    }
  }
}
