/// Words for the next page after a form, kept for one showing. The address carries only a key.
actor Notices {
  struct Notice: Sendable {
    let text: String
    let isAlert: Bool
  }

  private var notices: [String: Notice] = [:]
  private var order: [String] = []
  private static let capacity = 200

  func keep(_ text: String, isAlert: Bool = false) -> String {
    let key = SandboxBook.randomWord(length: 10)
    notices[key] = Notice(text: text, isAlert: isAlert)
    order.append(key)
    if order.count > Notices.capacity { notices[order.removeFirst()] = nil }
    return key
  }

  func take(_ key: String?) -> Notice? {
    guard let key, let notice = notices.removeValue(forKey: key) else { return nil }
    order.removeAll { $0 == key }
    return notice
  }
}
