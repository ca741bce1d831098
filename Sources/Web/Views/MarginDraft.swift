/// The calculator's form as it was typed.
struct MarginDraft: Sendable, Equatable {
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

extension MarginDraft: Decodable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case stars, credits, bonus, cost, per, usd, currency, fx
  }

  /// - Throws: also for what could not be computed with if it were sent as it stands.
  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    func text(_ key: CodingKeys) throws -> String { try fields.decode(String.self, forKey: key) }
    self.init(
      stars: try text(.stars), credits: try text(.credits), bonus: try text(.bonus),
      cost: try text(.cost), per: try text(.per), usd: try text(.usd),
      currency: try text(.currency), fx: try text(.fx))
    var problems: [FormProblem] = []
    _ = offer(in: .en, &problems)
    if let key = problems.lazy.compactMap({ CodingKeys(stringValue: $0.field) }).first {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: fields, debugDescription: "cannot be computed with")
    }
  }
}
