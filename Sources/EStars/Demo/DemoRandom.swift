/// Numbers that look random and are the same for the same seed on every machine and with every
/// compiler: SplitMix64, and integers alone after it.
struct DemoRandom {
  private var state: UInt64

  /// - Parameter stream: Whose numbers they are. A person's do not change with the number of others.
  init(seed: UInt64, stream: Int) {
    state = seed &* 0xd6e8_feb8_6659_fd93 &+ UInt64(truncatingIfNeeded: stream)
    state = next()
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// 0 ..< count, where count is at least 1. For counts like ours the bias is nothing.
  mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }

  mutating func within(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + below(range.count)
  }

  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

  /// - Parameter list: Not empty.
  mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }

  /// An index, each as often as its weight says.
  mutating func index(ofWeights weights: [Int]) -> Int {
    var rest = below(max(1, weights.reduce(0, +)))
    for (index, weight) in weights.enumerated() {
      if rest < weight { return index }
      rest -= weight
    }
    return weights.count - 1
  }

  mutating func word(length: Int) -> String {
    var text = ""
    for _ in 0..<length { text.unicodeScalars.append(Self.letters[below(Self.letters.count)]) }
    return text
  }

  private static let letters = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".unicodeScalars)
}
