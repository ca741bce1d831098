/// The calculator's form as it was typed.
struct MarginDraft: Decodable, Sendable, Equatable {
  /// How many credits the cost is for.
  enum Basis: String, Sendable, CaseIterable { case credit, ten, pack }

  var stars: String
  var credits: String
  var bonus: String
  var cost: String
  var per: String
  var usd: String
  var currency: String
  var fx: String
}
