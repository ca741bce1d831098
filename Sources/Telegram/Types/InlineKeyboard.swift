/// Buttons beneath a message (`InlineKeyboardMarkup`).
public struct InlineKeyboard: Codable, Sendable, Hashable {
  public var rows: [[InlineButton]]

  public init(rows: [[InlineButton]]) { self.rows = rows }

  /// One button a row.
  public init(_ buttons: InlineButton...) { rows = buttons.map { [$0] } }

  enum CodingKeys: String, CodingKey { case rows = "inline_keyboard" }
}

/// One button; exactly one of the optional actions is set.
public struct InlineButton: Codable, Sendable, Hashable {
  public var text: String
  public var url: String?
  /// 1–64 bytes, handed back in a callback query.
  public var callbackData: String?
  /// True for the first button of an invoice.
  public var pay: Bool?
  public var webApp: WebApp?
  public var copyText: CopyText?

  public struct WebApp: Codable, Sendable, Hashable {
    public var url: String
    public init(url: String) { self.url = url }
  }

  public struct CopyText: Codable, Sendable, Hashable {
    public var text: String
    public init(text: String) { self.text = text }
  }

  public init(
    text: String, url: String? = nil, callbackData: String? = nil, pay: Bool? = nil,
    webApp: WebApp? = nil, copyText: CopyText? = nil
  ) {
    self.text = text
    self.url = url
    self.callbackData = callbackData
    self.pay = pay
    self.webApp = webApp
    self.copyText = copyText
  }

  public static func callback(_ text: String, _ data: String) -> InlineButton {
    InlineButton(text: text, callbackData: data)
  }

  public static func link(_ text: String, _ url: String) -> InlineButton {
    InlineButton(text: text, url: url)
  }

  public static func pay(_ text: String) -> InlineButton { InlineButton(text: text, pay: true) }

  enum CodingKeys: String, CodingKey {
    case text, url, pay
    case callbackData = "callback_data"
    case webApp = "web_app"
    case copyText = "copy_text"
  }
}
