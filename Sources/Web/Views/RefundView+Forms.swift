import Foundation

/// The ways a case may end, each a form with what the buyer would read.
extension RefundView {
  func forms(_ page: PageContext) -> TemplateValue {
    guard effect != nil else { return .none }
    let decisions: [Decision] = Decision.allCases.filter { decision in
      switch decision {
      case .approval: fourEyes?.isReader != true
      case .goodwill: goodwillCredits == nil
      case .decline: [.requested, .failed].contains(refund.state)
      }
    }
    return .records(decisions) { form(of: $0, opensFirst: decisions.first == $0, page) }
  }

  private func form(
    of decision: Decision, opensFirst: Bool, _ page: PageContext
  ) -> [String: TemplateValue] {
    let t = page.strings
    let draft = self.draft?.decision == decision ? self.draft : nil
    let problems = draft?.problems ?? []
    func words(_ fields: Draft.Problem...) -> TemplateValue {
      .optional(
        problems.first { fields.contains($0) }.map { t[.init("refund.problem_\($0.rawValue)")] })
    }
    let kept = decision == .approval ? fourEyes : nil
    return [
      "id": .text(decision.rawValue),
      "title": .text(verb(of: decision, page)),
      "open": .flag(draft != nil || self.draft == nil && opensFirst && decision == .approval),
      "hint": .text(hint(of: decision, page)),
      "action": .text(Links.refund(page.slug, refund.id) + "/" + decision.rawValue),
      "fingerprint": decision == .approval ? .text(fingerprint) : .none,
      "credits": decision == .goodwill
        ? .record([
          "value": .text(draft?.credits ?? String(Self.proposedCredits(effect))),
          "problem": words(.credits, .lots),
        ]) : .none,
      "reason": decision == .decline ? reasons(draft, problem: words(.reason), page) : .none,
      "message": .text(draft?.message ?? kept?.message ?? ""),
      "message_problem": words(.message),
      "note_text": .text(draft?.note ?? kept?.note ?? ""),
      "note_problem": words(.note),
      "reads": buyerWords.flatMap { buyer in
        buyer.texts[decision].map { text in
          .record([
            "label": .text(t("refund.buyer_reads", ["language": buyer.language])),
            "words": .text(text),
          ])
        }
      } ?? .none,
      "summary": problems.isEmpty
        ? .none
        : .record([
          "rows": .records(problems) { problem in
            let field = problem == .lots ? "credits" : problem.rawValue
            return [
              "href": .text("#\(decision.rawValue)-\(field)"),
              "words": .text(t[.init("refund.problem_\(problem.rawValue)")]),
            ]
          }
        ]),
      "button": .text(verb(of: decision, page)),
      "button_class": .text(decision == .approval ? "button-danger" : "button-quiet"),
    ]
  }

  /// What was used may be given once more.
  static func proposedCredits(_ effect: RefundEffect?) -> Int64 { max(1, effect?.used ?? 0) }

  /// What fits the rule's verdict; nil where the rule speaks for a refund.
  static func proposedReason(_ clause: RefundClause?) -> DeclineReason? {
    switch clause {
    case .tooOld: .outsidePolicy
    case .tooMuchUsed: .creditsUsed
    case .notTheFirst: .alreadyRefundedOnce
    case .withinPolicy, .notCredited, .accessOnly, nil: nil
    }
  }

  private func verb(of decision: Decision, _ page: PageContext) -> String {
    let stars = page.format.stars(effect?.stars ?? refund.stars)
    let key =
      switch (decision, fourEyes) {
      case (.approval, let eyes?) where eyes.first == nil: "propose"
      case (.approval, .some): "agree"
      default: decision.rawValue
      }
    return page.strings(.init("refund.do_\(key)"), ["stars": stars])
  }

  private func hint(of decision: Decision, _ page: PageContext) -> String {
    let t = page.strings
    if decision == .approval, let fourEyes, fourEyes.first == nil {
      return t("refund.hint_propose", ["n": page.format.stars(fourEyes.stars)])
    }
    return t[.init("refund.hint_\(decision.rawValue)")]
  }

  private func reasons(
    _ draft: Draft?, problem: TemplateValue, _ page: PageContext
  ) -> TemplateValue {
    let chosen = draft != nil ? draft?.reason : Self.proposedReason(effect?.verdict.clause)
    return [
      "none_chosen": .flag(chosen == nil),
      "options": .records(DeclineReason.allCases) { reason in
        [
          "value": .text(reason.rawValue), "selected": .flag(reason == chosen),
          "words": .text(page.strings[.init("decline_reason.\(reason.rawValue)")]),
        ]
      },
      "problem": problem,
    ]
  }
}
