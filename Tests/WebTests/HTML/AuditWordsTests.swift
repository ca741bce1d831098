import EStars
import Foundation
import Testing

@testable import Web

@Suite struct AuditWordsTests {
  @Test(arguments: Language.allCases) func everyLineHasItsWords(_ language: Language) throws {
    let strings = try GoldenTests.renderer().strings(language)
    for (action, facts) in AuditVocabulary.facts {
      #expect(RuleWords.did(action, strings) != action, "\(language) lacks \(action)")
      for fact in facts {
        #expect(RuleWords.kind(of: fact, in: action) != nil, "what is \(fact) of \(action)?")
        #expect(
          RuleWords.label(fact, in: action, strings) != nil,
          "\(language) lacks \(fact) of \(action)")
        let codes = AuditVocabulary.codes(of: fact, in: action)
        #expect(
          RuleWords.kind(of: fact, in: action) != .code || !codes.isEmpty,
          "AuditVocabulary lists no codes of \(fact) of \(action)")
        for code in codes {
          #expect(
            RuleWords.word(code, of: fact, in: action, strings) != nil,
            "\(language) lacks \(code), \(fact) of \(action)")
        }
      }
    }
    for (action, facts) in AdminAuditVocabulary.facts {
      #expect(RuleWords.did(action, strings) != action, "\(language) lacks \(action)")
      for fact in facts {
        #expect(RuleWords.kind(of: fact, in: action) != nil, "what is \(fact) of \(action)?")
        #expect(
          RuleWords.label(fact, in: action, strings) != nil,
          "\(language) lacks \(fact) of \(action)")
        for code in AdminAuditVocabulary.codes(of: fact, in: action) {
          #expect(
            RuleWords.word(code, of: fact, in: action, strings) != nil,
            "\(language) lacks \(code), \(fact) of \(action)")
        }
      }
    }
    for kind in AuditVocabulary.subjectKinds.union(AdminAuditVocabulary.subjectKinds) {
      #expect(strings.keys.contains(.init("audit_kind.\(kind)")), "\(language) lacks \(kind)")
    }
  }

  /// A debug build stops at a line with an action or fact that the vocabulary lacks; lines that no
  /// test writes are found here.
  @Test func theVocabularyIsThatOfTheSources() throws {
    let folder = GoldenTests.root.appending(path: "Sources/EStars")
    var sources = ""
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    where name.hasSuffix(".swift") && !name.hasSuffix("AuditVocabulary.swift") {
      sources += try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }
    let known = Set(AuditVocabulary.facts.keys)
    for call in sources.matches(of: /\b(?:audit|tell|finish|asked)\((?:[^()]|\([^()]*\)){0,160}/) {
      for literal in call.output.matches(of: /"([a-z_]+\.[a-z_]+)"/) {
        let action = String(literal.output.1)
        guard known.contains(where: { $0.hasPrefix(action.prefix { $0 != "." } + ".") }) else {
          continue
        }
        #expect(known.contains(action), "AuditVocabulary lacks \(action)")
      }
    }
    // The last part of some names is a state of what they are about.
    let derived = ["mismatch.", "payment.", "credit_grant."]
    for action in known where !derived.contains(where: action.hasPrefix) {
      #expect(sources.contains("\"\(action)\""), "nothing writes \(action)")
    }
  }

  @Test func valuesReadAsWhatTheyAre() throws {
    let renderer = try GoldenTests.renderer()
    let page = PageContext(frame: Samples.frame(.ptBR), renderer: renderer)
    let words = RuleWords(page: page)
    func lines(_ action: String, _ facts: [RuleChange.Fact]) -> [[String]] {
      facts.map { fact in
        let model = words.model(fact, of: action)
        return ["what", "before", "after"].map { model[$0]?.rendered as? String ?? "" }
      }
    }
    #expect(
      lines(
        "alert_chat.linked", [.init(name: "chat_id", before: nil, after: "-1001234567890")])
        == [["Id do chat no Telegram", "", "-1001234567890"]])
    #expect(
      lines("refund.closed", [.init(name: "name", before: "Ana", after: nil)])
        == [["Anotação", "Ana", "–"]])
    #expect(
      lines("support.closed", [.init(name: "state", before: "waiting", after: nil)])
        == [["Situação antes", "", "Aguarda o comprador"]])
    #expect(
      lines("payment.credited", [.init(name: "stars", before: nil, after: "1500")])
        == [["Valor em Stars", "", "1.500"]])
    #expect(
      lines("plan.edited", [.init(name: "stars", before: "150", after: "1500")])
        == [["Stars a cada 30 dias", "150", "1.500"]])
    #expect(
      lines("event_address.set", [.init(name: "url", before: "", after: "")])
        == [["Endereço", "", "–"]])
    let until = lines(
      "demo.history", [.init(name: "until", before: nil, after: "1795309200")])
    #expect(until.first?.last == page.format.exact(Date(timeIntervalSince1970: 1_795_309_200)))
  }
}
