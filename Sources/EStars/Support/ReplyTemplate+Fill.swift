import Foundation
import Ledger
import Postgres

extension ReplyTemplate {
  /// What stands in these places for a customer, in the customer's language.
  public static func values(
    _ places: Set<Place>, for customer: Customer, in workspace: Workspace, scope: WorkspaceScope,
    _ pool: Pool
  ) async throws -> [Place: String] {
    let language = BuyerLanguage(of: customer.languageCode, else: workspace.locale)
    var values: [Place: String] = [:]
    if places.contains(.name) {
      values[.name] = customer.firstName.isEmpty ? customer.displayName : customer.firstName
    }
    if places.contains(.balance) {
      let balance = try await Balance.of(customer: customer.id, in: scope, pool)
      values[.balance] = CountedNoun.credits(language).text(balance.available, language)
    }
    if places.contains(.creditsAnswer) {
      values[.creditsAnswer] = try await CreditAnswer.text(
        of: customer, language, isLetter: false, in: scope, pool)
    }
    return values
  }
}
