@_spi(Guard) @testable import EStars
import Foundation
@_spi(Guard) import Ledger
import Testing

@Suite struct InvoicePayloadTests {
  let secrets: Secrets
  let scope = WorkspaceScope(workspaceID: 7)

  init() throws { secrets = try Secrets(hex: Fixture.key) }

  private func payload(_ workspaceID: Int64 = 7) -> InvoicePayload {
    InvoicePayload(
      workspaceID: workspaceID, checkoutID: 123_456_789, buyerTelegramID: 5_001_001, sku: "start",
      stars: 75, expiresAt: 1_795_000_000)
  }

  @Test func comesBackAsItWasSigned() throws {
    #expect(try InvoicePayload(payload().signed(secrets), in: scope, secrets) == payload())
  }

  @Test func fitsTelegramsLimitWithTheLargestValues() {
    let largest = InvoicePayload(
      workspaceID: .max, checkoutID: .max, buyerTelegramID: 1 << 52,
      sku: String(repeating: "s", count: 32), stars: 100_000, expiresAt: 4_102_444_800)
    #expect(largest.signed(secrets).utf8.count <= 128)
  }

  /// Skus of every length, so that the last character has spare bits in some of them.
  @Test(arguments: 1...8)
  func everyChangedCharacterIsRefused(skuLength: Int) {
    var payload = payload()
    payload.sku = String(repeating: "s", count: skuLength)
    let text = Array(payload.signed(secrets))
    let alphabet = Array(
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    for index in text.indices {
      for character in alphabet where character != text[index] {
        var changed = text
        changed[index] = character
        #expect(throws: InvoicePayload.Problem.self) {
          try InvoicePayload(String(changed), in: scope, secrets)
        }
      }
    }
  }

  @Test func aPayloadOfAnotherWorkspaceIsForged() {
    #expect(throws: InvoicePayload.Problem.forged) {
      try InvoicePayload(payload(8).signed(secrets), in: scope, secrets)
    }
  }

  @Test func aPayloadOfAnotherDeploymentIsForged() throws {
    let other = try Secrets(hex: Bytes.hex(Bytes.sha256("another key")))
    #expect(throws: InvoicePayload.Problem.forged) {
      try InvoicePayload(payload().signed(other), in: scope, secrets)
    }
  }

  @Test(arguments: [
    "", "es1.", "order_17", "es1.!!!!", "es1.AAAA", String(repeating: "x", count: 200),
  ])
  func foreignTextIsForeign(_ text: String) {
    #expect(throws: InvoicePayload.Problem.foreign) {
      try InvoicePayload(text, in: scope, secrets)
    }
  }
}

@Suite struct SecretsTests {
  @Test func aMissingOrWeakKeyIsNamed() {
    for weak in [
      nil, "", "abc", String(repeating: "0", count: 64), String(repeating: "zz", count: 32),
    ] {
      do throws(Secrets.Problem) {
        _ = try Secrets(hex: weak)
        Issue.record("\(weak ?? "nil") was taken as a key")
      } catch { #expect(error.description.contains("ESTARS_SECRET_KEY")) }
    }
  }

  @Test func sealedTextOpensOnlyWithItsKey() throws {
    let secrets = try Secrets(hex: Fixture.key)
    let sealed = try secrets.seal("7:token")
    #expect(try secrets.open(sealed) == "7:token")
    #expect(try secrets.seal("7:token") != sealed)
    let other = try Secrets(hex: Bytes.hex(Bytes.sha256("another key")))
    #expect(throws: Secrets.Problem.self) { try other.open(sealed) }
    #expect(throws: Secrets.Problem.self) { try secrets.open(Array(sealed.dropLast())) }
  }

  @Test func fingerprintsTellPartsApart() {
    #expect(Bytes.fingerprint(["a", "bc"]) != Bytes.fingerprint(["ab", "c"]))
    #expect(Bytes.fingerprint(["a", "b"]) == Bytes.fingerprint(["a", "b"]))
  }
}

@Suite struct PasswordTests {
  @Test func aHashVerifiesItsOwnPasswordOnly() async throws {
    let hasher = PasswordHasher()
    let encoded = try await hasher.hash("correct horse battery")
    #expect(encoded.hasPrefix("$argon2id$v=19$m=65536,t=3,p=1$"))
    #expect(try await hasher.verify("correct horse battery", encoded))
    #expect(try await !hasher.verify("correct horse batterz", encoded))
  }

  @Test func theHashForUnknownOperatorsIsARealOne() async throws {
    // A malformed hash would be refused at once, and the short time would tell.
    #expect(try await PasswordHasher().costsAFullVerification(Login.nobodysHash))
  }
}
