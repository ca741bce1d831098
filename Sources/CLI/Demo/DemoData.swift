import EStars
import Foundation
import Postgres
import Sandbox
import Telegram

/// Makes the demo's workspace, people, bots and logins, and the file that tells of them.
struct DemoData {
  let platform: Platform
  let book: SandboxBook
  let directory: URL
  let productURL: URL
  let sandboxURL: URL
  let wish: HistoryWish
  /// For `analyze`, which only the tables' owner may run.
  let ownerPool: Pool

  /// `demo.json`: where scripts and tests start from. Its secrets are the demo's own.
  struct File: Codable {
    var productURL: URL
    var sandboxURL: URL
    /// The test side, where the demo's bots and people are.
    var workspace: String
    var liveWorkspace: String
    var logins: [Login]
    /// Shortens the queue of applications; missing in files of older releases.
    var invitationCode: String?
    var bots: [Bot]

    struct Login: Codable {
      var email: String
      var password: String
      var role: String
      var totpSecret: String?

      enum CodingKeys: String, CodingKey {
        case email, password, role
        case totpSecret = "totp_secret"
      }

      /// `totp_secret` is written as null where there is no second factor.
      func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(email, forKey: .email)
        try container.encode(password, forKey: .password)
        try container.encode(role, forKey: .role)
        try container.encode(totpSecret, forKey: .totpSecret)
      }
    }

    struct Bot: Codable {
      var id: Int64
      var username: String
      var name: String
      var token: String
      var webhookURL: URL
      var webhookSecret: String
      var apiKey: String
      /// A person with credits to try the action with.
      var customer: Int64
      var action: String

      enum CodingKeys: String, CodingKey {
        case id, username, name, token, customer, action
        case webhookURL = "webhook_url"
        case webhookSecret = "webhook_secret"
        case apiKey = "api_key"
      }
    }

