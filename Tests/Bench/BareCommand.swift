import ArgumentParser
import Foundation
import Hummingbird
import Logging
import NIOCore

/// Hummingbird with next to nothing behind it: what the product's routes are compared with.
struct BareCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "bare")

  @Option var port: Int
  /// The file whose bytes `/` answers.
  @Option var page: String

  private struct Sent: Decodable {
    let user: Int64
    let action: String
    let units: Int64
  }

  /// The members that the product answers to a check that is allowed.
  private struct Answer: ResponseEncodable {
    let action: String
    let allowed: Bool
    let balance: Int64
    let cost: Int64
    let freeUnits: Int64
    let reason: String
    let tier: String
    let units: Int64
    let user: Int64

    enum CodingKeys: String, CodingKey {
      case action, allowed, balance, cost, reason, tier, units, user
      case freeUnits = "free_units"
    }
  }

  func run() async throws {
    let bytes = ByteBuffer(bytes: try Data(contentsOf: URL(filePath: page)))
    let router = Router()
    router.get("/") { _, _ in
      Response(
        status: .ok, headers: [.contentType: "text/html; charset=utf-8"],
        body: ResponseBody(byteBuffer: bytes))
    }
    router.post("/v1/checks") { request, context in
      let sent = try await request.decode(as: Sent.self, context: context)
      return Answer(
        action: sent.action, allowed: true, balance: 1_000_000_000, cost: sent.units,
        freeUnits: 0, reason: "allowed", tier: "free", units: sent.units, user: sent.user)
    }
    var logger = Logger(label: "bare")
    logger.logLevel = .notice
    let application = Application(
      router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
      logger: logger)
    try await application.runService()
  }
}
