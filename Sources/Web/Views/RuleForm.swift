/// What the forms of packs, plans and actions have in common.
extension PageContext {
  /// - Parameter isNew: nothing is changed yet, something is made.
  func reasonField(_ typed: String, isNew: Bool) -> FormField {
    FormField(
      id: "reason", label: strings[isNew ? "actions.reason_new" : "actions.reason"],
      hint: strings["actions.reason_hint"], value: typed, kind: .area(rows: 2, max: 500))
  }

  /// The form that takes something out of use or puts it back.
  ///
  /// - Parameters:
  ///   - path: of the thing itself.
  ///   - words: title and hint for “withdrawal” or “restoration”.
  func withdrawalForm(
    isWithdrawn: Bool, _ path: String, _ words: (String) -> (title: String, hint: String)
  ) -> [String: TemplateValue] {
    let noun = isWithdrawn ? "restoration" : "withdrawal"
    let (title, hint) = words(noun)
    return [
      "title": .text(title), "hint": .text(hint), "action": .text("\(path)/\(noun)"),
      "button_class": .text(isWithdrawn ? "button-quiet" : "button-danger"),
    ]
  }
}
