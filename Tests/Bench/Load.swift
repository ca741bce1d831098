import CEpoll
import Foundation

/// One thread over epoll: cheap, because what it costs is taken from the server it measures.
struct Load {
  private struct Connection {
    let descriptor: Int32
    var request: RequestTemplate
    var sent = 0
    var sentAt: UInt64 = 0
    var received: [UInt8] = []
    var isWaiting = false
  }

  private static let microsecondsPerBucket: UInt64 = 10
  private static let drainSeconds = 15.0
  private static let lengthField = Array("Content-Length: ".utf8)

  private let epoll: Int32
  private let status: [UInt8]
  private var connections: [Connection] = []
  private var buffer = [UInt8](repeating: 0, count: 256 << 10)
  private var buckets = [Int](repeating: 0, count: 200_000)
  private var random: UInt64 = 0x9E37_79B9_7F4A_7C15
  private(set) var answers = 0
  private(set) var wrong = 0
  private(set) var firstWrong: String?

  init(template: RequestTemplate, port: UInt16, connections count: Int, status: Int) throws {
    epoll = epoll_create1(0)
    self.status = Array("HTTP/1.1 \(status) ".utf8)
    guard epoll >= 0 else { throw Complaint(description: "no epoll: \(Self.systemError())") }
    for index in 0..<count {
      let descriptor = try Self.connect(port)
      var request = template
      request.setConnection(index)
      connections.append(Connection(descriptor: descriptor, request: request))
      var event = epoll_event(
        events: EPOLLIN.rawValue, data: epoll_data_t(u32: UInt32(truncatingIfNeeded: index)))
      guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
        throw Complaint(description: "epoll refuses a socket: \(Self.systemError())")
      }
    }
  }

  /// Sends for the time given, then waits for what is under way. Returns the seconds that both
  /// took; throws when an answer does not come.
  mutating func run(seconds: Double) throws -> Double {
    let start = Self.nanoseconds()
    let end = start + UInt64(seconds * 1e9)
    let giveUp = end + UInt64(Self.drainSeconds * 1e9)
    for index in connections.indices { try send(on: index) }
    var events = [epoll_event](repeating: epoll_event(), count: connections.count)
    var waiting = connections.count
    var now = start
    while waiting > 0 {
      let ready = epoll_wait(epoll, &events, Int32(events.count), 1_000)
      now = Self.nanoseconds()
      guard now < giveUp else {
        throw Complaint(description: "\(waiting) requests got no answer")
      }
      for position in 0..<Int(max(0, ready)) {
        let index = Int(events[position].data.u32)
        guard try receive(on: index, now) else { continue }
        if now < end { try send(on: index) } else { waiting -= 1 }
      }
    }
    for connection in connections { close(connection.descriptor) }
    close(epoll)
    return Double(now - start) / 1e9
  }

  /// The latency that this share of the answers did not exceed, in microseconds.
  func latency(_ share: Double) -> Int {
    var rest = Int(Double(answers) * share)
    for (index, count) in buckets.enumerated() {
      rest -= count
      if rest < 0 { return (index + 1) * Int(Self.microsecondsPerBucket) }
    }
    return buckets.count * Int(Self.microsecondsPerBucket)
  }

  private mutating func send(on index: Int) throws {
    random ^= random << 13
    random ^= random >> 7
    random ^= random << 17
    let customer = Int64(random % UInt64(connections[index].request.customers))
    connections[index].request.setRequest(connections[index].sent, customer: customer)
    connections[index].sent += 1
    connections[index].isWaiting = true
    connections[index].sentAt = Self.nanoseconds()
    let bytes = connections[index].request.bytes
    // Far below a socket's buffer, and the one before it has been answered.
    guard write(connections[index].descriptor, bytes, bytes.count) == bytes.count else {
      throw Complaint(description: "a request could not be sent: \(Self.systemError())")
    }
  }

  /// True when the answer is whole.
  private mutating func receive(on index: Int, _ now: UInt64) throws -> Bool {
    let count = read(connections[index].descriptor, &buffer, buffer.count)
    guard count > 0, connections[index].isWaiting else {
      throw Complaint(description: "the server closed a connection")
    }
    if connections[index].received.isEmpty, Self.isWhole(buffer[..<count]) {
      note(buffer[..<count], on: index, now)
      return true
    }
    connections[index].received.append(contentsOf: buffer[..<count])
    guard Self.isWhole(connections[index].received[...]) else { return false }
    note(connections[index].received[...], on: index, now)
    connections[index].received.removeAll(keepingCapacity: true)
    return true
  }

  private mutating func note(_ answer: ArraySlice<UInt8>, on index: Int, _ now: UInt64) {
    connections[index].isWaiting = false
    let microseconds = (max(now, connections[index].sentAt) - connections[index].sentAt) / 1_000
    buckets[min(buckets.count - 1, Int(microseconds / Self.microsecondsPerBucket))] += 1
    if answer.starts(with: status) {
      answers += 1
    } else {
      wrong += 1
      if firstWrong == nil { firstWrong = String(decoding: answer.prefix(2_000), as: UTF8.self) }
    }
  }

  /// Every server here names the length of what it answers.
  private static func isWhole(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return false }
      var length: Int?
      var position = 0
      while position + 4 <= bytes.count {
        guard bytes[position] == UInt8(ascii: "\r"), bytes[position + 1] == UInt8(ascii: "\n")
        else {
          position += 1
          continue
        }
        if bytes[position + 2] == UInt8(ascii: "\r") {
          return length.map { bytes.count >= position + 4 + $0 } ?? false
        }
        position += 2
        if lengthField.count < bytes.count - position,
          memcmp(base + position, lengthField, lengthField.count) == 0
        {
          length = atol((base + position + lengthField.count).assumingMemoryBound(to: CChar.self))
        }
      }
      return false
    }
  }

  private static func connect(_ port: UInt16) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    var one: Int32 = 1
    guard descriptor >= 0, code == 0,
      setsockopt(
        descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size)) == 0
    else { throw Complaint(description: "cannot connect to port \(port): \(systemError())") }
    return descriptor
  }

  private static func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  private static func systemError() -> String { String(cString: strerror(errno)) }
}
