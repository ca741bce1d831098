import EStars
import Foundation

extension SupportTopic {
  init(_ topic: SupportCase.Topic) { self = SupportTopic(rawValue: topic.rawValue) ?? .other }
}

extension SupportCaseRow {
  init(_ supportCase: SupportCase, _ customer: Customer?, slaMinutes: Int, at now: Date) {
    self.init(
      id: supportCase.id,
      customer: customer.map(CustomerLabel.init)
        ?? CustomerLabel(id: supportCase.customerID, name: ""),
      subject: supportCase.subject, topic: SupportTopic(supportCase.topic),
      state: SupportCaseState(rawValue: supportCase.state.rawValue) ?? .open,
      isOverdue: supportCase.isOverdue(slaMinutes: slaMinutes, at: now),
      assignee: supportCase.assignee, openedAt: supportCase.openedAt,
      waitsSince: supportCase.waitsSince, lastMessageAt: supportCase.lastMessageAt)
  }
}

extension SupportMessageRow {
  init(_ message: SupportMessage) {
    self.init(
      id: message.id, author: Author(rawValue: message.author.rawValue) ?? .system,
      authorName: message.authorName, isNote: message.isNote, body: message.body,
      attachment: message.attachment.flatMap { SupportAttachment(rawValue: $0.rawValue) },
      at: message.at,
      delivery: message.delivery.map { sent in
        // Who asked for it stands above the words.
        var row = MessageRow(sent)
        row.askedBy = ""
        return row
      })
  }
}

extension SupportCasesView.Pressure {
  init(_ pressure: SupportPressure, _ catalog: Catalog) {
    let products = catalog.productTitles
    let titles = pressure.byProduct.map { products[$0.key] ?? $0.key }
    self.init(
      cases: pressure.cases, overdue: pressure.overdue, points: pressure.points,
      byProduct: zip(pressure.byProduct, titles).map { part, title in
        let hasTwin = titles.filter { $0 == title }.count > 1
        return Part(
          name: hasTwin ? ProductLabel.named(title, part.key) : title, cases: part.cases,
          points: part.points)
      },
      bySegment: pressure.bySegment.map {
        Part(name: $0.key, cases: $0.cases, points: $0.points)
      })
  }
}

extension Catalog {
  /// By the keys of packs and plans.
  fileprivate var productTitles: [String: String] {
    Dictionary(packs.map { ($0.sku, $0.title) } + plans.map { ($0.key, $0.title) }) { first, _ in
      first
    }
  }
}
