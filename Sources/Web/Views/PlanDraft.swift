/// A plan as it stands in a form: everything as it was typed.
struct PlanDraft: Sendable, Equatable {
  enum Kind: String, Sendable, CaseIterable { case free, recurring, custom }

  var key = ""
  var title = ""
  var description = ""
  var kind = Kind.recurring
  /// Keys of a tier and of features.
  var tier = ""
  var features: Set<String> = []
  var stars = ""
  /// Empty = as many as they like.
  var credits = ""
  var rollover = "0"
  var trialDays = "0"
  var trialCredits = "0"
  var grace = "7"
  var isHidden = false
  /// Among the plans in force, from 1; empty where it has no place.
  var place = ""
  var names: [NameDraft] = []
  /// One more language, to be named by whoever fills it in.
  var other = NameDraft(language: "")
  var reason = ""
  /// The number of the latest change when the form was made.
  var version: Int64 = 0
}
