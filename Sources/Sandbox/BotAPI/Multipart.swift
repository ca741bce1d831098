import Foundation

/// Reads `multipart/form-data`, as far as Bot API libraries use it.
enum Multipart {
  struct Part {
    let name: String
    let isFile: Bool
    let bytes: ArraySlice<UInt8>
  }

  /// Nil when the body has not the form its boundary promises.
  static func parts(of body: [UInt8], contentType: String) -> [Part]? {
    guard let boundary = boundary(in: contentType) else { return nil }
    let delimiter = Array("--\(boundary)".utf8)
    let lineEnd = Array("\r\n".utf8)
    var parts: [Part] = []
    guard var position = find(delimiter, in: body, from: 0) else { return nil }
    while true {
      position += delimiter.count
      if body[position...].starts(with: Array("--".utf8)) { return parts }
      guard body[position...].starts(with: lineEnd) else { return nil }
      position += lineEnd.count
      guard let headEnd = find(Array("\r\n\r\n".utf8), in: body, from: position),
        let next = find(lineEnd + delimiter, in: body, from: headEnd + 2),
        let head = String(validating: body[position..<headEnd], as: UTF8.self),
        let disposition = disposition(in: head)
      else { return nil }
      let start = headEnd + 4
      parts.append(
        Part(
          name: disposition.name, isFile: disposition.isFile, bytes: body[min(start, next)..<next]
        ))
      guard parts.count <= SandboxLimits.parameterCount else { return nil }
      position = next + lineEnd.count
    }
  }

  private static func boundary(in contentType: String) -> String? {
    guard let range = contentType.range(of: "boundary=", options: .caseInsensitive) else {
      return nil
    }
    let rest = contentType[range.upperBound...].prefix { $0 != ";" }
    let boundary = rest.trimmingCharacters(in: CharacterSet(charactersIn: " \"\t"))
    return (1...70).contains(boundary.utf8.count) ? boundary : nil
  }

  private static func disposition(in head: String) -> (name: String, isFile: Bool)? {
    for line in head.components(separatedBy: "\r\n") {
      guard line.lowercased().hasPrefix("content-disposition:") else { continue }
      guard let name = parameter("name", in: line) else { return nil }
      return (name, parameter("filename", in: line) != nil)
    }
    return nil
  }

  private static func parameter(_ name: String, in line: String) -> String? {
    for field in line.split(separator: ";").dropFirst() {
      let pair = field.split(separator: "=", maxSplits: 1)
      guard pair.count == 2,
        pair[0].trimmingCharacters(in: .whitespaces).lowercased() == name
      else { continue }
      return pair[1].trimmingCharacters(in: CharacterSet(charactersIn: " \""))
    }
    return nil
  }

  private static func find(_ needle: [UInt8], in body: [UInt8], from start: Int) -> Int? {
    guard let first = needle.first, start <= body.count else { return nil }
    var index = start
    while index + needle.count <= body.count {
      guard let hit = body[index...].firstIndex(of: first), hit + needle.count <= body.count
      else { return nil }
      if body[hit..<hit + needle.count].elementsEqual(needle) { return hit }
      index = hit + 1
    }
    return nil
  }
}
