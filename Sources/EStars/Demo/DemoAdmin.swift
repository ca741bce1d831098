import Foundation
import Postgres

/// The admin of the demo's platform, with those who asked to be let in.
public struct DemoAdmin: Sendable {
  public static let email = "admin@estars.example"

  private let platform: Platform
  private let person: Operator

  /// - Parameter person: Somebody with an account.
  public init(_ person: Operator, _ platform: Platform) {
    self.person = person
    self.platform = platform
  }

  /// Makes the admin with a second factor and, the first time, everything to decide about. Safe to
  /// repeat: what exists stays.
  ///
  /// - Parameters:
  ///   - workspace: The live side of the business that was let in.
  ///   - code: An invitation code of the admin's.
  /// - Returns: The second factor's secret, for an app.
  public func open(_ workspace: Workspace, code: String, at: Date) async throws -> String {
    if !person.isAdmin {
      for (number, applicant) in DemoApplicant.all.enumerated() {
        try await write(applicant, number, workspace, code: code, at: at)
      }
    }
    let secret = try await secondFactor(at: at)
    // Last, so that a load that was killed goes on the next time.
    try await person.makeAdmin(
      by: "estars demo", at: at.addingTimeInterval(-DemoApplicant.firstDay), platform.pool)
    return secret
  }

  /// A code to try the application form with.
  public func makeCode(at: Date) async throws -> String {
    try await InvitationCode.make(
      for: "Meetup de bots, Recife", uses: 20, days: 365, by: person,
      at: at.addingTimeInterval(-DemoApplicant.firstDay), platform.pool)
  }

  private func secondFactor(at: Date) async throws -> String {
    if person.secondFactorSince != nil {
      let sealed: [UInt8] = try await platform.pool.query(
        "select totp_secret from operators where operator_id = \(person.id)")[0].get("totp_secret")
      return try platform.secrets.open(sealed)
    }
    // By a code of some minutes ago, so that the first one of an app is not used up.
    let then = at.addingTimeInterval(-300)
    let totp = try await platform.secondFactor.begin(for: person)
    _ = try await platform.secondFactor.confirm(
      code: totp.code(step: TOTP.step(at: then)), for: person, userAgent: "estars demo",
      address: "127.0.0.1", at: then)
    try await platform.pool.execute("delete from sessions where operator_id = \(person.id)")
    return totp.base32
  }

  /// The form's stamp is always the same, so an application is made once.
  private func write(
    _ applicant: DemoApplicant, _ number: Int, _ workspace: Workspace, code: String, at: Date
  ) async throws {
    let pool = platform.pool
    var at = at.addingTimeInterval(-applicant.daysAgo * 86_400)
    let token = try await Application.apply(
      applicant.draft(code: code), stamp: "demo application \(number)",
      address: "192.0.2.\(number + 1)", at: at, platform)
    guard let application = try await Application.find(token: token, pool),
      application.state == .received
    else { return }
    for step in applicant.steps {
      at = at.addingTimeInterval(5 * 3600)
      switch step {
      case .note(let words):
        try await Application.note(words, about: application.id, by: person, at: at, pool)
      case .question(let words):
        try await Application.ask(words, about: application.id, by: person, at: at, pool)
      case .decline(let words):
        try await Application.decline(
          application.id, because: .poorFit, words: words, by: person, at: at, pool)
      case .approval:
        try await approve(application, of: workspace, at: at)
      }
    }
  }

  /// The demo's business is there already, so none is opened.
  private func approve(
    _ application: Application, of workspace: Workspace, at: Date
  ) async throws {
    try await platform.pool.transaction { tx in
      try await tx.execute(
        """
        update applications set state = 'approved', decided_at = \(at),
          decided_by = \(person.email), workspace_id = \(workspace.id)
        where application_id = \(application.id)
        """)
      try await tx.auditAdmin(
        person, "application.approved", "application", String(application.id),
        after: ["slug": workspace.slug], at: at)
    }
  }
}

/// Somebody who asks for a pilot in the demo, made up as the bots are.
struct DemoApplicant: Sendable {
  enum Step: Sendable {
    case note(String)
    case question(String)
    case decline(String)
    case approval
  }

  /// Seconds before the demo's start when the first of them came.
  static let firstDay = 100 * 86_400.0

  let locale: String
  let bot: String
  let segment: Bot.Segment
  let stars: Int64
  let cost: String
  let contact: String
  let pain: String
  let daysAgo: Double
  var hasCode = false
  var steps: [Step] = []

  func draft(code: String) -> ApplicationDraft {
    ApplicationDraft(
      locale: locale, botUsername: bot, segment: segment, monthlyStars: stars,
      variableCost: cost, contact: contact, pain: pain, invitationCode: hasCode ? code : "")
  }

  /// In the order in which they came.
  static let all = [
    DemoApplicant(
      locale: "pt-BR", bot: "aurora_sticker_bot", segment: .aiBot, stars: 25_000,
      cost: "R$ 0,12 por figurinha", contact: "owner@aurora.example",
      pain: "Os estornos chegam depois que os créditos já foram usados.", daysAgo: 99,
      steps: [.approval]),
    DemoApplicant(
      locale: "en", bot: "demo_wallpaper_bot", segment: .serviceBot, stars: 0,
      cost: "nothing, it is a file", contact: "@demo_liam",
      pain: "I want to sell one wallpaper pack for 50 Stars.", daysAgo: 20,
      steps: [
        .decline(
          "One price, nothing used up: Telegram’s own invoice does all of it. Come back when "
            + "something is metered.")
      ]),
    DemoApplicant(
      locale: "pt-BR", bot: "demo_dublagem_bot", segment: .aiBot, stars: 8_000,
      cost: "R$ 1,40 por minuto de áudio", contact: "@demo_caio",
      pain: "Um vídeo longo custa mais do que o pacote que a pessoa comprou.", daysAgo: 6,
      steps: [
        .note("O custo por minuto é alto: ver a margem antes de decidir."),
        .question("Quanto dura o vídeo mais longo que vocês aceitam?"),
      ]),
    DemoApplicant(
      locale: "en", bot: "demo_translate_bot", segment: .aiBot, stars: 12_000,
      cost: "0.003 USD per message", contact: "@demo_ines",
      pain: "Support has no idea which payment a complaint is about.", daysAgo: 4),
    DemoApplicant(
      locale: "pt-BR", bot: "demo_receitas_bot", segment: .miniApp, stars: 3_500,
      cost: "nada, é um recurso do app", contact: "bia@receitas.example",
      pain: "Controlo quem pagou em uma planilha, e ela sempre atrasa.", daysAgo: 2,
      hasCode: true),
    DemoApplicant(
      locale: "en", bot: "demo_translate_bot", segment: .aiBot, stars: 12_000,
      cost: "0.003 USD per message", contact: "https://t.me/demo_ines",
      pain: "Sent again from my phone, sorry: was the first one received?", daysAgo: 1),
  ]
}
