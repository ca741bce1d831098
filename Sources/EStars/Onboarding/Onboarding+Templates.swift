import Ledger
import Postgres

extension Onboarding {
  /// The skus that every one of these sides has, on sale or not.
  public static func skus(on sides: [Workspace], _ pool: Pool) async throws -> Set<String> {
    try await common(sides) { side in
      try await PackRules.all(in: side.scope, pool).map(\.sku)
    }
  }

  /// The keys of actions that every one of these sides has, in force or not.
  public static func actions(on sides: [Workspace], _ pool: Pool) async throws -> Set<String> {
    try await common(sides) { side in
      try await ActionRules.all(in: side.scope, pool).map(\.key)
    }
  }

  private static func common(
    _ sides: [Workspace], _ names: (Workspace) async throws -> [String]
  ) async throws -> Set<String> {
    var common: Set<String>?
    for side in sides {
      let found = Set(try await names(side))
      common = common?.intersection(found) ?? found
    }
    return common ?? []
  }

  /// Puts packs on sale on these sides of a business. A sku that is there already is left alone, as
  /// it is.
  ///
  /// - Returns: How many were made, of both sides together.
  /// - Throws: ``RuleRefusal/tooMany``
  public static func sell(
    _ templates: [PackTemplate], on sides: [Workspace], by actor: Actor, _ pool: Pool
  ) async throws -> Int {
    var made = 0
    for side in sides {
      let rules = templates.map { $0.rules(side.locale) }
      try await define(rules.flatMap { $0.terms.map(\.entitlement) }, on: side, by: actor, pool)
      for pack in rules {
        try await unlessTaken {
          try await PackRules.create(pack, reason: "", by: actor, in: side.scope, pool)
          made += 1
        }
      }
    }
    return made
  }

  /// Puts actions in force on these sides of a business. A key that is there already is left alone,
  /// as it is.
  ///
  /// - Returns: How many were made, of both sides together.
  /// - Throws: ``RuleRefusal/tooMany``
  public static func charge(
    _ templates: [ActionTemplate], on sides: [Workspace], by actor: Actor, _ pool: Pool
  ) async throws -> Int {
    var made = 0
    for side in sides {
      let rates = try await Rates.of(side.scope, pool)
      let base = try await Tier.all(in: side.scope, pool).first { $0.isBase }
      let rules = templates.map { $0.rules(side.locale, tier: base?.key ?? "free", at: rates) }
      try await define(
        rules.flatMap { [$0.requiredEntitlement, $0.unmeteredEntitlement].compactMap(\.self) },
        on: side, by: actor, pool)
      for action in rules {
        try await unlessTaken {
          try await ActionRules.create(action, reason: "", by: actor, in: side.scope, pool)
          made += 1
        }
      }
    }
    return made
  }

  private static func define(
    _ features: [String], on side: Workspace, by actor: Actor, _ pool: Pool
  ) async throws {
    let known = [FeatureTemplate.premium]
    for feature in known where features.contains(feature.key) {
      try await unlessTaken {
        try await Entitlement.create(
          key: feature.key, title: feature.title, by: actor, in: side.scope, pool)
      }
    }
  }

  private static func unlessTaken(_ work: () async throws -> Void) async throws {
    do { try await work() } catch RuleRefusal.taken {
      // It is the operator's own, and stays.
    }
  }
}
