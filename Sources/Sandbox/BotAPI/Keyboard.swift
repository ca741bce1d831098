import Telegram

/// Reads and checks `reply_markup`.
enum Keyboard {
  private struct Markup: Decodable {
    let rows: [[InlineButton]]?
    enum CodingKeys: String, CodingKey { case rows = "inline_keyboard" }
  }

  /// Nil when there is no inline keyboard; other kinds of reply markup are accepted and not shown.
  ///
  /// - Throws: `BotAPIError` in Telegram's words.
  static func parse(_ parameters: Parameters, isInvoice: Bool) throws -> InlineKeyboard? {
    guard
      let markup = try parameters.json(
        "reply_markup", as: Markup.self, failure: "can't parse reply keyboard markup JSON object"),
      let rows = markup.rows?.filter({ !$0.isEmpty }), !rows.isEmpty
    else { return nil }
    guard rows.joined().count <= SandboxLimits.keyboardButtons else {
      throw BotAPIError.bad("REPLY_MARKUP_TOO_LONG")
    }
    for (rowIndex, row) in rows.enumerated() {
      for (column, button) in row.enumerated() {
        try check(button, isFirst: rowIndex == 0 && column == 0, isInvoice: isInvoice)
      }
    }
    if isInvoice, rows[0][0].pay != true { throw BotAPIError.bad("BUTTON_POS_INVALID") }
    return InlineKeyboard(rows: rows)
  }

  private static func check(_ button: InlineButton, isFirst: Bool, isInvoice: Bool) throws {
    guard !button.text.isEmpty else {
      throw BotAPIError.bad(
        "can't parse inline keyboard button: InlineKeyboardButton text must be non-empty")
    }
    let isPay = button.pay == true
    let actions = [
      button.url != nil, button.callbackData != nil, isPay, button.webApp != nil,
      button.copyText != nil,
    ]
    guard actions.contains(true) else {
      throw BotAPIError.bad(
        "can't parse inline keyboard button: "
          + "Text buttons are unallowed in the inline keyboard")
    }
    if let data = button.callbackData,
      !Telegram.Limits.callbackDataBytes.contains(data.utf8.count)
    {
      throw BotAPIError.bad("BUTTON_DATA_INVALID")
    }
    if let url = button.url, !isAllowedURL(url) { throw BotAPIError.bad("BUTTON_URL_INVALID") }
    if isPay, !isFirst || !isInvoice { throw BotAPIError.bad("BUTTON_POS_INVALID") }
  }

  private static func isAllowedURL(_ url: String) -> Bool {
    ["https://", "http://", "tg://", "t.me/", "ton://"].contains {
      url.lowercased().hasPrefix($0)
    }
  }
}
