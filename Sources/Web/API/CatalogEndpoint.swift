import EStars
import Foundation

/// `GET /v1/catalog?user=&language=`: the packs and plans that this user may see, in words they read.
enum CatalogEndpoint {
  private struct Body: Encodable {
    let packs: [PackBody]
    let plans: [PlanBody]
    let actions: [ActionBody]
  }

  private struct ActionBody: Encodable {
    let action: String
    let title: String
    let priceCredits: Int64
  }

  @Sendable static func show(_ call: BotCall) async throws -> Reply {
    let user = try UserID.parse(call.inbound.query["user"])
    async let customer = Customer.find(telegramID: user, in: call.scope, call.platform.pool)
    async let catalog = Catalog.load(in: call.scope, call.platform.pool)
    let (buyer, onSale) = (try await customer, try await catalog)
    if buyer == nil { try call.server.strangers.count(user, by: call.key) }
    let language = PackBody.language(
      call.inbound.query["language"], of: buyer, in: call.workspace)
    let packs = try await onSale.packs(for: buyer, user, in: call.scope, call.platform.pool)
    return try .json(
      Body(
        packs: packs.map { PackBody($0, language: language) },
        plans: try await PlanBody.all(for: buyer, language: language, call),
        actions: onSale.actions.map {
          ActionBody(action: $0.key, title: $0.title, priceCredits: $0.priceCredits)
        }))
  }
}
