import EStars
import Foundation
import HTTPTypes

/// Asking to be let in, and what became of it behind the applicant's private link.
enum ApplicationsController {
  @Sendable static func new(_ server: Server, _ inbound: Inbound) async throws -> Reply {
    var view = NewApplicationView(stamp: FormStamp.make(at: Date(), server.platform.secrets))
    if inbound.query["removed"] != nil { view.notice = .removed }
    return page(server, inbound, view)
  }

  @Sendable static func create(_ server: Server, _ inbound: Inbound) async throws -> Reply {
    let (platform, now) = (server.platform, Date())
    let form = try inbound.form()
    // A field that people do not see: whoever fills it in hears what all hear.
    guard (form["website"] ?? "").isEmpty else {
      return .seeOther(Links.application(FormStamp.decoy(platform.secrets)))
    }
    let stamp = form["stamp"] ?? ""
    let age = server.isOurs(inbound) ? FormStamp.age(of: stamp, at: now, platform.secrets) : .none
    // One that is merely young goes on ageing.
    var view = NewApplicationView(
      draft: .init(inbound, form),
      stamp: age == .none ? FormStamp.make(at: now, platform.secrets) : stamp)
    guard let application = view.draft.checked(language(inbound)) else {
      return page(server, inbound, view, .unprocessableContent)
    }
    guard age == .right else {
      view.notice = .again
      return page(server, inbound, view, .unprocessableContent)
    }
    do {
      let token = try await Application.apply(
        application, stamp: stamp, address: inbound.address, at: now, platform)
      return .seeOther(Links.application(token))
    } catch Application.ApplyRefusal.code {
      view.draft.problems = [FormProblem(field: "code", kind: .invitationCode)]
    } catch Application.ApplyRefusal.sentBefore(let token) {
      view.notice = .sentBefore(token)
      view.stamp = FormStamp.make(at: now, platform.secrets)
    } catch Application.ApplyRefusal.throttled(let seconds) {
      view.notice = .throttled(seconds: seconds)
      var reply = page(server, inbound, view, .tooManyRequests)
      reply.headers[.retryAfter] = String(seconds)
      return reply
    }
    return page(server, inbound, view, .unprocessableContent)
  }

  @Sendable static func show(_ server: Server, _ inbound: Inbound) async throws -> Reply {
    let token = inbound.parameters["token"] ?? ""
    if FormStamp.isDecoy(token, server.platform.secrets) {
      let view = ApplicationView(token: token, state: .received, now: Date())
      return server.page(view, .preferred(inbound.headers[.acceptLanguage]))
    }
    return try await server.applicationPage(try await server.application(inbound), token)
  }

  private static func language(_ inbound: Inbound) -> Language {
    inbound.path.hasPrefix(Language.ptBR.sitePrefix + "/") ? .ptBR : .en
  }

  private static func page(
    _ server: Server, _ inbound: Inbound, _ view: NewApplicationView,
    _ status: HTTPResponse.Status = .ok
  ) -> Reply {
    .html(view.render(in: server.pages.site.frame(.pilot, language(inbound))), status: status)
  }
}

enum ApplicationAnswerController {
  @Sendable static func create(_ server: Server, _ inbound: Inbound) async throws -> Reply {
    try server.checkOrigin(inbound)
    let token = inbound.parameters["token"] ?? ""
    let application = try await server.application(inbound)
    let body = inbound.visibleWords(try inbound.form()["body"])
    let isTooLong = body.unicodeScalars.count > ApplicationMessage.characters
    guard !body.isEmpty, !isTooLong else {
      return try await server.applicationPage(
        application, token, answer: body, isTooLong ? .tooLong : .missing)
    }
    do {
      try await application.answer(body, at: Date(), server.platform.pool)
    } catch Application.Refusal.state {
      // Answered in another window, or decided: the page says how it stands.
    } catch is Application.Refusal { throw Refusal.notFound }
    return .seeOther(Links.application(token))
  }
}

/// Deletes what the applicant wrote.
enum ApplicationRemovalController {
  @Sendable static func create(_ server: Server, _ inbound: Inbound) async throws -> Reply {
    try server.checkOrigin(inbound)
    let application = try await server.application(inbound)
    guard try inbound.form()["confirmed"] == "1" else {
      return try await server.applicationPage(
        application, inbound.parameters["token"] ?? "", .unconfirmed)
    }
    try await application.remove(server.platform.pool)
    return .seeOther(
      Links.with(
        SitePlace.pilot.path(Language(operatorLocale: application.locale)), [("removed", "1")]))
  }
}

