/// The calculator. What is typed stands in the address, so that a result can be kept and passed on;
/// nothing of it is stored.
enum MarginController {
  static func show(_ server: Server, _ inbound: Inbound, _ language: Language) -> Reply {
    guard !(inbound.rawQuery ?? "").isEmpty,
      let page = server.pages.margin.draw(inbound.query, language)
    else { return server.pages.site.page(.margin, language).reply(to: inbound.headers) }
    return .html(page.html, status: page.isRight ? .ok : .unprocessableContent)
  }
}
