import Foundation
import Testing

@testable import Sandbox

/// How calls arrive, and what broken ones get: always an envelope, never a 500.
@Suite struct TransportTests {
  private static let method = "/bot\(Workbench.token)/createInvoiceLink"
  private static let prices = #"[{"label":"L","amount":75}]"#

  @Test func takesParametersInEveryFormLibrariesSend() async throws {
    try await withSandbox { bench in
      let prices = Self.prices.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
      let form = "title=A%20b&description=D+d&payload=p&currency=XTR&prices=\(prices)"
      let multipart =
        [
          ("title", "T"), ("description", "D"), ("payload", "p"), ("currency", "XTR"),
          ("prices", Self.prices),
        ]
        .map { "--x1\r\nContent-Disposition: form-data; name=\"\($0)\"\r\n\r\n\($1)\r\n" }
        .joined() + "--x1--\r\n"
      let json = #"{"title":"T","description":"D","payload":"p","currency":"XTR","prices":"#
      let calls: [(String, String, [String: String], String)] = [
        ("GET", "?\(form)", [:], ""),
        ("POST", "?\(form)", [:], ""),
        ("POST", "", ["Content-Type": "application/x-www-form-urlencoded"], form),
        ("POST", "", ["Content-Type": "multipart/form-data; boundary=x1"], multipart),
        ("POST", "", ["Content-Type": "multipart/form-data; boundary=\"x1\""], multipart),
        ("POST", "", ["Content-Type": "application/json"], json + Self.prices + "}"),
        (
          "POST", "", ["Content-Type": "application/json; charset=utf-8"],
          json + #""[{\"label\":\"L\",\"amount\":75}]"}"#
        ),
      ]
      for (verb, query, headers, body) in calls {
        let reply = try await bench.http(
          verb, Self.method + query, headers: headers, body: Array(body.utf8))
        #expect(reply.status == 200, "\(verb) \(headers) \(reply.text)")
        #expect(reply.text.contains("t.me"), "\(reply.text)")
      }
      let test = try await bench.http("GET", "/bot\(Workbench.token)/test/GetMe")
      #expect(test.status == 200)
    }
  }

