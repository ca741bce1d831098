/// A balance as it rises and falls, one step an event.
struct BalanceLine: Sendable {
  private let balances: [Int]

  init(_ balances: [Int]) { self.balances = balances }

  private static let (width, height, base) = (360, 64, 56)

  /// - Parameter label: what it shows, for those who do not see it.
  func svg(label: String) -> HTML {
    let step = Self.width / max(1, balances.count)
    let top = max(1, balances.max() ?? 1)
    func y(_ balance: Int) -> Int { Self.base - balance * (Self.base - 8) / top }
    var path = "M0 \(Self.base)"
    var dots = ""
    for (index, balance) in balances.enumerated() {
      let x = index * step + step / 2
      path += "H\(x)V\(y(balance))"
      dots += "<circle class=\"draw-dot\" cx=\"\(x)\" cy=\"\(y(balance))\" r=\"3\"></circle>"
    }
    path += "H\(Self.width)"
    return HTML(
      trusted: """
        <svg class="draw" viewBox="0 0 \(Self.width) \(Self.height)" role="img" \
        aria-label="\(HTML(escaping: label).text)">\
        <path class="draw-area" d="\(path)V\(Self.base)Z"></path>\
        <path class="draw-base" d="M0 \(Self.base).5H\(Self.width)"></path>\
        <path class="draw-line" d="\(path)"></path>\(dots)</svg>
        """)
  }
}

/// What comes in as one bar: what the work costs of it, and what is left. The figures stand beside it.
struct MarginBar: Sendable {
  let costPercent: Int
  /// The work costs more than all of it.
  var isLoss = false

  var svg: HTML {
    let cost = min(100, max(0, costPercent)) * 360 / 100
    return HTML(
      trusted: """
        <svg class="draw draw-bar" viewBox="0 0 360 20" preserveAspectRatio="none" aria-hidden="true">\
        <rect class="\(isLoss ? "fill-back" : "fill-use")" width="\(max(0, cost - 2))" height="20"></rect>\
        <rect class="fill-in" x="\(cost)" width="\(360 - cost)" height="20"></rect></svg>
        """)
  }
}
