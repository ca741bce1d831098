import ArgumentParser
import Foundation

/// Sends the same request over and over on many connections, each with one in flight, and prints
/// one line of JSON. What was sent is waited for, so that every answer is counted.
struct LoadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "load")

  @Option var port: UInt16
  /// GET or POST.
  @Option var method: String
  @Option var path: String
  /// The status every answer must have.
  @Option var status: Int
  @Option var connections = 64
  @Option var seconds: Double
  @Option var apiKey: String?
  @Option var action: String?
  @Option var firstUser: Int64 = 0
  @Option var customers: Int64 = 1
  /// With it each request carries an Idempotency-Key of its own, which begins with this.
  @Option var keys: String?
  /// A file of bodies, one a line, of which each request takes one by chance.
  @Option var bodies: String?
  /// With bodies: the number of the run, 0…99, so that no two send the same.
  @Option var runNumber: Int64 = 0

  private struct Outcome: Encodable {
    let answers: Int
    let wrong: Int
    let firstWrong: String?
    let seconds: Double
    let p50Microseconds: Int
    let p99Microseconds: Int
  }

  func run() async throws {
    let template =
      try bodies.map {
        try RequestTemplate(path: path, apiKey: apiKey, bodies: $0, runNumber: runNumber)
      }
      ?? RequestTemplate(
        method: method, path: path, apiKey: apiKey, action: action, firstUser: firstUser,
        customers: customers, keys: keys)
    var load = try Load(
      template: template, port: port, connections: connections, status: status)
    let elapsed = try load.run(seconds: seconds)
    let outcome = Outcome(
      answers: load.answers, wrong: load.wrong, firstWrong: load.firstWrong, seconds: elapsed,
      p50Microseconds: load.latency(0.5), p99Microseconds: load.latency(0.99))
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    FileHandle.standardOutput.write(try encoder.encode(outcome) + Data("\n".utf8))
  }
}

/// A request as bytes, with the places where the customer and the key are written. Both have a
/// fixed number of digits, so a new request is a few bytes overwritten.
struct RequestTemplate {
  private(set) var bytes: [UInt8]
  private var userAt: Int?
  private var connectionAt: Int?
  private var numberAt: Int?
  let firstUser: Int64
  let customers: Int64
  /// Whole requests with bodies of their own, and where the request's number goes in each.
  private var variants: [(bytes: [UInt8], numbersAt: [Int])] = []
  private var runNumber: Int64 = 0
  private var connection: Int64 = 0

  private static let connectionDigits = 3
  private static let numberDigits = 7

  init(
    method: String, path: String, apiKey: String?, action: String?, firstUser: Int64,
    customers: Int64, keys: String?
  ) {
    self.firstUser = firstUser
    self.customers = customers
    var head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if let apiKey { head += "Authorization: Bearer \(apiKey)\r\n" }
    if let keys {
      head += "Idempotency-Key: \(keys)"
      connectionAt = head.utf8.count
      head += String(repeating: "0", count: Self.connectionDigits) + "-"
      numberAt = head.utf8.count
      head += String(repeating: "0", count: Self.numberDigits) + "\r\n"
    }
    guard let action else {
      bytes = Array((head + "\r\n").utf8)
      return
    }
    let body = "{\"user\":\(firstUser),\"action\":\"\(action)\",\"units\":1}"
    head += "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
    userAt = head.utf8.count + "{\"user\":".utf8.count
    bytes = Array((head + body).utf8)
  }

  /// - Parameter bodies: A file, one a line. Ten `#` stand for the request's number: two digits of
  ///   the run, three of the connection, five of the request.
  init(path: String, apiKey: String?, bodies: String, runNumber: Int64) throws {
    let lines = try String(contentsOf: URL(filePath: bodies), encoding: .utf8)
      .split(separator: "\n")
    let mark = [UInt8](repeating: UInt8(ascii: "#"), count: 10)
    variants = lines.map { line in
      var head = "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n"
      if let apiKey { head += "Authorization: Bearer \(apiKey)\r\n" }
      head += "Content-Type: application/json\r\nContent-Length: \(line.utf8.count)\r\n\r\n"
      let bytes = Array((head + line).utf8)
      return (bytes, bytes.indices.filter { bytes[$0...].starts(with: mark) })
    }
    guard let first = variants.first else { throw Complaint(description: "no bodies") }
    bytes = first.bytes
    firstUser = 0
    customers = Int64(variants.count)
    self.runNumber = runNumber
  }

  mutating func setConnection(_ connection: Int) {
    self.connection = Int64(connection)
    if let connectionAt { write(Int64(connection), at: connectionAt, Self.connectionDigits) }
  }

  mutating func setRequest(_ number: Int, customer: Int64) {
    guard variants.isEmpty else {
      bytes = variants[Int(customer)].bytes
      let whole = (runNumber * 1_000 + connection) * 100_000 + Int64(number)
      for position in variants[Int(customer)].numbersAt { write(whole, at: position, 10) }
      return
    }
    if let numberAt { write(Int64(number), at: numberAt, Self.numberDigits) }
    if let userAt { write(firstUser + customer, at: userAt, String(firstUser).utf8.count) }
  }

  private mutating func write(_ value: Int64, at start: Int, _ digits: Int) {
    var rest = value
    for position in (start..<start + digits).reversed() {
      bytes[position] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    }
  }
}
