import Foundation

/// A debit that was accepted while the database was away, to be booked when it is back.
struct AcceptedDebit: Codable, Sendable, Equatable {
  let workspaceID: Int64
  let request: DebitRequest
  /// What the action cost when it was accepted, in credits.
  let cost: Int64
  let acceptedAt: Date

  /// A key is a workspace's own.
  struct Key: Codable, Hashable {
    let workspaceID: Int64
    let idempotencyKey: String
  }

  var key: Key { Key(workspaceID: workspaceID, idempotencyKey: request.idempotencyKey) }
}

/// The debits that wait to be booked, in a file of this process: a line of JSON each, written through
/// to the disk before the bot is told. What was booked is struck out by a line of its own, and the
/// file is emptied when nothing waits.
public actor OutageJournal {
  enum Refusal: Error, Equatable {
    /// The action's cap of units is used up until some are booked.
    case capReached
    /// The key was accepted for another request.
    case conflict
  }

  public struct Unusable: Error, CustomStringConvertible {
    public let description: String
  }

  private struct Line: Codable {
    var accepted: AcceptedDebit?
    var booked: AcceptedDebit.Key?
  }

  fileprivate struct ActionKey: Hashable {
    let workspaceID: Int64
    let action: String
  }

  /// What the file says.
  private struct Waiting {
    var debits: [AcceptedDebit.Key: AcceptedDebit] = [:]
    var order: [AcceptedDebit.Key] = []
    var units: [ActionKey: Int64] = [:]

    mutating func add(_ debit: AcceptedDebit) {
      guard debits.updateValue(debit, forKey: debit.key) == nil else { return }
      order.append(debit.key)
      units[debit.actionKey, default: 0] += debit.request.check.units
    }

    mutating func remove(_ key: AcceptedDebit.Key) {
      guard let debit = debits.removeValue(forKey: key) else { return }
      order.removeAll { $0 == key }
      let left = (units[debit.actionKey] ?? 0) - debit.request.check.units
      units[debit.actionKey] = left == 0 ? nil : left
    }
  }

  private let file: FileHandle
  private var waiting: Waiting

  /// Opens the file, or makes it, with what waits in it from an earlier run.
  ///
  /// - Throws: ``Unusable`` when it cannot be written, or another process uses it.
  public init(path: String) throws {
    let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw Unusable(description: "\(path): \(String(cString: strerror(errno)))")
    }
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw Unusable(description: "\(path) is in use by another process: give each its own")
    }
    let bytes = try file.readToEnd() ?? Data()
    // A process that was killed may have left half a line, which nobody was told of.
    let end = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    if end < bytes.count { try file.truncate(atOffset: UInt64(end)) }
    var waiting = Waiting()
    for text in bytes[..<end].split(separator: UInt8(ascii: "\n")) {
      let line: Line
      do { line = try JSONDecoder().decode(Line.self, from: Data(text)) } catch {
        throw Unusable(description: "\(path) is damaged: move it away and look into it")
      }
      if let accepted = line.accepted { waiting.add(accepted) }
      if let booked = line.booked { waiting.remove(booked) }
    }
    self.waiting = waiting
  }

  /// Notes a debit and returns when it is on the disk.
  ///
  /// - Parameter capUnits: How many units of the action may wait in the workspace.
  /// - Returns: false when it was accepted before.
  /// - Throws: ``Refusal``, or a file error, in which case nothing is accepted.
  func accept(_ debit: AcceptedDebit, capUnits: Int64) throws -> Bool {
    if let known = waiting.debits[debit.key] {
      guard known.request == debit.request else { throw Refusal.conflict }
      return false
    }
    guard (waiting.units[debit.actionKey] ?? 0) + debit.request.check.units <= capUnits,
      waiting.debits.count < Limits.outageDebits
    else { throw Refusal.capReached }
    try append([Line(accepted: debit)])
    waiting.add(debit)
    return true
  }

  /// Whether so many units of an action could be accepted now.
  func hasRoom(
    for unitCount: Int64, of action: String, workspaceID: Int64, capUnits: Int64
  ) -> Bool {
    let used = waiting.units[ActionKey(workspaceID: workspaceID, action: action)] ?? 0
    return used + unitCount <= capUnits && waiting.debits.count < Limits.outageDebits
  }

  /// What waits, oldest first.
  var pending: [AcceptedDebit] { waiting.order.compactMap { waiting.debits[$0] } }

  /// Strikes a debit out.
  func strike(_ debit: AcceptedDebit) throws {
    guard waiting.debits[debit.key] != nil else { return }
    if waiting.debits.count == 1 {
      try file.truncate(atOffset: 0)
      try file.synchronize()
    } else {
      try append([Line(booked: debit.key)])
    }
    waiting.remove(debit.key)
  }

  private func append(_ lines: [Line]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    let bytes = try lines.reduce(into: Data()) {
      $0 += try encoder.encode($1) + Data("\n".utf8)
    }
    let end = try file.seekToEnd()
    do {
      try file.write(contentsOf: bytes)
      try file.synchronize()
    } catch {
      try? file.truncate(atOffset: end)
      throw error
    }
  }
}

extension AcceptedDebit {
  fileprivate var actionKey: OutageJournal.ActionKey {
    .init(workspaceID: workspaceID, action: request.check.action)
  }
}
