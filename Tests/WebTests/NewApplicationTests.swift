@_spi(Guard) import EStars
import Foundation
import HTTPTypes
import Testing

@testable import Web

/// The form that anybody may send, and those who send it for no good.
@Suite struct NewApplicationTests {
  @Test func whatIsWrongIsSaidAndWhatWasTypedStays() async throws {
    try await ServerFixture.with { fixture in
      let page = try await fixture.send(.get, "/pt-br/pilot")
      #expect(page.status == 200 && page.headers[.setCookie] == nil)
      #expect(page.headers[.cacheControl] == "no-store" && page.body.contains("lang=\"pt-BR\""))
      let stamp = try #require(
        page.body.firstMatch(of: /name="stamp" value="([^"]+)"/).map { String($0.output.1) })
      #expect(FormStamp.age(of: stamp, at: Date(), fixture.platform.secrets) == .tooYoung)
      let empty = try await fixture.post("/pt-br/pilot", ["stamp": fixture.stamp()])
      #expect(empty.status == 422)
      for field in ["bot", "segment", "stars", "cost", "contact", "pain"] {
        #expect(empty.body.contains("id=\"\(field)-problem\""), "\(field)")
      }
      let wrong = [
        "bot": "a b", "segment": "bank", "stars": "-5", "cost": String(repeating: "x", count: 201),
        "contact": "ab", "pain": String(repeating: "y", count: 2001), "code": "NO-SUCH",
      ]
      for (field, text) in wrong {
        let form = ServerFixture.application.merging([
          field: text, "stamp": fixture.stamp(),
        ]) { $1 }
        let answer = try await fixture.post("/pilot", form)
        #expect(answer.status == 422 && answer.body.contains("id=\"\(field)-problem\""), "\(field)")
        #expect(answer.body.contains("value=\"0.45 BRL a picture\"") || field == "cost")
      }
      // Too young, too old, of another machine, missing, or from another site: once more.
      let forged = String(fixture.stamp().dropLast(4)) + "AAAA"
      for stamp in [fixture.stamp(1), fixture.stamp(86_500), fixture.stamp(-60), forged, ""] {
        let answer = try await fixture.post(
          "/pilot", ServerFixture.application.merging(["stamp": stamp]) { $1 })
        #expect(answer.status == 422 && answer.body.contains("send it once more"))
        #expect(answer.body.contains("value=\"@ana_souza\""))
      }
      let foreign = try await fixture.post(
        "/pilot", ServerFixture.application.merging(["stamp": fixture.stamp()]) { $1 },
        [.origin: "https://static.example"])
      #expect(foreign.status == 422 && foreign.body.contains("send it once more"))
      #expect(try await fixture.applicationCount() == 0)
      // One that was sent twice is one; with other words it says so.
      let stamped = fixture.stamp()
      let first = try await fixture.apply(["stamp": stamped])
      #expect(try await fixture.apply(["stamp": stamped]) == first)
      let other = try await fixture.post(
        "/pilot",
        ServerFixture.application.merging(["stamp": stamped, "pain": "Something else"]) { $1 })
      #expect(other.status == 422 && other.body.contains(first))
      #expect(try await fixture.applicationCount() == 1)
    }
  }

  /// Whatever stands in whatever field comes back as words, to applicants, admins and owners.
  @Test func markupIsWordsEverywhere() async throws {
    try await ServerFixture.with { fixture in
      let admin = try await AdminDesk(fixture)
      let evil = #"<script>alert(1)</script><b>**b** [x](javascript:alert(1)) "onload='x' &lt;i>"#
      func expectWords(_ answer: AdminDesk.Answer, _ status: Int, _ place: String) {
        #expect(answer.status == status, "\(place)")
        #expect(!answer.body.contains("<script>alert"), "\(place)")
        #expect(!answer.body.contains("<b>"), "\(place)")
        #expect(!answer.body.contains("href=\"javascript"), "\(place)")
        #expect(answer.body.contains("&lt;script&gt;"), "\(place)")
        #expect(answer.body.contains("**b** [x](javascript:alert(1)) &quot;onload"), "\(place)")
      }
      for field in ["bot", "code"] {
        let form = ServerFixture.application.merging([
          field: evil, "stamp": fixture.stamp(),
        ]) { $1 }
        expectWords(try await fixture.post("/pilot", form), 422, field)
      }
      for field in ["segment", "stars", "stamp"] {
        let form = ServerFixture.application.merging(["stamp": fixture.stamp()]) { $1 }
          .merging([field: evil]) { $1 }
        let answer = try await fixture.post("/pilot", form)
        #expect(answer.status == 422 && !answer.body.contains("<script>alert"), "\(field)")
      }
      let link = try await fixture.apply(["cost": evil, "contact": evil, "pain": evil])
      let application = try #require(
        try await Application.find(
          token: link.replacing("/applications/", with: ""), fixture.platform.pool))
      let path = "/admin/applications/\(application.id)"
      expectWords(try await fixture.send(.get, link), 200, "status")
      expectWords(try await admin.get(path), 200, "application")
      for (noun, field) in [("notes", "note"), ("question", "question")] {
        #expect(try await admin.post("\(path)/\(noun)", [field: evil]).status == 303)
      }
      let long = evil + String(repeating: "y", count: 2000)
      expectWords(try await fixture.post(link + "/answer", ["body": long]), 422, "long answer")
      #expect(try await fixture.post(link + "/answer", ["body": evil]).status == 303)
      expectWords(
        try await admin.post(path + "/decline", ["reason": "", "decline_words": evil]), 422,
        "decline")
      expectWords(
        try await admin.post(
          path + "/approval", ["name": evil, "slug": evil, "approval_words": evil]), 422,
        "slug")
      // A name has 80 characters.
      let name = #"<script>alert(1)</script><b>**b** [x](javascript:alert(1)) "onload"#
      let made = try await admin.post(
        path + "/approval", ["name": name, "slug": "markup", "approval_words": evil])
      expectWords(made, 201, "invitation")
      expectWords(try await fixture.send(.get, link), 200, "approved")
      for place in [path, "/admin/workspaces"] {
        expectWords(try await admin.get(place), 200, place)
      }
      let workspace = try #require(try await Workspace.find(slug: "markup", fixture.platform.pool))
      let business = "/admin/workspaces/\(workspace.id)"
      for noun in ["suspension", "resumption", "visits"] {
        #expect(try await admin.post("\(business)/\(noun)", ["reason": evil]).status == 303)
      }
      for place in [business, "/admin/audit", "/w/markup/audit", "/w/markup"] {
        expectWords(try await admin.get(place), 200, place)
      }
    }
  }

  @Test func whatNobodySeesIsTakenOut() async throws {
    try await ServerFixture.with { fixture in
      let link = try await fixture.apply([
        "pain": "a\u{1}b\u{202e}c\u{200b}\tz\u{7f}", "cost": "1\u{2066}2\u{fffe}\u{2069}3",
        "contact": "\u{200f}ana@\u{feff}example.com",
      ])
      let page = try await fixture.send(.get, link).body
      for words in [">a bc z<", ">123<", ">ana@example.com<"] {
        #expect(page.contains(words), "\(words)")
      }
      for nobody in ["\u{202e}..\u{2066}--", "-- --", "@ab"] {
        let form = ServerFixture.application.merging([
          "contact": nobody, "stamp": fixture.stamp(),
        ]) { $1 }
        let answer = try await fixture.post("/pilot", form)
        #expect(answer.status == 422 && answer.body.contains("id=\"contact-problem\""))
      }
    }
  }

  @Test func aFieldThatNobodySeesIsATrap() async throws {
    try await ServerFixture.with { fixture in
      let link = try await fixture.apply(["website": "https://buy.example"])
      let page = try await fixture.send(.get, link)
      #expect(page.status == 200 && page.body.contains("A person reads it"))
      #expect(try await fixture.send(.get, link + "x").status == 404)
      #expect(try await fixture.post(link + "/removal", ["confirmed": "1"]).status == 404)
      #expect(try await fixture.applicationCount() == 0)
    }
  }

  @Test func oneAddressIsHeardFiveTimesADay() async throws {
    try await ServerFixture.with { fixture in
      var statuses: [Int: Int] = [:]
      for number in 0..<40 {
        let answer = try await fixture.post(
          "/pilot",
          ServerFixture.application.merging([
            "stamp": fixture.stamp(), "bot": "@bot_number_\(number)",
          ]) { $1 })
        statuses[answer.status, default: 0] += 1
        if answer.status == 429 {
          #expect(answer.headers[.retryAfter] != nil && answer.body.contains("bot_number_"))
        }
      }
      #expect(statuses == [303: 5, 429: 35])
      #expect(try await fixture.applicationCount() == 5)
      let keys = try await fixture.platform.pool.query("select throttle_key from throttles")
        .map { try $0.get("throttle_key", as: String.self) }
      #expect(!keys.joined().contains("unknown") && keys.contains("applications"))
    }
  }

  /// Deleted by whoever applied, and nothing is left but what the ledger of admins says.
  @Test func anApplicantDeletesWhatIsKept() async throws {
    try await ServerFixture.with { fixture in
      let admin = try await AdminDesk(fixture)
      let link = try await fixture.apply()
      let application = try #require(
        try await Application.find(
          token: link.replacing("/applications/", with: ""), fixture.platform.pool))
      let path = "/admin/applications/\(application.id)"
      #expect(try await admin.post(path + "/notes", ["note": "A secret note"]).status == 303)
      let declined = try await admin.post(path + "/decline", ["reason": ""])
      #expect(declined.status == 422)
      let words = "Not <now>"
      #expect(
        try await admin.post(
          path + "/decline", ["reason": "poor_fit", "decline_words": words]
        ).status == 303)
      #expect(try await admin.post(path + "/decline", ["reason": "other"]).status == 409)
      let status = try await fixture.send(.get, link).body
      #expect(status.contains("Not &lt;now&gt;") && status.contains("would not help this bot"))
      #expect(!status.contains("secret note") && !status.contains(admin.person.email))
      #expect(try await fixture.post(link + "/removal", [:]).status == 422)
      let foreign = try await fixture.post(
        link + "/removal", ["confirmed": "1"], [.origin: "https://evil.example"])
      #expect(foreign.status == 403)
      let removed = try await fixture.post(link + "/removal", ["confirmed": "1"])
      #expect(removed.status == 303 && removed.headers[.location] == "/pilot?removed=1")
      #expect(try await fixture.send(.get, "/pilot?removed=1").body.contains("is deleted"))
      #expect(try await fixture.send(.get, link).status == 404)
      #expect(try await admin.get(path).status == 404)
      let left = try await fixture.platform.pool.query(
        """
        select (select count(*) from applications) + (select count(*) from application_messages)
          as count
        """)[0].get("count", as: Int.self)
      #expect(left == 0)
      #expect(try await !admin.get("/admin/audit").body.contains("ana_souza"))
      // Or by an admin, for somebody who wrote by another way.
      let other = try await fixture.apply()
      let second = try #require(
        try await Application.find(
          token: other.replacing("/applications/", with: ""), fixture.platform.pool))
      let removal = "/admin/applications/\(second.id)/removal"
      #expect(try await admin.post(removal).status == 422)
      #expect(try await admin.post(removal, ["confirmed": "1"]).status == 303)
      #expect(try await fixture.send(.get, other).status == 404)
    }
  }
}
