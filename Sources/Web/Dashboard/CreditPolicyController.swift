import EStars
import Foundation
import HTTPTypes

/// What an owner sets about credits: the goodwill cap and when the bot is told of few credits.
enum CreditPolicyController {
  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let policy = try await CreditPolicy.of(visit.scope, visit.platform.pool)
    let view = CreditPolicyView(
      values: [
        .goodwillCap: String(policy.goodwillCapCredits),
        .lowCredits: String(policy.lowCreditsThreshold),
      ], maySet: visit.membership.role >= .owner, wasSaved: visit.inbound.query["saved"] != nil)
    return try await visit.page(view.render)
  }

  @Sendable static func update(_ visit: Visit) async throws -> Reply {
    let form = try visit.inbound.form()
    var view = CreditPolicyView(values: [:], maySet: true)
    var numbers: [CreditPolicyView.Field: Int64] = [:]
    for field in CreditPolicyView.Field.allCases {
      let text = visit.inbound.words(form[field.rawValue])
      view.values[field] = text
      numbers[field] = Inbound.wholeNumber(text).flatMap {
        CreditPolicy.range.contains($0) ? $0 : nil
      }
      if numbers[field] == nil { view.problems.insert(field) }
    }
    guard let cap = numbers[.goodwillCap], let low = numbers[.lowCredits] else {
      var reply = try await visit.page(view.render)
      reply.status = .unprocessableContent
      return reply
    }
    try await CreditPolicy.change(
      to: CreditPolicy(goodwillCapCredits: cap, lowCreditsThreshold: low), by: visit.actor,
      in: visit.scope, visit.platform.pool)
    return .seeOther(Links.with(Links.creditPolicy(visit.workspace.slug), [("saved", "1")]))
  }
}