extension Inbound {
  /// The same as ``words(_:)`` of somebody whom nobody knows: without what is not seen and changes how
  /// the rest is read, such as control characters and turned directions.
  fileprivate func visibleWords(_ text: String?) -> String {
    var seen = String.UnicodeScalarView()
    for scalar in words(text).unicodeScalars {
      let properties = scalar.properties
      switch properties.generalCategory {
      case .control where scalar != "\n": seen.append(" ")
      case .unassigned where properties.isNoncharacterCodePoint: break
      // Emoji and some scripts need the joiners among these.
      case .format
      where properties.isBidiControl || "\u{200b}\u{feff}".unicodeScalars.contains(scalar):
        break
      default: seen.append(scalar)
      }
    }
    return String(seen).trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

extension NewApplicationView.Draft {
  init(_ inbound: Inbound, _ form: [String: String]) {
    func typed(_ name: String) -> String { inbound.visibleWords(form[name]) }
    self.init(
      bot: typed("bot"), segment: typed("segment"), stars: typed("stars"), cost: typed("cost"),
      contact: typed("contact"), pain: typed("pain"), code: typed("code"))
  }

  /// The application that was typed; nil where something is wrong with it, which stands in
  /// ``problems`` then.
  fileprivate mutating func checked(_ language: Language) -> ApplicationDraft? {
    let username = ApplicationDraft.username(bot)
    if username == nil { problems.append(FormProblem(field: "bot", kind: .botUsername)) }
    let segment = Bot.Segment(rawValue: segment)
    if segment == nil { problems.append(FormProblem(field: "segment", kind: .notChosen)) }
    let range = ApplicationDraft.starsRange
    let stars = Typed.whole(stars, range)
    if stars == nil {
      problems.append(
        FormProblem(
          field: "stars", kind: .whole(min: range.lowerBound, max: range.upperBound)))
    }
    problems += [
      Typed.problem(with: cost, in: "cost", max: ApplicationDraft.costCharacters),
      Typed.problem(with: pain, in: "pain", max: ApplicationDraft.painCharacters),
      contactProblem,
    ].compactMap { $0 }
    if code.unicodeScalars.count > ApplicationDraft.codeCharacters {
      problems.append(FormProblem(field: "code", kind: .invitationCode))
    }
    guard problems.isEmpty, let username, let segment, let stars else { return nil }
    return ApplicationDraft(
      locale: language.rawValue, botUsername: username, segment: segment, monthlyStars: stars,
      variableCost: cost, contact: contact, pain: pain, invitationCode: code)
  }

  private var contactProblem: FormProblem? {
    let characters = ApplicationDraft.contactCharacters
    // Nobody can be reached by dots and dashes.
    let telling = contact.unicodeScalars.filter { CharacterSet.alphanumerics.contains($0) }
    if !contact.isEmpty, telling.count < characters.lowerBound {
      return FormProblem(field: "contact", kind: .contact(min: characters.lowerBound))
    }
    return Typed.problem(with: contact, in: "contact", max: characters.upperBound)
  }
}

extension Server {
  /// Whether a form came from our own pages, where another site's is no error: the page is shown
  /// again instead.
  fileprivate func isOurs(_ inbound: Inbound) -> Bool {
    (try? checkOrigin(inbound)) != nil
  }

  fileprivate func application(_ inbound: Inbound) async throws -> Application {
    guard
      let application = try await Application.find(
        token: inbound.parameters["token"] ?? "", platform.pool)
    else { throw Refusal.notFound }
    return application
  }

  fileprivate func applicationPage(
    _ application: Application, _ token: String, answer: String = "",
    _ problem: ApplicationView.Problem? = nil
  ) async throws -> Reply {
    let talk = try await ApplicationMessage.all(of: application, platform.pool)
      .filter { $0.kind != .note }
    let view = ApplicationView(
      token: token, state: .init(application.state), hasCode: application.invitationCodeID != nil,
      receivedAt: application.receivedAt,
      decline: application.declineReason.flatMap { .init(rawValue: $0.rawValue) },
      facts: .init(application), talk: talk.map { .init($0) }, answer: answer, problem: problem,
      now: Date())
    return page(view, Language(operatorLocale: application.locale))
  }

  fileprivate func page(_ view: ApplicationView, _ language: Language) -> Reply {
    let path = Links.application(view.token)
    let frame = SiteFrame(place: nil, path: { _ in path }, language, pages.site.shell)
    return .html(
      view.render(in: frame), status: view.problem == nil ? .ok : .unprocessableContent)
  }
}

extension ApplicationState {
  init(_ state: Application.State) { self = .init(rawValue: state.rawValue) ?? .received }
}

extension ApplicationFacts {
  init(_ application: Application) {
    self.init(
      bot: application.botUsername,
      segment: .init(rawValue: application.segment.rawValue) ?? .serviceBot,
      stars: application.monthlyStars, cost: application.variableCost,
      contact: application.contact, pain: application.pain)
  }
}

extension ApplicationTalk {
  init(_ message: ApplicationMessage) {
    self.init(
      kind: .init(rawValue: message.kind.rawValue) ?? .note, writer: message.writtenBy,
      at: message.writtenAt, body: message.body)
  }
}
