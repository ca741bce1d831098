import Foundation
import Ledger
import Postgres

extension SupportCase {
  /// The number of the newest case that goes on between a person and a bot; nil where there is none.
  static func going(
    of telegramID: Int64, with bot: Bot, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Int64? {
    try await pool.query(
      """
      select s.support_case_id from customers c
      join support_cases s on s.workspace_id = c.workspace_id and s.customer_id = c.customer_id
      where c.workspace_id = \(scope.workspaceID) and c.telegram_id = \(telegramID)
        and s.bot_id = \(bot.id) and s.state <> 'closed'
      order by s.support_case_id desc limit 1
      """, in: scope
    ).first?.get("support_case_id")
  }

  /// What whoever calls for support is answered.
  static func acknowledgement(of number: Int64, _ language: BuyerLanguage) -> String {
    switch language {
    case .en:
      "We have it: case \(number). A person will answer here. What you write until then goes along."
    case .ptBR:
      "Recebemos: caso \(number). Uma pessoa vai responder aqui. O que você escrever até lá vai junto."
    case .es:
      "Lo tenemos: caso \(number). Una persona responderá aquí. Lo que escribas hasta entonces se añade."
    case .ru:
      "Приняли: обращение \(number). Вам ответит человек, прямо здесь. Всё, что вы напишете, добавим к нему."
    }
  }
}
