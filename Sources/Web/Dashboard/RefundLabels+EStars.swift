import EStars
import Foundation

extension RefundRow {
  init(_ refund: Refund, _ payment: Payment?, _ customer: Customer?) {
    self.init(
      id: refund.id, customer: customer.map(CustomerLabel.init), packTitle: payment?.title,
      stars: refund.stars, state: RefundState(rawValue: refund.state.rawValue) ?? .requested,
      reason: RefundReason(rawValue: refund.reason.rawValue) ?? .other, openedAt: refund.openedAt)
  }
}

extension RefundEffect {
  init(_ preview: RefundPreview, _ payment: Payment) {
    self.init(
      stars: preview.stars,
      lots: preview.lots.map {
        Lot(
          lot: $0.id, source: LotSource(rawValue: $0.source.rawValue) ?? .adjustment,
          granted: $0.granted, taken: $0.taken)
      },
      policy: Policy(rawValue: preview.policy.rawValue) ?? .forgive, used: preview.used,
      held: preview.held, expired: preview.expired, balanceBefore: preview.balanceBefore,
      balanceAfter: preview.balanceAfter, access: preview.endingAccess.map(\.title),
      verdict: Verdict(
        isInTime: preview.verdict.isInTime, isUnused: preview.verdict.isUnused,
        paidAt: payment.paidAt, used: preview.used + preview.held))
  }
}

extension RefundView.Result {
  init(_ clawback: Refund.Clawback) {
    self.init(
      taken: clawback.taken, used: clawback.used, held: clawback.held, expired: clawback.expired,
      policy: RefundEffect.Policy(rawValue: clawback.policy) ?? .forgive)
  }
}

extension PaymentView.AuditLine {
  init(_ entry: AuditEntry) {
    let isOurs = [.job, .system].contains(entry.actor.kind)
    self.init(
      at: entry.at, actor: isOurs ? "eStars" : entry.actor.name, action: entry.action,
      detail: entry.reason)
  }
}
