import EStars

/// Bounds of the HTTP server: bytes, counts and seconds.
enum ServingLimits {
  static let jsonBodyBytes = Limits.jsonBodyBytes
  static let formBodyBytes = Limits.formBodyBytes
  static let headerFieldBytes = 16 << 10
  static let headerListBytes = 32 << 10
  static let headerFields = 100
  /// From the first byte of a request to the end of its head.
  static let headSeconds: Int64 = 10
  /// From the end of the head to the end of the body.
  static let bodySeconds: Int64 = 20
  /// A connection on which nothing happens.
  static let idleSeconds: Int64 = 75
  static let connections = 4096
}
