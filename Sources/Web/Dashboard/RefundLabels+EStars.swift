import EStars
import Foundation

extension RefundRow {
  init(_ refund: Refund, _ payment: Payment?, _ customer: Customer?) {
    self.init(
      id: refund.id, customer: customer.map(CustomerLabel.init), packTitle: payment?.title,
      stars: refund.stars, state: RefundState(rawValue: refund.state.rawValue) ?? .requested,
      reason: RefundReason(rawValue: refund.reason.rawValue) ?? .other, openedAt: refund.openedAt,
      isProposed: refund.proposedBy != nil && refund.state.isOpenToDecision)
  }
}

extension RefundClause {
  init?(_ clause: RefundVerdict.Clause) { self.init(rawValue: clause.rawValue) }
}

extension RefundRule {
  init(_ policy: RefundPolicy) {
    self.init(
      maxAgeHours: policy.maxAgeHours, maxUsedPercent: policy.maxUsedPercent,
      isOnePerCustomer: policy.onePerCustomer, autoApproves: policy.autoApproves,
      fourEyesStars: policy.fourEyesStars)
  }
}

extension RefundEffect {
  init(_ preview: RefundPreview, _ payment: Payment, _ margin: RefundMargin? = nil) {
    let verdict = preview.verdict
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
        clause: RefundClause(verdict.clause) ?? .notCredited, rule: RefundRule(verdict.policy),
        isInTime: verdict.isInTime, isLittleUsed: verdict.isLittleUsed, isFirst: verdict.isFirst,
        paidAt: verdict.paidAt, used: verdict.used, granted: verdict.granted),
      margin: margin.map {
        Margin(currency: $0.currency, revenue: $0.revenueMicros, cost: $0.costMicros)
      })
  }
}

extension RefundView.Result {
  init(_ clawback: Refund.Clawback) {
    self.init(
      taken: clawback.taken, used: clawback.used, held: clawback.held, expired: clawback.expired,
      policy: RefundEffect.Policy(rawValue: clawback.policy) ?? .forgive)
  }
}

extension RefundView.Problem {
  init(_ problem: RefundProblem) {
    self =
      switch problem {
      case .telegram(let words): .telegram(words)
      case .code(let code): .code(Code(rawValue: code.rawValue) ?? .noAnswer)
      }
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
