import Foundation

/// Where a Bot API answers, and as which environment.
///
/// The live service and a sandbox take `/bot<token>/METHOD`, Telegram's test environment
/// `/bot<token>/test/METHOD`.
public struct BotAPIEndpoint: Sendable, Hashable {
  public enum Environment: String, Codable, Sendable, CaseIterable {
    case live, test, sandbox

    /// The periods in seconds that `createInvoiceLink` takes here. The test environment has short
    /// ones alone, so that a renewal can be waited for.
    public var subscriptionPeriods: [Int] {
      switch self {
      case .live, .sandbox: [Limits.subscriptionPeriodSeconds]
      case .test: Limits.testSubscriptionPeriods
      }
    }
  }

  public let baseURL: URL
  public let environment: Environment

  public init(baseURL: URL, environment: Environment) {
    self.baseURL = baseURL
    self.environment = environment
  }

  public static let live = telegram(.live)
  public static let test = telegram(.test)

  /// A Telegram of one's own, such as `http://127.0.0.1:8081`.
  public static func sandbox(_ baseURL: URL) -> BotAPIEndpoint {
    BotAPIEndpoint(baseURL: baseURL, environment: .sandbox)
  }

  private static func telegram(_ environment: Environment) -> BotAPIEndpoint {
    var parts = URLComponents()
    parts.scheme = "https"
    parts.host = "api.telegram.org"
    return BotAPIEndpoint(
      baseURL: parts.url ?? URL(filePath: "/"), environment: environment)
  }

  /// The address of a method. It holds the token: never to be logged.
  func address(of method: String, token: BotToken) -> String {
    var base = baseURL.absoluteString
    while base.hasSuffix("/") { base.removeLast() }
    let infix = environment == .test ? "/test/" : "/"
    return "\(base)/bot\(token.secretText)\(infix)\(method)"
  }
}
