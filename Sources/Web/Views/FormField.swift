/// Something wrong with what was typed into a field.
struct FormProblem: Sendable, Equatable {
  enum Kind: Sendable, Equatable {
    case missing
    /// None of the choices was chosen.
    case notChosen
    /// Not the small letters, digits, hyphens and underscores that a key is made of.
    case key(max: Int)
    case tooLong(max: Int)
    /// Not a whole number within these bounds.
    case whole(min: Int64, max: Int64)
    case cost, currency
    /// An exchange rate, which is never 0.
    case rate
    case telegramID
    /// Another one has this key, or this entitlement.
    case taken
    /// Not (any more) among the choices.
    case gone
    /// As many as fit are there already.
    case tooMany(max: Int)
    case language
    case source
    /// The free plan is everybody's: the base tier's, without features.
    case ofEverybody
    /// There is a free plan already.
    case oneFree
    case email, emailTaken
    /// Empty, or longer than this.
    case name(max: Int)
    /// Too short, or too long to be hashed.
    case password(min: Int)
    /// Not what stands in the field before.
    case differs
    case wrongPassword, wrongCode
    case tryLater(seconds: Int)
    case busy
    /// Somebody must be owner.
    case lastOwner
    case day
    /// The form was sent before, with other words.
    case sentBefore
    /// Nobody's username at Telegram can be so.
    case botUsername
    /// Too short to reach anybody.
    case contact(min: Int)
    case invitationCode
    /// Of a workspace: not the letters that addresses are made of, or a word of the product's own.
    case slug, reservedSlug
  }

  /// The field's id and name.
  var field: String
  var kind: Kind

  func words(_ page: PageContext) -> String {
    let (t, format) = (page.strings, page.format)
    switch kind {
    case .missing: return t["form.missing"]
    case .notChosen: return t["form.not_chosen"]
    case .key(let max): return t("form.key", ["max": String(max)])
    case .tooLong(let max): return t("form.too_long", ["max": format.number(Int64(max))])
    case .whole(let min, let max):
      return t("form.whole", ["min": format.number(min), "max": format.number(max)])
    case .cost: return t["form.cost"]
    case .currency: return t["form.currency"]
    case .rate: return t["form.rate"]
    case .telegramID: return t["form.telegram_id"]
    case .taken: return t["form.taken"]
    case .gone: return t["form.gone"]
    case .tooMany(let max): return t("form.too_many", ["max": String(max)])
    case .language: return t["form.language"]
    case .source: return t["form.source"]
    case .ofEverybody: return t["form.of_everybody"]
    case .oneFree: return t["form.one_free"]
    case .email: return t["form.email"]
    case .emailTaken: return t["form.email_taken"]
    case .name(let max): return t("form.name", ["max": String(max)])
    case .password(let min): return t("form.password", ["min": String(min)])
    case .differs: return t["form.differs"]
    case .wrongPassword: return t["form.wrong_password"]
    case .wrongCode: return t["form.wrong_code"]
    case .tryLater(let seconds):
      let minutes = Int64(max(1, (seconds + 59) / 60))
      return t("login.throttled", count: minutes, ["n": String(minutes)])
    case .busy: return t["login.busy"]
    case .lastOwner: return t["form.last_owner"]
    case .day: return t["form.day"]
    case .sentBefore: return t["form.sent_before"]
    case .botUsername: return t["form.bot_username"]
    case .contact(let min): return t("form.contact", ["min": String(min)])
    case .invitationCode: return t["form.invitation_code"]
    case .slug: return t["form.slug"]
    case .reservedSlug: return t["form.reserved_slug"]
    }
  }
}

extension [FormProblem] {
  /// The list above a form; each line names its field and leads to it.
  func summary(
    _ page: PageContext, of fields: [FormField], prefix: String = ""
  ) -> TemplateValue {
    isEmpty
      ? .none
      : .record([
        "rows": .records(self) { problem in
          let label = fields.first { $0.id == problem.field }.map { "\($0.label): " } ?? ""
          return [
            "href": .text("#\(prefix)\(problem.field)"),
            "words": .text(label + problem.words(page)),
          ]
        }
      ])
  }

  func words(for field: String, _ page: PageContext) -> String? {
    first { $0.field == field }?.words(page)
  }
}

/// A field as the `form-field` partial draws it: label above, hint below, what was typed kept.
struct FormField: Sendable {
  enum Kind: Sendable {
    /// - Parameter isNumber: brings up the digits of a phone.
    case text(max: Int, isNumber: Bool = false)
    case email
    /// What was typed is never sent back.
    case password(isNew: Bool)
    /// Of an authenticator, or a recovery code.
    case code
    case day
    case area(rows: Int, max: Int)
    case choice([(value: String, label: String)])
  }

  let id: String
  let label: String
  var hint: String?
  let value: String
  let kind: Kind
  var prefix = ""

  func model(_ problems: [FormProblem], _ page: PageContext) -> [String: TemplateValue] {
    let problem = problems.words(for: id, page)
    let id = prefix + id
    let described = [hint.map { _ in "\(id)-hint" }, problem.map { _ in "\(id)-problem" }]
      .compactMap { $0 }.joined(separator: " ")
    var model: [String: TemplateValue] = [
      "id": .text(id), "name": .text(self.id), "label": .text(label), "hint": .optional(hint),
      "value": .text(value), "problem": .optional(problem),
      "described": described.isEmpty ? .none : .text(described),
      "input": .none, "area": .none, "choice": .none,
    ]
    switch kind {
    case .text(let max, let isNumber):
      model["input"] = Self.input(max: max, isNumber: isNumber)
    case .email: model["input"] = Self.input("email", max: 254, autocomplete: "username")
    case .password(let isNew):
      model["value"] = .text("")
      model["input"] = Self.input(
        "password", max: 256, autocomplete: isNew ? "new-password" : "current-password")
    case .code:
      model["value"] = .text("")
      model["input"] = Self.input(max: 40, autocomplete: "one-time-code")
    case .day: model["input"] = Self.input("date", max: 10)
    case .area(let rows, let max):
      model["area"] = ["rows": .text(String(rows)), "max": .text(String(max))]
    case .choice(let choices):
      model["choice"] = [
        "options": .records(choices) { choice in
          [
            "value": .text(choice.value), "label": .text(choice.label),
            "selected": .flag(choice.value == value),
          ]
        }
      ]
    }
    return model
  }

  private static func input(
    _ type: String? = nil, max: Int, isNumber: Bool = false, autocomplete: String = "off"
  ) -> TemplateValue {
    [
      "type": .optional(type), "max": .text(String(max)), "numeric": .flag(isNumber),
      "autocomplete": .text(autocomplete),
    ]
  }
}
