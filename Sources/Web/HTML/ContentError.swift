/// A file that ships with the product cannot be used. Found at boot, so the process does not start.
struct ContentError: Error, Equatable, CustomStringConvertible {
  /// Path below the product's root, such as `Templates/dashboard/customer.mustache`.
  let file: String
  let message: String

  var description: String { "\(file): \(message)" }
}

/// Ceilings for files that are read at boot.
enum ContentLimits {
  static let markdownBytes = 512 * 1024
  static let assetBytes = 2 * 1024 * 1024
  /// Below this a compressed body saves less than its header costs.
  static let gzipFromBytes = 256
}
