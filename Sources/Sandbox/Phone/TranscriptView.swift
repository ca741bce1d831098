import Telegram

/// A chat's messages as values for the template.
struct TranscriptView {
  let personID: Int64
  let botID: Int64

  private var base: String { "/people/\(personID)/chats/\(botID)" }

  func values(_ lines: [TranscriptLine]) -> [[String: Any]] {
    var lastDay = ""
    return lines.map { line in
      var values = message(line)
      let day = PhoneViews.day(line.message.date)
      if day != lastDay { values["day"] = day }
      lastDay = day
      return values
    }
  }

  private func message(_ line: TranscriptLine) -> [String: Any] {
    let message = line.message
    var values: [String: Any] = [
      "id": "\(message.messageID)", "isMine": line.isFromPerson,
      "time": PhoneViews.clock(message.date), "iso": PhoneViews.iso(message.date),
      "isEdited": message.editDate != nil,
    ]
    if let payment = message.successfulPayment {
      values["payment"] = [
        "stars": PhoneViews.number(payment.totalAmount),
        "href": "/people/\(personID)/payments/\(payment.telegramPaymentChargeID)",
        "isRenewal": payment.isRecurring == true && payment.isFirstRecurring != true,
      ]
    } else if let refund = message.refundedPayment {
      values["refund"] = ["stars": PhoneViews.number(refund.totalAmount)]
    } else {
      values["bubble"] = bubble(line)
    }
    return values
  }

  private func bubble(_ line: TranscriptLine) -> [String: Any] {
    var values: [String: Any] = [:]
    if let text = line.message.text {
      values["html"] = RichTextHTML.render(
        text, entities: line.message.entities ?? [], target: target)
    }
    if let invoice = line.message.invoice {
      values["invoice"] = [
        "title": invoice.title, "description": invoice.description,
        "stars": PhoneViews.number(invoice.totalAmount),
      ]
    }
    values["rows"] = rows(line)
    return values
  }

  private func rows(_ line: TranscriptLine) -> [[String: Any]] {
    var rows: [[[String: Any]]] = (line.message.replyMarkup?.rows ?? []).enumerated().map {
      rowIndex, row in
      row.enumerated().map { column, button in
        buttonValues(button, row: rowIndex, column: column, line: line)
      }
    }
    if let invoice = line.message.invoice, line.message.replyMarkup == nil {
      let pay = InlineButton.pay("Pay \(PhoneViews.number(invoice.totalAmount)) ★")
      rows.insert([buttonValues(pay, row: 0, column: 0, line: line)], at: 0)
    }
    return rows.map { ["buttons": $0] }
  }

  private func buttonValues(
    _ button: InlineButton, row: Int, column: Int, line: TranscriptLine
  ) -> [String: Any] {
    if button.pay == true, let slug = line.invoice {
      return line.isPaid
        ? ["text": "Receipt", "link": "/people/\(personID)/payments"]
        : ["text": starred(button.text), "sheet": "\(base)/invoices/\(slug)"]
    }
    if let url = button.url {
      if let slug = TranscriptView.slug(in: url) {
        return ["text": button.text, "sheet": "\(base)/invoices/\(slug)"]
      }
      return ["text": button.text, "link": target(url) ?? "#"]
    }
    if button.callbackData != nil {
      return [
        "text": button.text,
        "press": [
          "action": "\(base)/presses", "message": "\(line.message.messageID)", "row": "\(row)",
          "column": "\(column)",
        ],
      ]
    }
    return ["text": button.text, "isInert": true]
  }

  /// Telegram draws its own star for these in pay buttons.
  private func starred(_ text: String) -> String {
    text.replacing("⭐️", with: "★").replacing("⭐", with: "★").replacing("XTR", with: "★")
  }

  /// Where a link in this chat leads: invoices open the sheet, other web addresses themselves.
  private func target(_ address: String) -> String? {
    if let slug = TranscriptView.slug(in: address) { return "\(base)/invoices/\(slug)" }
    let lower = address.lowercased()
    return lower.hasPrefix("https://") || lower.hasPrefix("http://") ? address : nil
  }

  /// The invoice a link names, as in `https://t.me/$abc`.
  static func slug(in link: String) -> String? {
    for prefix in ["https://t.me/$", "http://t.me/$", "t.me/$", "https://t.me/invoice/"]
    where link.lowercased().hasPrefix(prefix) {
      let slug = link.dropFirst(prefix.count).prefix { $0.isLetter || $0.isNumber }
      return slug.isEmpty ? nil : String(slug)
    }
    return nil
  }
}
