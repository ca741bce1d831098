import EStars
import Foundation
import HTTPTypes

/// Forgetting who a customer is: what goes and what stays, then the deed.
enum ErasureController {
  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    try await visit.erasurePage(try await visit.customer())
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let customer = try await visit.customer()
    guard try visit.inbound.form()["sure"] == "1" else {
      return try await visit.erasurePage(
        customer, isUnsure: true, status: .unprocessableContent)
    }
    do {
      try await Customer.erase(
        customer.id, by: visit.actor, in: visit.scope, visit.platform.pool)
    } catch EraseRefusal.notFound {
      throw Refusal.notFound
    } catch is EraseRefusal {
      return try await visit.erasurePage(customer, status: .conflict)
    }
    return .seeOther(Links.customer(visit.workspace.slug, customer.id))
  }
}

extension Visit {
  fileprivate func erasurePage(
    _ customer: Customer, isUnsure: Bool = false, status: HTTPResponse.Status = .ok
  ) async throws -> Reply {
    guard customer.erasedAt == nil else {
      return .seeOther(Links.customer(workspace.slug, customer.id))
    }
    let preview = try await ErasurePreview.of(customer, in: scope, platform.pool)
    let obstacle: ErasureView.Obstacle? =
      switch preview.refusal {
      case .subscription(let id): .subscription(id)
      case .refund(let id): .refund(id)
      case .notFound, nil: nil
      }
    let view = ErasureView(
      customer: CustomerLabel(customer), messages: preview.messages,
      supportCases: preview.supportCases, openCheckouts: preview.openCheckouts,
      payments: preview.payments, credits: preview.credits, obstacle: obstacle,
      isUnsure: isUnsure)
    var reply = try await page(view.render)
    reply.status = status
    return reply
  }
}
