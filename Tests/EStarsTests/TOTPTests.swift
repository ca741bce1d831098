import Foundation
import Testing

@testable import EStars

@Suite struct TOTPTests {
  /// RFC 6238, appendix B, of which an app shows the last six digits.
  @Test(arguments: [
    (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"),
    (1_234_567_890, "005924"), (2_000_000_000, "279037"), (20_000_000_000, "353130"),
  ])
  func codesAreThoseOfTheStandard(_ seconds: Double, _ code: String) {
    let totp = TOTP(secret: Array("12345678901234567890".utf8))
    let at = Date(timeIntervalSince1970: seconds)
    #expect(totp.code(step: TOTP.step(at: at)) == code)
    #expect(totp.step(of: code, at: at) == TOTP.step(at: at))
  }

  @Test func aNeighbouringStepCountsAndNoOther() {
    let totp = TOTP(secret: Array("12345678901234567890".utf8))
    let at = Date(timeIntervalSince1970: 1_234_567_890)
    let present = TOTP.step(at: at)
    let found = (present - 3...present + 3).map { totp.step(of: totp.code(step: $0), at: at) }
    #expect(found == [nil, nil, present - 1, present, present + 1, nil, nil])
    #expect(totp.step(of: "", at: at) == nil && totp.step(of: "05924", at: at) == nil)
  }

  /// RFC 4648, section 10.
  @Test(arguments: [
    ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"),
    ("fooba", "MZXW6YTB"), ("foobar", "MZXW6YTBOI"),
  ])
  func base32IsThatOfTheStandard(_ text: String, _ encoded: String) {
    #expect(Base32.encode(Array(text.utf8)) == encoded)
    #expect(Base32.decode(encoded.lowercased() + "==") == Array(text.utf8))
  }

  @Test func whatIsNoBase32IsRefused() {
    #expect(Base32.decode("MZXW1") == nil && TOTP(base32: "") == nil)
    let totp = TOTP.random()
    #expect(totp.secret.count == 20 && TOTP(base32: totp.base32) == totp)
    #expect(TOTP.random() != totp)
  }

  @Test func theAddressIsWhatAuthenticatorsRead() {
    let totp = TOTP(secret: Array("foobar".utf8))
    #expect(
      totp.address(account: "ana&co@x.example")
        == "otpauth://totp/eStars:ana%26co%40x.example?secret=MZXW6YTBOI&issuer=eStars"
        + "&algorithm=SHA1&digits=6&period=30")
  }

  @Test func aRecoveryCodeIsReadHoweverItWasTyped() {
    let code = RecoveryCode.random()
    #expect(code.wholeMatch(of: /([a-z2-7]{4}-){3}[a-z2-7]{4}/) != nil)
    let hash = RecoveryCode.hash(code)
    #expect(hash != nil && hash?.count == 32)
    #expect(RecoveryCode.hash(code.uppercased().replacing("-", with: " ")) == hash)
    #expect(RecoveryCode.hash(String(code.dropLast())) == nil)
    #expect(RecoveryCode.hash("123456") == nil)
  }
}
