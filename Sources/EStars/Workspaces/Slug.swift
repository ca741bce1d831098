import Foundation

/// What a business is called in addresses: `slug` is its live side, `slug-test` the other one.
public enum Slug {
  /// Words that addresses of ours begin with or that would pass for the house itself.
  public static let reserved: Set<String> = [
    "about", "abuse", "account", "accounts", "admin", "admins", "administrator", "api",
    "applications", "assets", "audit", "billing", "blog", "compare", "console", "contact",
    "dashboard", "docs", "email", "estars", "estars-team", "example", "faq", "gates", "help",
    "health", "healthz", "home", "how-it-works", "index", "invitations", "legal", "live", "login",
    "logout", "mail", "margin", "new", "null", "openapi", "operator", "operators", "owner",
    "payments", "pilot", "pilots", "pricing", "privacy", "pt-br", "public", "readyz", "resets",
    "root", "sandbox", "security", "settings", "signup", "site", "staff", "stars", "static",
    "status", "support", "system", "team", "telegram", "terms", "test", "undefined", "webhook",
    "workspace", "workspaces", "www",
  ]

  public static let characters = 3...43

  /// Three to 43 small letters, digits and hyphens, with none of these at either end; the ending of
  /// test sides is theirs.
  public static func isWellFormed(_ slug: String) -> Bool {
    slug.wholeMatch(of: /[a-z0-9][a-z0-9-]{1,41}[a-z0-9]/) != nil && !slug.hasSuffix("-test")
  }

  /// `figurinhas-lab` for `Figurinhas_Lab_bot`; empty where nothing useful is left of it.
  public static func proposal(for botUsername: String) -> String {
    var slug = botUsername.lowercased().replacing(/[^a-z0-9]+/, with: "-")
    for ending in ["-bot", "bot"] where slug.hasSuffix(ending) {
      slug = String(slug.dropLast(ending.count))
      break
    }
    slug = String(slug.prefix(characters.upperBound))
      .trimmingCharacters(in: CharacterSet(charactersIn: "-"))
    return isWellFormed(slug) && !reserved.contains(slug) ? slug : ""
  }
}
