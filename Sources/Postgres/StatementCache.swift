/// The prepared statements of one connection, by text, least recently used first out.
struct StatementCache {
  private struct Entry {
    let name: String
    var lastUse: UInt64
  }

  private var entries: [String: Entry] = [:]
  private var uses: UInt64 = 0
  private var names: UInt64 = 0
  private let capacity: Int
  /// Names to deallocate on the server before the next statements.
  private(set) var evicted: [String] = []
  /// The server's statements are not what this cache believed: start again from nothing.
  private(set) var isStale = false

  init(capacity: Int) { self.capacity = capacity }

  var count: Int { entries.count }

  /// The statement's name, and whether it has to be prepared first.
  mutating func name(for text: String) -> (name: String, isNew: Bool) {
    uses += 1
    if let index = entries.index(forKey: text) {
      entries.values[index].lastUse = uses
      return (entries.values[index].name, false)
    }
    if entries.count >= capacity,
      let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse })
    {
      entries[oldest.key] = nil
      evicted.append(oldest.value.name)
    }
    // Names are never used twice: a name that the server still holds would refuse to be prepared.
    names += 1
    let name = "s\(names)"
    entries[text] = Entry(name: name, lastUse: uses)
    return (name, true)
  }

  /// The statement could not be prepared.
  mutating func forget(_ text: String, name: String) {
    if entries[text]?.name == name { entries[text] = nil }
    evicted.removeAll { $0 == name }
  }

  mutating func deallocated(_ name: String) {
    evicted.removeAll { $0 == name }
  }

  mutating func invalidate() {
    entries = [:]
    evicted = []
    isStale = true
  }

  mutating func deallocatedAll() { isStale = false }
}
