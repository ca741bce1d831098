import Foundation
import Ledger
import Postgres

extension CreditAnswer {
  /// The answer to "where did my credits go", ready to be sent.
  ///
  /// - Parameters:
  ///   - language: nil: the customer's where it is one of ours, else the workspace's.
  ///   - isLetter: false leaves out greeting and closing, where it is a part of other words.
  public static func text(
    of customer: Customer, _ language: BuyerLanguage? = nil, isLetter: Bool = true,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> String {
    let row = try await pool.query(
      "select locale, time_zone from workspaces where workspace_id = \(scope.workspaceID)",
      in: scope)[0]
    let locale: String = try row.get("locale")
    let words = CreditAnswerWords(
      language: language ?? BuyerLanguage(of: customer.languageCode, else: locale),
      timeZone: TimeZone(identifier: try row.get("time_zone")) ?? .gmt)
    let body = words.body(try await all(of: customer.id, in: scope, pool))
    return isLetter
      ? [words.greeting(customer.firstName), body, words.closing].joined(separator: "\n\n") : body
  }
}

/// How the answer is worded.
struct CreditAnswerWords: Sendable {
  let language: BuyerLanguage
  let timeZone: TimeZone

  func body(_ answers: [CreditAnswer]) -> String {
    answers.map { lines($0, isNamed: answers.count > 1).joined(separator: "\n") }
      .joined(separator: "\n\n")
  }

  private func lines(_ answer: CreditAnswer, isNamed: Bool) -> [String] {
    func amount(_ count: Int64) -> String { self.amount(count, answer) }
    var lines = isNamed && answer.unit != 1 ? ["— \(answer.unitName) —"] : []
    lines.append(
      answer.available < 0 ? owes(amount(-answer.available)) : has(amount(answer.available)))
    if answer.held > 0 { lines.append(held(amount(answer.held))) }
    let came = self.came(answer, amount)
    if !came.isEmpty { lines += ["", cameTitle] + came }
    let went = self.went(answer, amount)
    if !went.isEmpty { lines += ["", wentTitle] + went }
    if answer.available > 0 { lines += [""] + ends(answer, amount) }
    return lines
  }

  private func came(_ answer: CreditAnswer, _ amount: (Int64) -> String) -> [String] {
    var lines = answer.purchases.map { purchase in
      let line = purchase.title.map {
        "• \(day(purchase.paidAt)): +\(amount(purchase.credits)), \(quoted($0)), \(purchase.stars) ★"
      }
      let words = line ?? "• \(day(purchase.paidAt)): \(unmatched(purchase.stars))"
      return words + (purchase.refundedAt.map { " (\(refunded(day($0))))" } ?? "")
    }
    if answer.earlierPurchases > 0 {
      lines.append("• " + earlier(amount(answer.earlierCredits), answer.earlierPurchases))
    }
    return lines + answer.gifts.map { "• +\(amount($0.credits)): \(gift($0.source))" }
  }

  private func went(_ answer: CreditAnswer, _ amount: (Int64) -> String) -> [String] {
    var lines = answer.uses.map { use in
      let title = use.title ?? other
      let times = use.title == nil || use.units == 1 ? "" : " × \(number(use.units))"
      return "• −\(amount(use.credits)): \(title)\(times)"
    }
    if answer.expired > 0 { lines.append("• −\(amount(answer.expired)): \(expired)") }
    if answer.takenBack > 0 { lines.append("• −\(amount(answer.takenBack)): \(takenBack)") }
    return lines
  }

  private func ends(_ answer: CreditAnswer, _ amount: (Int64) -> String) -> [String] {
    let shown = answer.rest.prefix(4)
    if shown.count == 1, let only = shown.first {
      return [only.until.map { usableUntil(day($0)) } ?? endless]
    }
    return [endsTitle]
      + shown.map { rest in
        "• \(amount(rest.credits)): \(rest.until.map { until(day($0)) } ?? withoutEnd)"
      }
  }

  /// A unit with a name of the operator's own keeps it.
  private func amount(_ count: Int64, _ answer: CreditAnswer) -> String {
    answer.unitName == "credits"
      ? CountedNoun.credits(language).text(count, language)
      : "\(number(count)) \(answer.unitName)"
  }

  private func quoted(_ title: String) -> String {
    language == .en || language == .ptBR ? "“\(title)”" : "«\(title)»"
  }

  private func number(_ count: Int64) -> String {
    count.formatted(.number.locale(language.locale))
  }

  private func day(_ date: Date) -> String {
    date.formatted(
      Date.FormatStyle(locale: language.locale, timeZone: timeZone)
        .day().month(.abbreviated).year())
  }
}