  @Test func brokenCallsGetAnEnvelope() async throws {
    try await withSandbox { bench in
      let json = ["Content-Type": "application/json"]
      let deep = String(repeating: "[", count: 5000)
      let calls: [(String, [String: String], [UInt8], Int)] = [
        (Self.method, json, Array(#"{"title":"#.utf8), 400),
        (Self.method, json, Array("[1,2]".utf8), 400),
        (Self.method, json, Array(deep.utf8), 400),
        (Self.method, json, Array(#"{"prices":"\#(deep)"}"#.utf8), 400),
        (Self.method, json, [0x7B, 0x22, 0xFF, 0xFE, 0x22, 0x7D], 400),
        (Self.method, json, Array(#"{"title":["a"],"prices":{"a":1}}"#.utf8), 400),
        (Self.method, json, Array(#"{"title":"T","payload":1e400}"#.utf8), 400),
        (Self.method, json, Array(repeating: UInt8(ascii: " "), count: 1_100_000), 413),
        (
          Self.method, ["Content-Type": "multipart/form-data; boundary=x"], Array("--x\r\n".utf8),
          400
        ),
        (Self.method, ["Content-Type": "multipart/form-data"], Array("--x--".utf8), 400),
        (
          Self.method, ["Content-Type": "application/x-www-form-urlencoded"],
          Array("title=%FF%FE&a=%".utf8), 400
        ),
        (
          "/bot\(Workbench.token)/sendMessage", json,
          Array(#"{"chat_id":99999999999999999999,"text":"a"}"#.utf8), 400
        ),
        ("/bot\(Workbench.token)/getUpdates", json, Array(#"{"offset":{},"limit":[]}"#.utf8), 200),
        ("/bot\(Workbench.token)/unknown", json, [], 404),
        ("/bot\(Workbench.token)/a/b/c", json, [], 404),
        ("/bot7001:wrong/getMe", json, [], 401),
        ("/botx/getMe", json, [], 401),
        ("/bot7001:%E2%82%AC/getMe", json, [], 401),
      ]
      for (path, headers, body, status) in calls {
        let reply = try await bench.http("POST", path, headers: headers, body: body)
        #expect(reply.status == status, "\(path) \(reply.text)")
        #expect(reply.text.hasPrefix("{"), "\(path)")
        if status != 200 { #expect(reply.text.contains("\"error_code\":\(status)")) }
      }
      let unauthorized = try await bench.http("GET", "/bot7001:wrong/getMe")
      for part in [#""ok":false"#, #""error_code":401"#, #""description":"Unauthorized""#] {
        #expect(unauthorized.text.contains(part))
      }
    }
  }

  @Test func brokenConsoleCallsGetAnEnvelopeToo() async throws {
    try await withSandbox { bench in
      let calls: [(String, String, String, Int)] = [
        ("POST", "/sandbox/people", "{", 400),
        ("POST", "/sandbox/people", #"{"id":"5","first_name":"A"}"#, 400),
        ("POST", "/sandbox/people", #"{"id":5}"#, 400),
        ("POST", "/sandbox/people", #"{"id":-5,"first_name":"A"}"#, 400),
        ("POST", "/sandbox/people", #"{"id":5,"first_name":"A","stars":-1}"#, 400),
        ("POST", "/sandbox/bots", #"{"token":"x","name":"A","username":"abc"}"#, 400),
        ("POST", "/sandbox/people/5001/chats/1/messages", #"{"text":"a"}"#, 404),
        ("POST", "/sandbox/people/x/chats/7001/messages", #"{"text":"a"}"#, 404),
        ("POST", "/sandbox/people/5001/chats/7001/messages", #"{"text":""}"#, 400),
        ("POST", "/sandbox/people/5001/payments", #"{"invoice":"nothing"}"#, 404),
        ("POST", "/sandbox/people/5001/payments", "{}", 400),
        ("POST", "/sandbox/clock", #"{"seconds":-1}"#, 400),
        ("POST", "/sandbox/clock", #"{"seconds":1e300}"#, 400),
        ("POST", "/sandbox/faults", #"{"kind":"other"}"#, 400),
        ("POST", "/sandbox/charges/none/refund", "{}", 404),
        ("POST", "/sandbox/people/5001/top-ups", #"{"stars":9223372036854775807}"#, 400),
        ("GET", "/sandbox/nothing", "", 404),
      ]
      for (verb, path, body, status) in calls {
        let reply = try await bench.http(verb, path, body: Array(body.utf8))
        #expect(reply.status == status, "\(path) \(body) \(reply.text)")
        #expect(reply.text.contains(#""error":"#), "\(path) \(reply.text)")
      }
    }
  }

  @Test func oversizedBodiesAre413Everywhere() async throws {
    try await withSandbox { bench in
      let body = Array(repeating: UInt8(ascii: "x"), count: 1_100_000)
      for path in [
        "/sandbox/clock", "/console/clock", "/people/5001/chats/7001/messages",
        "/bot\(Workbench.token)/sendMessage",
      ] {
        let reply = try await bench.http("POST", path, body: body)
        #expect(reply.status == 413, "\(path)")
      }
      let head = try await bench.http("HEAD", "/")
      #expect(head.status == 200 && head.text.isEmpty)
    }
  }

  @Test func foreignSitesMayNotAct() async throws {
    try await withSandbox { bench in
      let form = Array(#"{"seconds":60}"#.utf8)
      let foreign = [
        ["Origin": "https://example.com"], ["Sec-Fetch-Site": "cross-site"],
        ["Sec-Fetch-Site": "same-site"], ["Origin": "null"], ["Host": "sandbox.example.com"],
      ]
      for headers in foreign {
        let reply = try await bench.http("POST", "/sandbox/clock", headers: headers, body: form)
        #expect(reply.status == 403, "\(headers)")
      }
      #expect(await bench.book.clockOffset == 0)
      let own = ["Origin": bench.url]
      let reply = try await bench.http("POST", "/sandbox/clock", headers: own, body: form)
      #expect(reply.status == 200)
    }
  }

  @Test func aTakenPortIsOneClearLine() async throws {
    try await withSandbox { bench in
      let directory = bench.directory.appending(path: "second")
      let configuration = SandboxConfiguration(
        port: bench.port, dataDirectory: directory, resources: repository)
      let server = try SandboxServer(configuration: configuration, logger: quiet)
      let error = await #expect(throws: SandboxError.self) { try await server.run() }
      #expect(
        "\(error!)"
          == "The sandbox cannot listen on 127.0.0.1:\(bench.port): Address already in use.")
      #expect(await server.port == nil)
    }
  }
}
