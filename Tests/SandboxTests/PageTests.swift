import Foundation
import Telegram
import Testing

@testable import Sandbox

/// The phone without a script: plain requests and forms.
@Suite struct PageTests {
  private static let chat = "/people/\(Workbench.ann)/chats/\(Workbench.botID)"
  private static let form = ["Content-Type": "application/x-www-form-urlencoded"]

  /// Posts a form, follows to the page it leads to, and gives that page.
  private func submit(_ bench: Workbench, _ path: String, _ fields: String) async throws -> String {
    let reply = try await bench.http("POST", path, headers: Self.form, body: Array(fields.utf8))
    #expect(reply.status == 303, "\(path) \(reply.text)")
    let target = try #require(reply.headers["location"]).prefix { $0 != "#" }
    let page = try await bench.http("GET", String(target))
    #expect(page.status == 200)
    return page.text
  }

  @Test func everyPageAnswersStrictlyAndSaysWhatThisIs() async throws {
    try await withSandbox { bench in
      let person = "/people/\(Workbench.ann)"
      for path in [
        "/", person, Self.chat, "\(person)/payments", "\(person)/subscriptions",
        "/console",
      ] {
        let page = try await bench.http("GET", path)
        #expect(page.status == 200, "\(path)")
        let policy = try #require(page.headers["content-security-policy"])
        #expect(policy.contains("default-src 'self'") && !policy.contains("unsafe"))
        #expect(page.text.contains("<strong>Sandbox</strong> — no real Stars"))
        #expect(!page.text.contains("style=") && !page.text.contains("onclick"))
        #expect(!page.text.contains("<script>"))
      }
      for path in ["/people/1", "/people/x", "/people/5001/chats/1", "/nothing", "/assets/x.css"] {
        #expect(try await bench.http("GET", path).status == 404, "\(path)")
      }
      let page = try await bench.http("GET", "/").text
      let style = try #require(page.firstMatch(of: #/\/assets\/phone\.css\?v=[a-z0-9]+/#))
      #expect(try await bench.http("GET", String(style.output)).status == 200)
      #expect(
        try await bench.http("GET", "/assets/phone.js").headers["content-type"]
          == "text/javascript; charset=utf-8")
    }
  }

  @Test func manyPeopleAreFoundByNameAndId() async throws {
    try await withSandbox { bench in
      #expect(try await !bench.http("GET", "/").text.contains("type=\"search\""))
      try await bench.book.seed(
        (1...120).map { PersonCard(id: 70_000 + $0, firstName: "Extra", username: "extra_\($0)") }
          + [PersonCard(id: 80_001, firstName: "João", lastName: "da Luz")])
      let page = try await bench.http("GET", "/").text
      let all = await bench.book.people().count
      #expect(page.contains("50 of \(all) people"))
      #expect(page.matches(of: #/href="\/people\//#).count == 50)
      for query in ["joao+da", "JO%C3%83O", "80001"] {
        let found = try await bench.http("GET", "/?q=\(query)").text
        #expect(found.matches(of: #/href="\/people\//#).count == 1, "\(query)")
        #expect(found.contains("/people/80001") && found.contains("1 people"), "\(query)")
      }
      let nobody = try await bench.http("GET", "/?q=%3Cb%3E").text
      #expect(nobody.contains("Nobody is called that") && nobody.contains("value=\"&lt;b&gt;\""))
    }
  }

  @Test func namesNeverBecomeMarkup() async throws {
    try await withSandbox { bench in
      // A prepended or combining mark makes one grapheme of it and the bracket.
      for (id, name) in [(61, "<script>a"), (62, "\u{600}<script>b"), (63, "<\u{301}script>c")] {
        _ = try await bench.book.registerPerson(
          PersonCard(id: Int64(id), firstName: name, stars: 1))
      }
      let page = try await bench.http("GET", "/").text
      #expect(page.utf8.count(where: { $0 == UInt8(ascii: "<") }) > 10)
      #expect(!Array(page.unicodeScalars).contains(sequence: Array("<script>".unicodeScalars)))
      #expect(
        Array(page.unicodeScalars).contains(sequence: Array("&lt;script&gt;a".unicodeScalars)))
    }
  }

  @Test func aPersonBuysAndComplainsByFormsAlone() async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      let shop = runShop(client) { update in
        guard let message = update.message else { return }
        if message.command == "start" {
          _ = try? await client.sendMessage(
            to: message.chat.id, "Hello", replyMarkup: InlineKeyboard(.callback("Packs", "packs")))
        } else if message.successfulPayment != nil {
          _ = try? await client.sendMessage(to: message.chat.id, "Thank you")
        }
      }
      defer { shop.cancel() }
      #expect(try await bench.http("GET", Self.chat).text.contains("<button>Start</button>"))
      let greeted = try await submit(bench, "\(Self.chat)/messages", "text=%2Fstart")
      #expect(greeted.contains(">Hello<") && greeted.contains("<button>Packs</button>"))

      try await client.sendInvoice(to: Workbench.ann, invoice())
      let page = try await bench.http("GET", Self.chat).text
      #expect(page.contains("<button>Pay 75 ★</button>"))
      let sheetPath = try #require(
        page.firstMatch(of: #/action="([^"]+\/invoices\/[A-Za-z0-9]+)"/#)?.output.1)
      let sheet = try await bench.http("GET", String(sheetPath)).text
      for part in ["Start", "10 credits", "1,000 ★", "925 ★", "Cancel", ">Pay 75 ★<"] {
        #expect(sheet.contains(part), "\(part)")
      }
      let paid = try await submit(bench, "\(sheetPath)/payment", "")
      #expect(paid.contains("You paid 75 ★") && paid.contains("Thank you"))
      #expect(paid.contains("925 ★") && !paid.contains("<button>Pay 75 ★</button>"))

      let receipt = try #require(paid.firstMatch(of: #/href="([^"]+\/payments\/stx[^"]+)"/#))
      let receiptPath = String(receipt.output.1)
      #expect(try await bench.http("GET", receiptPath).text.contains("Ask for a refund"))
      let asked = try await submit(bench, "\(receiptPath)/complaint", "reason=Too+dull")
      #expect(asked.contains("/paysupport stx") && asked.contains("Too dull"))
      let charge = try #require(receiptPath.split(separator: "/").last)
      let console = try await submit(
        bench, "/console/refunds", "charge=\(charge)&origin=telegram")
      #expect(console.contains("The Stars went back."))
      let after = try await bench.http("GET", Self.chat).text
      #expect(after.contains("75 ★ were refunded to you"))
    }
  }

  @Test func aRefusalIsShownOnce() async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      let shop = runShop(client, refusal: "Sold <out>")
      defer { shop.cancel() }
      let link = try await client.createInvoiceLink(invoice())
      let slug = try #require(TranscriptView.slug(in: link))
      let path = "\(Self.chat)/invoices/\(slug)/payment"
      let reply = try await bench.http("POST", path, headers: Self.form)
      let target = try #require(reply.headers["location"]).prefix { $0 != "#" }
      let page = try await bench.http("GET", String(target)).text
      #expect(page.contains("The bot refused: Sold &lt;out&gt; Nothing was charged."))
      #expect(!(try await bench.http("GET", String(target)).text.contains("The bot refused")))
    }
  }

  @Test func everythingSomebodyTypedIsEscaped() async throws {
    try await withSandbox { bench in
      let evil = #"<script>alert(1)</script>"'&"#
      let client = try bench.client()
      try await bench.book.registerPerson(PersonCard(id: 6, firstName: evil, lastName: evil))
      try await bench.book.registerBot(token: "7002:a", name: evil, username: "evil_bot")
      try await bench.book.sendText("/start \(evil)", from: Workbench.ann, to: Workbench.botID)
      try await client.sendMessage(
        to: Workbench.ann, evil + " https://example.com/\"onload=x",
        replyMarkup: InlineKeyboard(.callback(evil, "a"), .link(evil, "https://e.x/?\"><script>")))
      try await client.setMyCommands([BotCommand(command: "a", description: evil)])
      try await client.sendInvoice(
        to: Workbench.ann,
        InvoiceRequest(
          title: String(evil.prefix(32)), description: evil, payload: "p",
          price: LabeledPrice(label: evil, amount: 1)))
      let slug = try #require(await bench.book.state.invoices.keys.first)
      for path in [
        "/", "/people/6", "/people/6/chats/7002", "/console", Self.chat,
        "\(Self.chat)/transcript", "\(Self.chat)/invoices/\(slug)",
      ] {
        let page = try await bench.http("GET", path).text
        #expect(!page.contains("<script>alert"), "\(path)")
        #expect(!page.contains("\"onload"), "\(path)")
      }
    }
  }

  @Test func textsKeepTheirStylesAndLinks() {
    let text = "Héllo 👋 bold https://t.me/$abc <x>"
    let bold = MessageEntity(type: "bold", offset: 9, length: 4)
    let html = RichTextHTML.render(text, entities: [bold]) { link in
      TranscriptView.slug(in: link).map { "/pay/\($0)" }
    }
    #expect(
      html == "Héllo 👋 <b>bold</b> "
        + #"<a href="/pay/abc" rel="noopener noreferrer">https://t.me/$abc</a> &lt;x&gt;"#)
    let broken = MessageEntity(type: "bold", offset: 90, length: Int.max)
    #expect(RichTextHTML.render("a", entities: [broken]) { _ in nil } == "a")
  }

  @Test func theScriptIsToldWhenNothingChanged() async throws {
    try await withSandbox { bench in
      try await bench.book.sendText("one", from: Workbench.ann, to: Workbench.botID)
      let first = try await bench.http("GET", "\(Self.chat)/transcript")
      let tag = try #require(first.headers["etag"])
      let same = try await bench.http(
        "GET", "\(Self.chat)/transcript", headers: ["If-None-Match": tag])
      #expect(same.status == 304 && same.text.isEmpty)
      try await bench.book.sendText("two", from: Workbench.ann, to: Workbench.botID)
      let next = try await bench.http(
        "GET", "\(Self.chat)/transcript", headers: ["If-None-Match": tag])
      #expect(next.status == 200 && next.text.contains("two"))
    }
  }

  @Test func theConsoleMovesTheClockAndTopsUp() async throws {
    try await withSandbox { bench in
      let moved = try await submit(bench, "/console/clock", "days=30")
      #expect(moved.contains("The clock moved 30 days on.") && moved.contains("Moved clock"))
      let topped = try await submit(
        bench, "/console/top-ups", "person=\(Workbench.ann)&stars=500")
      #expect(topped.contains("1,500 ★"))
      let copies = try await submit(
        bench, "/console/duplicates", "bot=\(Workbench.botID)&copies=3")
      #expect(copies.contains("delivered 3 times"))
      for body in ["days=0", "days=x", "days=99999999"] {
        let reply = try await bench.http(
          "POST", "/console/clock", headers: Self.form, body: Array(body.utf8))
        #expect(reply.status == 400)
      }
    }
  }
}

extension [Unicode.Scalar] {
  fileprivate func contains(sequence: [Unicode.Scalar]) -> Bool {
    indices.contains { self[$0...].starts(with: sequence) }
  }
}
