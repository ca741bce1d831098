/// A product's words in another language, as they stand in a form; both empty = none.
struct NameDraft: Sendable, Equatable {
  /// Telegram's spelling, `pt-br`; of one more language, what was typed.
  var language: String
  var title = ""
  var description = ""
}
