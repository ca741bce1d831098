import EStars
import Testing

@testable import Web

/// The pages know every alert that the product raises, and its states and measures.
@Suite struct AlertKindTests {
  @Test func pagesAndProductUseTheSameNames() {
    #expect(AlertKind.allCases.map(\.name) == Alert.Kind.allCases.map(\.rawValue))
    #expect(AlertState.allCases.map(\.rawValue) == Alert.State.allCases.map(\.rawValue))
    for kind in Alert.Kind.allCases {
      guard let measure = kind.measure else { continue }
      #expect(AlertRulesView.Measure(rawValue: measure.rawValue) != nil, "\(kind)")
    }
  }
}