    enum CodingKeys: String, CodingKey {
      case workspace, logins, bots
      case productURL = "base_url"
      case sandboxURL = "sandbox_url"
      case liveWorkspace = "live_workspace"
      case invitationCode = "invitation_code"
    }
  }

  struct Loaded: Sendable {
    struct Bot: Sendable {
      let plan: DemoWorkspace.BotPlan
      let token: BotToken
      let apiKey: String
    }

    let file: File
    let bots: [Bot]

    func write(to directory: URL) throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try PrivateFile.write(
        try encoder.encode(file), to: directory.appending(path: "demo.json"))
    }
  }

  private static let team: [(Role, String, String, String)] = [
    (.owner, "owner@aurora.example", "Clara Mendes", "pt-BR"),
    (.manager, "manager@aurora.example", "Diego Prado", "en"),
    (.support, DemoWorkspace.supportEmail, "Bia Santos", "pt-BR"),
    (.viewer, "viewer@aurora.example", "Noah Reed", "en"),
  ]

  func load() async throws -> Loaded {
    let now = Date()
    let known = try? JSONDecoder().decode(
      File.self, from: Data(contentsOf: directory.appending(path: "demo.json")))
    let plans = plans(known)
    let workspace = DemoWorkspace(platform: platform)
    let (live, test, bots) = try await workspace.open(
      plans, endpoint: .sandbox(sandboxURL), at: now)
    let history = try wish.history(known: try await workspace.history(in: test), now: now)
    try await register(plans, history.people)
    // The team is there before its history, in which it answers buyers.
    let team = try await logins(known, [live, test], at: now)
    try await write(history, bots, plans, workspace, test)
    let (admin, code) = try await admin(known, live, at: now)
    var file = File(
      productURL: productURL, sandboxURL: sandboxURL, workspace: test.slug,
      liveWorkspace: live.slug, logins: team + [admin], invitationCode: code, bots: [])
    var loaded: [Loaded.Bot] = []
    for (bot, plan) in zip(bots, plans) {
      let entry = try await entry(bot, plan, known, test, at: now)
      file.bots.append(entry)
      guard let token = BotToken(plan.token) else { throw Complaint("a demo bot has no token") }
      loaded.append(Loaded.Bot(plan: plan, token: token, apiKey: entry.apiKey))
    }
    return Loaded(file: file, bots: loaded)
  }

  private func plans(_ known: File?) -> [DemoWorkspace.BotPlan] {
    func token(_ id: Int64) -> String {
      known?.bots.first { $0.id == id }?.token
        ?? "\(id):" + Bytes.base64URL(Bytes.random(26)).prefix(35)
    }
    return [
      DemoWorkspace.BotPlan(
        token: token(7_000_000_001), username: "aurora_sticker_bot", name: "Aurora Stickers",
        segment: .aiBot, action: "sticker"),
      DemoWorkspace.BotPlan(
        token: token(7_000_000_002), username: "aurora_lookup_bot", name: "Aurora Lookup",
        segment: .serviceBot, action: "company_lookup"),
    ]
  }

  private func register(
    _ plans: [DemoWorkspace.BotPlan], _ people: [DemoWorkspace.Person]
  ) async throws {
    for plan in plans {
      _ = try await book.registerBot(token: plan.token, name: plan.name, username: plan.username)
    }
    func some(_ text: String) -> String? { text.isEmpty ? nil : text }
    try await book.seed(
      people.map { person in
        PersonCard(
          id: person.telegramID, firstName: person.firstName, lastName: some(person.lastName),
          username: some(person.username), languageCode: person.languageCode, stars: person.stars)
      })
  }

  private func write(
    _ history: DemoHistory, _ bots: [EStars.Bot], _ plans: [DemoWorkspace.BotPlan],
    _ workspace: DemoWorkspace, _ test: Workspace
  ) async throws {
    var told = 0
    let isNew = try await workspace.write(history, bots, plans, in: test) { progress in
      let tenth = progress.written * 10 / max(1, progress.of)
      guard tenth > told else { return }
      told = tenth
      say("    history of \(history.customers) customers: \(tenth * 10) %")
      // The planner knows nothing of fresh tables and would read them whole.
      if [1, 5, 10].contains(tenth) { try await ownerPool.execute("analyze") }
    }
    // Every payment of the past stands in the sandbox's books too, so that any can be refunded.
    _ = try await book.seed(
      try await workspace.charges(of: history, in: test).map { charge in
        PastPayment(
          botID: charge.botID, personID: charge.telegramID, stars: charge.stars,
          title: charge.title, payload: charge.payload,
          date: Int64(charge.paidAt.timeIntervalSince1970), chargeID: charge.chargeID,
          refundedAt: charge.refundedAt.map { Int64($0.timeIntervalSince1970) },
          month: charge.month.map(PastMonth.init))
      })
    guard isNew else { return }
    try await workspace.countFigures(in: test)
    let sum = try await DemoWorkspace.checksum(of: test, platform.patientPool)
    say("    \(sum.entries) ledger entries, checksum \(sum.digest)")
  }

  private func logins(
    _ known: File?, _ sides: [Workspace], at: Date
  ) async throws -> [File.Login] {
    var logins: [File.Login] = []
    for (role, email, name, locale) in Self.team {
      let (person, password) = try await account(email, name, locale, known, at: at)
      for side in sides { try await person.join(side, as: role, at: at, platform.pool) }
      logins.append(
        File.Login(email: email, password: password, role: role.rawValue, totpSecret: nil))
    }
    return logins
  }

  /// Somebody who can sign in. Where demo.json is gone there is a new password.
  private func account(
    _ email: String, _ name: String, _ locale: String, _ known: File?, at: Date
  ) async throws -> (Operator, password: String) {
    let person = try await Operator.find(email: email, platform.pool)
    if let person, let password = known?.logins.first(where: { $0.email == email })?.password {
      return (person, password)
    }
    let fresh = Self.passphrase()
    if let person {
      try await person.setPassword(fresh, platform)
      return (person, fresh)
    }
    let made = try await Operator.create(
      email: email, name: name, password: fresh, locale: locale, at: at, platform)
    return (made, fresh)
  }

  /// Who decides about applications, and a code to apply with.
  private func admin(
    _ known: File?, _ live: Workspace, at: Date
  ) async throws -> (File.Login, code: String) {
    let (person, password) = try await account(
      DemoAdmin.email, "Marta Lima", "en", known, at: at)
    let admin = DemoAdmin(person, platform)
    let code: String
    if let kept = known?.invitationCode {
      code = kept
    } else {
      code = try await admin.makeCode(at: at)
    }
    let secret = try await admin.open(live, code: code, at: at)
    return (
      File.Login(
        email: DemoAdmin.email, password: password, role: "admin", totpSecret: secret), code
    )
  }

  /// Keys and secrets are stored as hashes, so where demo.json is gone new ones are made.
  private func entry(
    _ bot: EStars.Bot, _ plan: DemoWorkspace.BotPlan, _ known: File?, _ workspace: Workspace,
    at: Date
  ) async throws -> File.Bot {
    let old = known?.bots.first { $0.id == bot.id }
    let secret: String
    if let kept = old?.webhookSecret, bot.accepts(webhookSecret: kept) {
      secret = kept
    } else {
      secret = try await bot.renewWebhookSecret(platform.pool)
    }
    let key: String
    if let kept = old?.apiKey, try await platform.directory.apiKey(kept) != nil {
      key = kept
    } else {
      key = try await APIKey.issue(
        for: bot, side: workspace.side, scopes: APIKey.Scope.allCases, at: at, platform.pool)
    }
    let customer = DemoWorkspace.people.first { person in
      person.purchases.contains { plan.action == (($0.bot == 0) ? "sticker" : "company_lookup") }
    }
    return File.Bot(
      id: bot.id, username: bot.username, name: bot.name, token: plan.token,
      webhookURL: productURL.appending(path: "telegram/\(bot.id)"), webhookSecret: secret,
      apiKey: key, customer: customer?.telegramID ?? 0, action: plan.action)
  }

  private static func passphrase() -> String {
    let words = [
      "amber", "brook", "cedar", "delta", "ember", "fjord", "grove", "heron", "inlet", "jade",
      "kelp", "lunar", "maple", "north", "opal", "pine", "quartz", "river", "slate", "tide",
    ]
    let picked = Bytes.random(4).map { words[Int($0) % words.count] }
    return picked.joined(separator: "-") + "-" + Bytes.hex(Bytes.random(3))
  }
}

extension PastMonth {
  fileprivate init(_ month: DemoWorkspace.Month) {
    let renewal: Renewal =
      switch month.renewal {
      case .on: .active
      case .failed: .failed
      case .off, .allowed, .none: .canceled
      }
    self.init(
      firstChargeID: month.firstChargeID, endsAt: Int64(month.endsAt.timeIntervalSince1970),
      renewal: renewal)
  }
}

/// Files that only their owner may read.
enum PrivateFile {
  static func write(_ data: Data, to url: URL) throws {
    let draft = url.appendingPathExtension("new")
    try? FileManager.default.removeItem(at: draft)
    guard
      FileManager.default.createFile(
        atPath: draft.path, contents: data, attributes: [.posixPermissions: 0o600])
    else { throw Complaint("cannot write \(url.path)") }
    guard rename(draft.path, url.path) == 0 else { throw Complaint("cannot write \(url.path)") }
  }
}
