/// How often runs that go on side by side met each outcome, all together.
public actor OutcomeTally {
  private let required: [String]
  private let enough: Int
  private var met: [UInt64: [String: Int]] = [:]

  /// Each of `required` is wanted at least `enough` times, no matter in which of the runs.
  public init(_ required: [String], enough: Int) {
    self.required = required
    self.enough = enough
  }

  /// Takes down what the run of this seed has met up to now. Returns what is still wanted.
  public func missing(after counts: [String: Int], of seed: UInt64) -> [String] {
    met[seed] = counts
    return missing
  }

  public var missing: [String] {
    let sums = sums
    return required.filter { sums[$0, default: 0] < enough }
  }

  public var sums: [String: Int] {
    met.values.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
  }
}
