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

  @Test func aSlowAddressLeavesPlacesForOthers() {
    let traffic = TargetTraffic()
    for lane in [TargetTraffic.Lane.events, .relay, .relayAtOnce, .preCheckout] {
      // However many are under way for one purpose, another has places of its own.
      for _ in 0..<lane.places { #expect(traffic.enter("a", lane)) }
      #expect(!traffic.enter("a", lane))
      #expect(traffic.enter("b", lane))
    }
    traffic.leave("a", .events)
    #expect(traffic.enter("a", .events) && !traffic.enter("a", .events))
    #expect(2 * Limits.eventsAtOncePerTarget < Limits.eventsAtOnce)
    #expect(2 * Limits.relaysByWorkerPerTarget < Limits.relaysByWorker)
  }

  @Test func anAddressRestsAfterManyCallsWithoutAnAnswer() {
    let traffic = TargetTraffic()
    let now = ContinuousClock.now
    func fail(at time: ContinuousClock.Instant) {
      #expect(traffic.enter("a", .relay, at: time))
      traffic.noteSilence("a", at: time)
      traffic.leave("a", .relay)
    }
    for _ in 1..<Limits.targetSilences { fail(at: now) }
    #expect(traffic.enter("a", .relay, at: now))
    traffic.noteAnswer("a")
    traffic.leave("a", .relay)
    // Only those in a row count.
    for _ in 1...Limits.targetSilences { fail(at: now) }
    #expect(!traffic.enter("a", .relay, at: now) && !traffic.enter("a", .events, at: now))
    #expect(traffic.enter("a", .preCheckout, at: now))
    #expect(traffic.delay("a", at: now) > 1.5)
    // One finds out whether it is back, and each rest is longer than the one before.
    let later = now + .seconds(3)
    #expect(traffic.enter("a", .relay, at: later) && !traffic.enter("a", .relay, at: later))
    traffic.noteSilence("a", at: later)
    traffic.leave("a", .relay)
    #expect(!traffic.enter("a", .relay, at: later + .seconds(3)))
    let muchLater = later + .seconds(5)
    #expect(traffic.enter("a", .relay, at: muchLater))
    traffic.noteAnswer("a")
    #expect(traffic.enter("a", .relay, at: muchLater))
  }

  @Test func whatFindsNoPlaceStaysAwayTheLongerTheMoreWait() {
    let traffic = TargetTraffic()
    while traffic.enter("a", .relay) {}
    let delays = (0..<250).map { _ in traffic.delay("a") }
    #expect(delays.allSatisfy { (0.75...1.25 * Limits.targetQueueSeconds).contains($0) })
    #expect(delays.prefix(8).allSatisfy { $0 < 3 } && delays.suffix(100).allSatisfy { $0 > 11 })
  }

  @Test func nothingListensOnPortOne() async throws {
    let client = TargetClient(allowsPrivate: true)
    let url = "http://127.0.0.1:1/"
    for _ in 1...Limits.targetSilences {
      #expect(client.traffic.enter(url, .events))
      await #expect(throws: TargetClient.Failure.notReached) {
        try await client.post([], to: url, headers: [], within: 5, atMost: 10)
      }
      client.traffic.leave(url, .events)
    }
    #expect(!client.traffic.enter(url, .events))
  }
}
