import Foundation

/// Numbers, Stars and times as one reader sees them: in their language and their workspace's zone.
struct Formatting: Sendable {
  let language: Language
  let timeZone: TimeZone
  let now: Date
  private let strings: Strings
  private let exactStyle: Date.FormatStyle
  private let dayStyle: Date.FormatStyle
  private let utcDayStyle: Date.FormatStyle
  private let utcShortDayStyle: Date.FormatStyle

  init(strings: Strings, timeZone: TimeZone, now: Date) {
    self.language = strings.language
    self.strings = strings
    self.timeZone = timeZone
    self.now = now
    let base = Date.FormatStyle(locale: strings.language.locale, timeZone: timeZone)
    self.dayStyle = base.day().month(.abbreviated).year()
    let utc = Date.FormatStyle(locale: strings.language.locale, timeZone: .gmt)
    self.utcDayStyle = utc.day().month(.abbreviated).year()
    self.utcShortDayStyle = utc.day().month(.abbreviated)
    self.exactStyle = base.day().month(.abbreviated).year()
      .hour(.twoDigits(amPM: .omitted)).minute(.twoDigits).second(.twoDigits)
      .timeZone(.specificName(.short))
  }

  /// `1,125` or `1.125`; a negative number gets a real minus sign, which is as wide as a plus.
  func number(_ value: Int64) -> String {
    let digits = String(value.magnitude)
    var grouped = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) {
        grouped += language.thousandsSeparator
      }
      grouped.append(digit)
    }
    return value < 0 ? "−" + grouped : grouped
  }

  func percent(_ value: Int64) -> String { number(value) + "%" }

  /// `+10`, `−3`, `0`.
  func signed(_ value: Int64) -> String { value > 0 ? "+" + number(value) : number(value) }

  /// `75 ★`; the space does not break.
  func stars(_ value: Int64) -> String { number(value) + "\u{a0}★" }

  func signedStars(_ value: Int64) -> String { signed(value) + "\u{a0}★" }

  /// `1 credit`, `1,125 credits`, `10 créditos`.
  func credits(_ value: Int64) -> String {
    strings("unit.credits", count: value, ["n": number(value)])
  }

  func signedCredits(_ value: Int64) -> String {
    strings("unit.credits", count: value, ["n": signed(value)])
  }

  /// `21 Nov 2026, 09:00:12 GMT-3`.
  func exact(_ date: Date) -> String { date.formatted(exactStyle) }

  /// `21 Nov 2026`.
  func day(_ date: Date) -> String { date.formatted(dayStyle) }

  /// `21 Nov 2026` for `2026-11-21`; other text is given back as it is.
  func day(isoDay: String) -> String { isoDay.date.map { $0.formatted(utcDayStyle) } ?? isoDay }

  /// `21 Nov`.
  func shortDay(isoDay: String) -> String {
    isoDay.date.map { $0.formatted(utcShortDayStyle) } ?? isoDay
  }

  /// Machine-readable, for `<time datetime>`.
  func iso(_ date: Date) -> String { date.formatted(.iso8601) }

  /// `3 minutes ago`, `há 3 minutos`, `in 2 days`; from a month away on, the day itself.
  func relative(_ date: Date) -> String {
    let seconds = Int64(now.timeIntervalSince(date).rounded())
    let distance = seconds.magnitude
    let tense = seconds < 0 ? "in" : "ago"
    switch distance {
    case 0..<45: return strings[seconds < 0 ? "time.soon" : "time.now"]
    case 45..<3_570: return span("time.minutes_\(tense)", max(1, (distance + 30) / 60))
    case 3_570..<84_600: return span("time.hours_\(tense)", (distance + 1_800) / 3_600)
    case 84_600..<2_592_000: return span("time.days_\(tense)", (distance + 43_200) / 86_400)
    default: return day(date)
    }
  }

  private func span(_ key: Strings.Key, _ count: UInt64) -> String {
    strings(key, count: Int64(count), ["n": number(Int64(count))])
  }

  /// What the `time` partial draws.
  func time(_ date: Date) -> TemplateValue {
    ["iso": .text(iso(date)), "exact": .text(exact(date)), "relative": .text(relative(date))]
  }
}

extension String {
  /// Midnight in UTC of an ISO day.
  fileprivate var date: Date? {
    try? Date(self, strategy: .iso8601.year().month().day())
  }
}
