import EStars
import Foundation
import HTTPTypes

/// API keys: the list, one key, and making one. A key's text stands in one answer and nowhere else.
enum KeysController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    let before = visit.inbound.query["after"].flatMap { Int64($0) }
    var keys = try await KeyRecord.recent(
      before: before, limit: Limits.pageSize + 1, in: visit.scope, visit.platform.pool)
    let hasMore = keys.count > Limits.pageSize
    if hasMore { keys.removeLast() }
    let view = KeysView(
      rows: keys.map(KeyRow.init), mayChange: visit.membership.role >= .owner,
      paging: Paging(
        nextCursor: hasMore ? keys.last.map { String($0.id) } : nil, isFirst: before == nil))
    return try await visit.livePage(view.render)
  }

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    try await visit.keyPage(try await visit.key())
  }

  @Sendable static func new(_ visit: Visit) async throws -> Reply {
    let view = KeyFormView(bots: try await visit.keyBots())
    return try await visit.livePage(view.render)
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let form = try visit.inbound.form()
    let chosen = KeyScope.allCases.filter { form["scope_\($0.rawValue)"] != nil }
    var view = KeyFormView(
      bots: try await visit.keyBots(), name: visit.inbound.words(form["name"]),
      botID: form["bot"].flatMap { Int64($0) }, scopes: Set(chosen))
    if !(1...Limits.keyNameCharacters).contains(view.name.unicodeScalars.count) {
      view.problems.append(.name)
    }
    if !view.bots.contains(where: { $0.id == view.botID }) { view.problems.append(.bot) }
    if chosen.isEmpty { view.problems.append(.scopes) }
    guard view.problems.isEmpty, let botID = view.botID else {
      return try await visit.livePage(view.render, .unprocessableContent)
    }
    do {
      let made = try await APIKey.create(
        name: view.name, botID: botID,
        scopes: chosen.compactMap { APIKey.Scope(rawValue: $0.rawValue) },
        side: visit.workspace.side, by: visit.actor, in: visit.scope, visit.platform.pool)
      return try await visit.livePage(
        SecretView(kind: .key(name: view.name), text: made.text).render, .created)
    } catch APIKey.ChangeProblem.notFound {
      // It was disconnected a moment ago.
      view.bots = try await visit.keyBots()
      view.problems.append(.bot)
      return try await visit.livePage(view.render, .unprocessableContent)
    }
  }
}

enum KeyRotationController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let key = try await visit.key()
    guard let overlap = try visit.inbound.form()["overlap"].flatMap(APIKey.Overlap.init) else {
      throw Refusal(.unprocessableContent, "overlap", "Choose how long the old key still works.")
    }
    do {
      let made = try await APIKey.rotate(
        key.id, overlap: overlap, side: visit.workspace.side, by: visit.actor, in: visit.scope,
        visit.platform.pool)
      let old = try await KeyRecord.find(id: key.id, in: visit.scope, visit.platform.pool)
      let kind = SecretView.Kind.rotatedKey(
        name: key.name, oldUntil: overlap == .none ? nil : old?.expiresAt)
      return try await visit.livePage(SecretView(kind: kind, text: made.text).render, .created)
    } catch APIKey.ChangeProblem.notFound {
      throw Refusal.notFound
    } catch APIKey.ChangeProblem.ended {
      return try await visit.keyPage(try await visit.key(), .ended, .conflict)
    }
  }
}

enum KeyRevocationController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let key = try await visit.key()
    guard try visit.inbound.form()["confirmed"] == "1" else {
      return try await visit.keyPage(key, .unconfirmed, .unprocessableContent)
    }
    do {
      try await APIKey.revoke(key.id, by: visit.actor, in: visit.scope, visit.platform.pool)
    } catch APIKey.ChangeProblem.notFound {
      throw Refusal.notFound
    } catch APIKey.ChangeProblem.ended {
      // The same form sent twice: what it says is done.
    }
    return .seeOther(Links.key(visit.workspace.slug, key.id))
  }
}

extension Visit {
  fileprivate func key() async throws -> KeyRecord {
    guard let key = try await KeyRecord.find(id: inbound.id("key"), in: scope, platform.pool) else {
      throw Refusal.notFound
    }
    return key
  }

  fileprivate func keyBots() async throws -> [KeyFormView.Choice] {
    try await Bot.all(in: scope, platform.pool).filter(\.isConnected)
      .map { .init(id: $0.id, username: $0.username) }
  }

  fileprivate func keyPage(
    _ key: KeyRecord, _ warning: KeyView.Warning? = nil, _ status: HTTPResponse.Status = .ok
  ) async throws -> Reply {
    let audit = try await AuditEntry.about("key", String(key.id), in: scope, platform.pool)
    let view = KeyView(
      key: KeyRow(key), createdBy: key.createdBy, revokedAt: key.revokedAt,
      mayChange: membership.role >= .owner, warning: warning,
      audit: audit.map(PaymentView.AuditLine.init))
    return try await livePage(view.render, status)
  }

  /// A page whose times are of the world outside: keys and webhooks know nothing of the clock that
  /// a test side may have moved.
  func livePage(
    _ render: (Renderer, Frame) -> String, _ status: HTTPResponse.Status = .ok
  ) async throws -> Reply {
    var frame = try await frame()
    frame.now = Date()
    return .html(render(server.pages.renderer, frame), status: status)
  }
}

extension KeyRow {
  init(_ key: KeyRecord) {
    self.init(
      id: key.id, name: key.name, botUsername: key.botUsername, prefix: key.prefix,
      scopes: key.scopes.compactMap { KeyScope(rawValue: $0.rawValue) }, createdAt: key.createdAt,
      lastUsedAt: key.lastUsedAt, expiresAt: key.expiresAt,
      state: KeyState(rawValue: key.state(at: Date()).rawValue) ?? .revoked)
  }
}
