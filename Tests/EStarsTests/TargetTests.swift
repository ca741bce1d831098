import Foundation
import Testing

@testable import EStars

/// Which addresses of operators' servers are called.
@Suite struct TargetTests {
  private func refusal(_ url: String, allowingPrivate: Bool = false) async -> Target.Refusal? {
    do {
      try await Target.check(url: url, allowingPrivate: allowingPrivate)
      return nil
    } catch { return error as? Target.Refusal }
  }

  @Test(arguments: [
    "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.127.255.255", "0.0.0.0", "192.0.0.170", "198.18.0.1",
    "224.0.0.1", "255.255.255.255", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]",
    "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::1]", "[fe80::1]", "[fc00::1]",
    "[fd12:3456::1]", "[ff02::1]", "[2001::1]", "[2001:db8::1]", "[2002:7f00:1::]", "[3fff::1]",
    // Other spellings of 127.0.0.1, and a name.
    "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "LOCALHOST",
  ])
  func whatIsNotPublicIsRefused(host: String) async {
    #expect(await refusal("https://\(host)/hook") == .private)
    // Where a deployment allows them, it is an address like any other.
    #expect(await refusal("https://\(host)/hook", allowingPrivate: true) == nil)
  }

  @Test(arguments: [
    "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.167.1.1",
    "169.253.1.1", "198.17.0.1", "198.20.0.1", "223.255.255.1", "11.0.0.1", "[2606:4700::1111]",
    "[2001:4860:4860::8888]",
  ])
  func whatIsPublicIsNot(host: String) async {
    #expect(await refusal("https://\(host)/hook") == nil)
    #expect(await refusal("https://\(host):8443/hook?key=a%20b") == nil)
  }

  @Test func anAddressMustBePlain() async {
    let expected: [(String, Target.Refusal)] = [
      ("http://1.1.1.1/", .insecure), ("https://me:secret@1.1.1.1/", .credentials),
      ("https://me@1.1.1.1/", .credentials), ("https://@1.1.1.1/", .credentials),
      ("ftp://1.1.1.1/", .malformed), ("file:///etc/passwd", .malformed), ("", .malformed),
      ("https://", .malformed), ("https:///hook", .malformed), ("1.1.1.1", .malformed),
      ("https://1.1.1.1/a b", .malformed), ("https://1.1.1.1/\r\nHost: x", .malformed),
      ("https://1.1.1.1\\@127.0.0.1/", .malformed), ("https://1.1.1.1/#part", .malformed),
      ("https://127.0.0.%31/", .malformed), ("https://bücher.example/", .malformed),
      ("https://1.1.1.1/" + String(repeating: "a", count: 2000), .malformed),
      ("https://1.1.1.1:22/", .port), ("https://1.1.1.1:80/", .port), ("https://1.1.1.1:0/", .port),
      ("https://no-such-name.invalid/", .unresolved),
    ]
    for (url, refusal) in expected {
      #expect(await self.refusal(url) == refusal, "\(url)")
    }
    #expect(await refusal("https://1.1.1.1:65536/") != nil)
    #expect(await refusal("http://127.0.0.1:80/", allowingPrivate: true) == nil)
    #expect(await refusal("https://a:b@127.0.0.1/", allowingPrivate: true) == .credentials)
  }

  @Test func aSlowAddressGetsOneCallAtATime() async throws {
    let client = TargetClient(allowsPrivate: true)
    // Nothing listens on port 1.
    let url = "http://127.0.0.1:1/"
    #expect(client.enter(url, atOnce: 2) && client.enter(url, atOnce: 2))
    #expect(!client.enter(url, atOnce: 2))
    await #expect(throws: TargetClient.Failure.notReached) {
      try await client.post([], to: url, headers: [], within: 5, atMost: 10)
    }
    client.leave(url)
    #expect(!client.enter(url, atOnce: 2))
    client.leave(url)
    #expect(client.enter(url, atOnce: 2))
    #expect(!client.enter(url, atOnce: 2))
    client.leave(url)
  }
}
