/// What the audit log's names for deeds say.
enum AuditWords {
  /// A deed that has no words here is shown by its name.
  static func did(_ action: String, _ strings: Strings) -> String {
    let key = Strings.Key("audit.\(action.replacing(".", with: "_"))")
    return strings.keys.contains(key) ? strings[key] : action
  }
}
