/// Why the sandbox cannot start or go on.
public enum SandboxError: Error, Sendable, CustomStringConvertible {
  case booksInUse(String)
  case books(String)
  case templates(String)

  public var description: String {
    switch self {
    case .booksInUse(let path): "The sandbox's books in \(path) are in use by another process."
    case .books(let reason): "The sandbox's books cannot be used: \(reason)."
    case .templates(let reason): "The sandbox's pages cannot be used: \(reason)."
    }
  }
}

/// Why an action of a person or of the console was not done. `status` is the HTTP status.
public struct Refusal: Error, Sendable, Hashable, CustomStringConvertible {
  public let status: Int
  /// Stable, for programs.
  public let code: String
  /// For people.
  public let message: String

  public init(_ status: Int, _ code: String, _ message: String) {
    self.status = status
    self.code = code
    self.message = message
  }

  public var description: String { message }

  static func missing(_ what: String) -> Refusal {
    Refusal(404, "not_found", "There is no such \(what).")
  }

  static func invalid(_ message: String) -> Refusal { Refusal(400, "invalid", message) }
}
