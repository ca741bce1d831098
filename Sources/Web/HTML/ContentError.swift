/// A file that ships with the product cannot be used. Found at boot, so the process does not start.
struct ContentError: Error, Equatable, CustomStringConvertible {
  /// Path below the product's root, such as `Templates/dashboard/customer.mustache`.
  let file: String
  /// Counted from 1, where the fault stands in one.
  var line: Int?
  /// The first key of the front matter that it is about: whoever has read the file knows its line.
  let key: String?
  let message: String

  init(file: String, line: Int? = nil, key: String? = nil, message: String) {
    self.file = file
    self.line = line
    self.key = key
    self.message = message
  }

  var description: String { file + (line.map { ":\($0)" } ?? "") + ": " + message }
}

/// Ceilings for files that are read at boot.
enum ContentLimits {
  static let markdownBytes = 512 * 1024
  static let assetBytes = 2 * 1024 * 1024
  /// Below this a compressed body saves less than its header costs.
  static let gzipFromBytes = 256
}
