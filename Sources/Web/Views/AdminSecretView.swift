/// A link or code that an admin hands to somebody, shown this once.
struct AdminSecretView: Sendable, Equatable {
  enum Kind: Sendable, Equatable {
    case invitation(business: Int64, name: String)
    case code(name: String)
    case reset(operator: Int64, name: String)
  }

  var kind: Kind
  var text: String

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let (name, place, back, title): (String, PageContext.AdminPlace, String, String)
    var (words, note) = (t["secret.invitation"], t["admin.invitation_note"])
    switch kind {
    case .invitation(let id, let workspace):
      (place, back) = (.workspaces, Links.adminWorkspace(id))
      (name, title) = (workspace, t("admin.invitation_title", ["name": workspace]))
    case .code(let whom):
      (place, back) = (.invitationCodes, Links.admin(.invitationCodes))
      (name, title) = (whom, t("admin.code_title", ["name": whom]))
      (words, note) = (t["admin.code_words"], t["admin.code_note"])
    case .reset(let id, let person):
      (place, back) = (.operators, Links.adminOperator(id))
      (name, title) = (person, t("secret.reset_title", ["name": person]))
      (words, note) = (t["secret.reset"], t["secret.reset_note"])
    }
    let up = (title: t[.init("admin.nav_\(place.rawValue)")], href: Links.admin(place))
    return page.adminPage(
      .secret, title: title, place: place,
      trail: place == .invitationCodes ? [up] : [up, (title: name, href: back)],
      [
        "words": .text(words), "note": .text(note), "secret": .text(text), "back": .text(back),
      ])
  }
}
