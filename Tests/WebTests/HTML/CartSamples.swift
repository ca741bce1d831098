import Foundation

@testable import Web

/// Pages of abandoned carts and of the chats that hear of them.
enum CartSamples {
  static let recovery = CartsView.Recovery(
    days: 30, carts: 41, reminded: 30, recovered: 9, recoveredAfterReminder: 7, stars: 1_204)

  private static func row(
    _ customer: CustomerLabel, _ title: String, _ stars: Int64, minutes: Double
  ) -> CartsView.Row {
    CartsView.Row(
      checkoutID: Int64(minutes), customer: customer, title: title, stars: stars,
      openedAt: Samples.ago((minutes + 31) * Samples.minute),
      noticedAt: Samples.ago(minutes * Samples.minute))
  }

  static let rows: [CartsView.Row] = {
    var waiting = row(Samples.ana, "Start", 75, minutes: 1)
    var reminded = row(Samples.mallory, Samples.hostile, 1_125, minutes: 90)
    (reminded.reminder, reminded.offeredStars) = (.sent, 956)
    var recovered = row(Samples.maria, "Max 🚀", 500, minutes: 600)
    (recovered.reminder, recovered.recoveredAt) = (.sent, Samples.ago(Samples.hour))
    recovered.payment = Samples.longKey
    var blocked = row(Samples.fox, Samples.rightToLeft, 49, minutes: 2_000)
    blocked.reminder = .blocked
    var skipped = row(Samples.erased, "Pop", 175, minutes: 4_000)
    skipped.skip = .remindedLately
    waiting.stars = 1
    return [waiting, reminded, recovered, blocked, skipped]
  }()

  static let view = CartsView(
    recovery: recovery,
    draft: .init(minutes: "30", reminds: true, discount: "15", alerts: true),
    discounts: [10, 15, 25], alertChats: 2, mayEdit: true, rows: rows,
    paging: Paging(nextCursor: "1-2"))

  static let chats: [AlertChatsView.Row] = [
    .init(
      botID: 7_000_000_001, botUsername: "figurinhas_bot", chatID: -1_001_234_567_890,
      title: Samples.hostile, linkedBy: "owner@estudio.example",
      linkedAt: Samples.ago(40 * Samples.day),
      last: MessageRow(
        state: .blocked, problem: .telegram("Forbidden: bot was kicked from the <group> chat"),
        at: Samples.ago(Samples.hour))),
    .init(
      botID: 7_000_000_002, botUsername: "servico_bot", chatID: 5_000_000_017,
      title: Samples.longName, linkedBy: "owner@estudio.example",
      linkedAt: Samples.ago(Samples.minute),
      last: MessageRow(
        state: .due, problem: .code(.notReached), at: Samples.ago(Samples.minute),
        askedBy: "ana@estudio.example")),
    .init(
      botID: 7_000_000_002, botUsername: "servico_bot", chatID: 42, title: "",
      linkedBy: "owner@estudio.example", linkedAt: Samples.ago(2 * Samples.day), last: nil),
  ]

  static let chatsView = AlertChatsView(
    rows: chats, bots: [.init(id: 7_000_000_001, username: "figurinhas_bot")], mayEdit: true,
    formKey: "0F5C-key")

  static let pages: [GoldenTests.Page] = [
    .init(name: "carts") { view.render(with: $0, in: Samples.frame()) },
    .init(name: "carts-pt") { view.render(with: $0, in: Samples.frame(.ptBR)) },
    .init(name: "carts-wrong") {
      var view = view
      view.draft.minutes = "\"3\""
      view.draft.problems = [
        .init(field: "minutes", kind: .whole(min: 5, max: 1_380)),
        .init(field: "discount", kind: .gone),
      ]
      view.isOpen = true
      return view.render(with: $0, in: Samples.frame())
    },
    .init(name: "carts-none-pt") {
      CartsView(
        recovery: .init(
          days: 30, carts: 0, reminded: 0, recovered: 0, recoveredAfterReminder: 0, stars: 0),
        draft: .init(minutes: "30", reminds: false, discount: "0", alerts: true), discounts: [],
        alertChats: 0, mayEdit: false, rows: []
      ).render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "alert-chats") { chatsView.render(with: $0, in: Samples.frame()) },
    .init(name: "alert-chats-wrong-pt") {
      var view = chatsView
      (view.rows, view.problem) = ([], .bot)
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "alert-chats-viewer") {
      var view = chatsView
      (view.bots, view.mayEdit) = ([], false)
      return view.render(with: $0, in: Samples.frame())
    },
    .init(name: "alert-code") {
      AlertCodeView(
        botUsername: "figurinhas_bot", code: "alert-Zm9vYmFyYmF6cXV4", minutes: 15,
        isAtTelegram: true
      ).render(with: $0, in: Samples.frame())
    },
    .init(name: "alert-code-sandbox-pt") {
      AlertCodeView(
        botUsername: "figurinhas_bot", code: "alert-Zm9vYmFyYmF6cXV4", minutes: 15,
        isAtTelegram: false
      ).render(with: $0, in: Samples.frame(.ptBR))
    },
  ]
}
