import Foundation
import Testing

@testable import Web

/// Every page, byte for byte. `ESTARS_UPDATE_GOLDENS=1 bin/test` writes them anew; read the diff.
@Suite struct GoldenTests {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private static let loaded = Result { try Renderer(root: root) }
  static func renderer() throws -> Renderer { try loaded.get() }

  struct Page: Sendable, CustomTestStringConvertible {
    let name: String
    let render: @Sendable (Renderer) throws -> String
    var testDescription: String { name }
  }

  static let address = URL(string: "https://estars.example") ?? root

  static let site = Result { try Site(root: root, shell: try shell()) }
  private static let docs = Result { try Docs(root: root, shell: try shell()) }

  private static func shell() throws -> SiteShell {
    try SiteShell(
      root: root, address: SiteAddress(publicURL: address), renderer: try renderer())
  }

  private static func name(_ slug: String, _ language: Language) -> String {
    language == .en ? slug : slug + "-pt"
  }

  /// Every page for developers, in every language.
  private static let docsPages: [Page] = Docs.order.flatMap { page in
    Language.allCases.map { language in
      Page(name: name("docs" + (page.map { "-" + $0 } ?? ""), language)) { _ in
        let drawn = try docs.get().pages[Links.docs(page, language)]
        return String(decoding: try #require(drawn).body, as: UTF8.self)
      }
    }
  }

  /// Every page of the site that is drawn at boot, in every language.
  private static let sitePages: [Page] = SitePlace.allCases.filter { $0.content != nil }
    .flatMap { place in
      Language.allCases.map { language in
        let slug = place == .home ? "home" : place.rawValue.replacing("/", with: "-")
        return Page(name: name("site-\(slug)", language)) { _ in
          // The rules that a page carries are the stylesheet's.
          String(decoding: try site.get().page(place, language).body, as: UTF8.self)
            .replacing(/<style>[^<]*<\/style>/, with: "<style></style>")
        }
      }
    }

  /// The calculator as it answers.
  private static let marginPages: [Page] = [
    ("site-margin-loss", Language.en, ["stars": "10", "cost": "1000", "per": "pack", "fx": "5,5"]),
    (
      "site-margin-wrong-pt", .ptBR,
      [
        "stars": "\"><b>", "credits": "0", "cost": "dez", "per": "x", "currency": "reais",
        "fx": "0",
      ]
    ),
  ].map { name, language, query in
    Page(name: name) { renderer in
      let pages = try MarginPages(root: root, site: try site.get(), renderer: renderer)
      return try #require(pages.draw(query, language)).html
    }
  }

  static let pages: [Page] =
    sitePages + docsPages + marginPages + desk + RulePages.pages + Samples.catalogPages
    + BotSamples.pages + KeySamples.pages
    + PlanPages.pages + SubscriptionPages.pages + CheckoutSamples.pages
    + CartSamples.pages + SupportSamples.pages + AlertSamples.pages + CustomerPages.pages
    + OnboardingSamples.pages + FigureSamples.pages + Samples.refundPages + Samples.teamPages
    + Samples.pilotPages + Samples.applicationPages + Samples.adminPages

  private static let desk: [Page] = [
    Page(name: "login") { LoginView().render(with: $0, language: .en) },
    Page(name: "login-wrong") {
      LoginView(email: "a\"><b>@x.example", failure: .wrongCredentials, next: "/w/x?a=1&b=2")
        .render(with: $0, language: .en)
    },
    Page(name: "login-throttled-pt") {
      LoginView(email: "ana@estudio.example", failure: .throttled(retryAfterSeconds: 121))
        .render(with: $0, language: .ptBR)
    },
    Page(name: "login-signed-out-pt") {
      LoginView(failure: .signedOut).render(with: $0, language: .ptBR)
    },
    Page(name: "workspaces") {
      var frame = Samples.frame()
      frame.workspace = nil
      return WorkspacesView(choices: [
        .init(
          name: "Figurinhas Lab", role: .owner, liveSlug: "figurinhas-lab",
          testSlug: "figurinhas-lab-test"),
        .init(name: Samples.hostile, role: .viewer, liveSlug: nil, testSlug: "hostile-test"),
      ]).render(with: $0, in: frame)
    },
    Page(name: "workspaces-none-pt") {
      var frame = Samples.frame(.ptBR)
      frame.workspace = nil
      return WorkspacesView(choices: []).render(with: $0, in: frame)
    },
    Page(name: "overview") { Samples.overview.render(with: $0, in: Samples.frame()) },
    Page(name: "overview-pt") { Samples.overview.render(with: $0, in: Samples.frame(.ptBR)) },
    Page(name: "overview-hours-pt") {
      Samples.overviewOfHours.render(with: $0, in: Samples.frame(.ptBR))
    },
    Page(name: "overview-empty") {
      Samples.emptyOverview.render(
        with: $0,
        in: Samples.frame(side: .live, name: Samples.hostile, otherSideSlug: nil))
    },
    Page(name: "customers") {
      CustomersView(
        rows: zip(
          [Samples.ana, Samples.mallory, Samples.maria, Samples.fox, Samples.erased],
          [1_000_001, -3, 0, 1, 25] as [Int64]
        ).map {
          .init(
            customer: $0, balance: $1, hasPurchased: $1 > 1, lastSeenAt: Samples.ago(Double($0.id)))
        }, paging: Paging(nextCursor: "9:11", isFirst: true)
      ).render(with: $0, in: Samples.frame())
    },
    Page(name: "customers-none") {
      CustomersView(rows: []).render(with: $0, in: Samples.frame())
    },
    Page(name: "customers-none-found-pt") {
      CustomersView(query: Samples.hostile, rows: []).render(with: $0, in: Samples.frame(.ptBR))
    },
    Page(name: "customers-found-one") {
      CustomersView(
        query: "ana&co",
        rows: [
          .init(
            customer: Samples.ana, balance: 1, hasPurchased: true,
            lastSeenAt: Samples.ago(5 * Samples.hour))
        ], paging: Paging(nextCursor: "x", isFirst: false)
      ).render(with: $0, in: Samples.frame())
    },
    Page(name: "customer") { Samples.customer.render(with: $0, in: Samples.frame()) },
    Page(name: "customer-pt") { Samples.customer.render(with: $0, in: Samples.frame(.ptBR)) },
    Page(name: "customer-debt") { Samples.indebted.render(with: $0, in: Samples.frame()) },
    Page(name: "lot") { Samples.lot.render(with: $0, in: Samples.frame()) },
    Page(name: "lot-given-pt") { Samples.givenLot.render(with: $0, in: Samples.frame(.ptBR)) },
    Page(name: "credit-grant") { Samples.grantForm.render(with: $0, in: Samples.frame()) },
    Page(name: "credit-grant-refused-pt") {
      Samples.grantRefused.render(with: $0, in: Samples.frame(.ptBR))
    },
    Page(name: "credit-grant-review") {
      Samples.grantReview.render(with: $0, in: Samples.frame())
    },
    Page(name: "new-customer") { Samples.opening.render(with: $0, in: Samples.frame()) },
    Page(name: "new-customer-review-pt") {
      Samples.openingReview.render(with: $0, in: Samples.frame(.ptBR))
    },
    Page(name: "credit-policy") { Samples.creditPolicy.render(with: $0, in: Samples.frame()) },
    Page(name: "credit-policy-read-only-pt") {
      CreditPolicyView(values: [.goodwillCap: "50", .lowCredits: "1"], maySet: false)
        .render(with: $0, in: Samples.frame(.ptBR))
    },
    Page(name: "holds") {
      HoldsView(
        filter: .open,
        rows: zip(Samples.openHolds, [Samples.ana, Samples.mallory, Samples.maria, Samples.fox])
          .map { .init(hold: $0, customer: $1) },
        paging: Paging(nextCursor: "1~0~2~api:k", isFirst: true)
      ).render(with: $0, in: Samples.frame())
    },
    Page(name: "holds-closed-pt") {
      HoldsView(
        filter: .closed, rows: Samples.closedHolds.map { .init(hold: $0, customer: Samples.ana) }
      ).render(with: $0, in: Samples.frame(.ptBR))
    },
    Page(name: "holds-none-stuck") {
      HoldsView(filter: .stuck, rows: []).render(with: $0, in: Samples.frame())
    },
    Page(name: "hold") { Samples.openHold.render(with: $0, in: Samples.frame()) },
    Page(name: "hold-no-reason-pt") {
      var view = Samples.openHold
      view.form = .init(problem: .missing)
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    Page(name: "hold-read-only") {
      var view = Samples.openHold
      view.form = nil
      return view.render(with: $0, in: Samples.frame())
    },
    Page(name: "hold-closed") { Samples.closedHold.render(with: $0, in: Samples.frame()) },
    Page(name: "payments") {
      Samples.paymentList.render(with: $0, in: Samples.frame())
    },
    Page(name: "payments-none-pt") {
      PaymentsView(rows: []).render(with: $0, in: Samples.frame(.ptBR))
    },
    Page(name: "payment") { Samples.payment.render(with: $0, in: Samples.frame()) },
    Page(name: "payment-pt") { Samples.payment.render(with: $0, in: Samples.frame(.ptBR)) },
    Page(name: "payment-unmatched") {
      Samples.unmatchedPayment.render(with: $0, in: Samples.frame())
    },
    Page(name: "payment-note-too-long") {
      var view = Samples.payment
      view.request = RefundRequestForm(
        reason: .other, note: Samples.hostile, noteIsTooLong: true)
      return view.render(with: $0, in: Samples.frame())
    },
    Page(name: "refunds") {
      RefundsView(
        show: .all, rows: Samples.everyState,
        paging: Paging(nextCursor: "28", isFirst: true)
      ).render(with: $0, in: Samples.frame())
    },
    Page(name: "refunds-none") {
      RefundsView(show: .all, rows: []).render(with: $0, in: Samples.frame())
    },
    Page(name: "refunds-none-waiting-pt") {
      RefundsView(show: .waiting, rows: []).render(with: $0, in: Samples.frame(.ptBR))
    },
    Page(name: "refund") { Samples.requested.render(with: $0, in: Samples.frame()) },
    Page(name: "refund-pt") { Samples.requested.render(with: $0, in: Samples.frame(.ptBR)) },
    Page(name: "refund-read-only") { Samples.readOnly.render(with: $0, in: Samples.frame()) },
    Page(name: "refund-refused") { Samples.refused.render(with: $0, in: Samples.frame()) },
    Page(name: "refund-stale") { Samples.stale.render(with: $0, in: Samples.frame()) },
    Page(name: "refund-failed") { Samples.failed.render(with: $0, in: Samples.frame()) },
    Page(name: "refund-under-way-pt") {
      Samples.underWay.render(with: $0, in: Samples.frame(.ptBR))
    },
    Page(name: "refund-settled") { Samples.settled.render(with: $0, in: Samples.frame()) },
    Page(name: "refund-outside") { Samples.outside.render(with: $0, in: Samples.frame()) },
    Page(name: "reconciliation") {
      Samples.reconciliation.render(with: $0, in: Samples.frame())
    },
    Page(name: "reconciliation-running-pt") {
      Samples.reconciling.render(with: $0, in: Samples.frame(.ptBR))
    },
    Page(name: "reconciliation-all") {
      Samples.reconciliationAll.render(with: $0, in: Samples.frame())
    },
    Page(name: "reconciliation-none-pt") {
      Samples.reconciliationNothing.render(with: $0, in: Samples.frame(.ptBR))
    },
    Page(name: "mismatch") { Samples.paymentUnseen.render(with: $0, in: Samples.frame()) },
    Page(name: "mismatch-refund-viewer-pt") {
      Samples.refundUnseen.render(with: $0, in: Samples.frame(.ptBR))
    },
    Page(name: "mismatch-stranger") { Samples.stranger.render(with: $0, in: Samples.frame()) },
    Page(name: "mismatch-closed") { Samples.mismatchClosed.render(with: $0, in: Samples.frame()) },
    Page(name: "mismatch-accepted-pt") {
      Samples.mismatchAccepted.render(with: $0, in: Samples.frame(.ptBR))
    },
    Page(name: "events") {
      EventsView(
        bots: [Samples.shop, Samples.studio], kinds: ["payment.completed", "credits.low"],
        rows: Samples.events, paging: Paging(nextCursor: "7", isFirst: true)
      ).render(with: $0, in: Samples.frame())
    },
    Page(name: "events-none") {
      EventsView(bots: [], kinds: [], rows: []).render(with: $0, in: Samples.frame())
    },
    Page(name: "events-none-found-pt") {
      EventsView(
        filter: .init(state: .failed, botID: Samples.shop.id, kind: "credits.low"),
        bots: [Samples.shop, Samples.studio], kinds: ["payment.completed", "credits.low"], rows: [],
        paging: Paging(nextCursor: nil, isFirst: false)
      ).render(with: $0, in: Samples.frame(.ptBR))
    },
    Page(name: "event") { Samples.delivered.render(with: $0, in: Samples.frame()) },
    Page(name: "event-waiting-pt") { Samples.waiting.render(with: $0, in: Samples.frame(.ptBR)) },
    Page(name: "event-no-address") { Samples.skipped.render(with: $0, in: Samples.frame()) },
    Page(name: "event-address-none") { Samples.noAddress.render(with: $0, in: Samples.frame()) },
    Page(name: "event-address") { Samples.address.render(with: $0, in: Samples.frame()) },
    Page(name: "event-address-secret-pt") {
      Samples.newSecret.render(with: $0, in: Samples.frame(.ptBR))
    },
    Page(name: "event-address-refused") {
      Samples.refusedAddress.render(with: $0, in: Samples.frame())
    },
    Page(name: "event-address-viewer-pt") {
      Samples.viewedAddress.render(with: $0, in: Samples.frame(.ptBR))
    },
    Page(name: "error-404") {
      ErrorView(status: 404, requestID: "req-\"1<2").render(with: $0, language: .en)
    },
    Page(name: "error-401-pt") {
      ErrorView(status: 401, requestID: "req-2").render(with: $0, language: .ptBR)
    },
    Page(name: "error-503") {
      ErrorView(status: 503, requestID: "req-3").render(with: $0, language: .en)
    },
  ]

  @Test(arguments: pages) func matchesGolden(_ page: Page) throws {
    // The hash of a stylesheet is not part of a page's markup.
    let html = try page.render(Self.renderer())
      .replacing(/(\/assets\/\w+)\.[0-9a-f]{12}\./) { "\($0.output.1)." }
    let golden = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Goldens/\(page.name).html")
    if ProcessInfo.processInfo.environment["ESTARS_UPDATE_GOLDENS"] == "1" {
      try html.write(to: golden, atomically: true, encoding: .utf8)
    }
    let expected = try String(contentsOf: golden, encoding: .utf8)
    #expect(html == expected, "\(page.name) changed; see the header of this file")
  }
}
