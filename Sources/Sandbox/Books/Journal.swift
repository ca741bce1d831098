import Foundation
import NIOPosix

/// The books on disk: a snapshot and the lines written since. A line is on the platter before
/// `append` returns; a last line cut short by a crash was never acknowledged and is dropped.
final class Journal {
  private let directory: URL
  private let lock: Int32
  private let file: Int32
  private var size: Int
  private var lastNumber: Int64
  private var isBroken = false

  private struct Line: Codable {
    let n: Int64
    let changes: [Change]
  }

  private struct Snapshot: Codable {
    let n: Int64
    let state: BookState
  }

  /// Opens or makes the books in `directory` and gives the state they hold.
  ///
  /// - Throws: `SandboxError` when another process holds them or they cannot be read.
  static func open(in directory: URL) throws -> (Journal, BookState) {
    try FileManager.default.createDirectory(
      at: directory, withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
    let lock = try openFile(directory.appending(path: "lock"), O_RDWR | O_CREAT | O_CLOEXEC)
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      Glibc.close(lock)
      throw SandboxError.booksInUse(directory.path)
    }
    do {
      var state = BookState()
      var lastNumber: Int64 = 0
      let snapshotURL = directory.appending(path: "snapshot.json")
      if FileManager.default.fileExists(atPath: snapshotURL.path) {
        let snapshot = try JSONDecoder().decode(Snapshot.self, from: Data(contentsOf: snapshotURL))
        state = snapshot.state
        lastNumber = snapshot.n
      }
      let journalURL = directory.appending(path: "journal.jsonl")
      let file = try openFile(journalURL, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC)
      let size = try replay(journalURL, into: &state, lastNumber: &lastNumber)
      guard ftruncate(file, off_t(size)) == 0 else { throw SandboxError.books(errorText()) }
      return (
        Journal(
          directory: directory, lock: lock, file: file, size: size, lastNumber: lastNumber), state
      )
    } catch {
      Glibc.close(lock)
      throw error
    }
  }

  private init(directory: URL, lock: Int32, file: Int32, size: Int, lastNumber: Int64) {
    self.directory = directory
    self.lock = lock
    self.file = file
    self.size = size
    self.lastNumber = lastNumber
  }

  deinit {
    close(file)
    close(lock)
  }

  /// Whether it is time to fold the lines into a snapshot.
  var isLong: Bool { size > SandboxLimits.journalBytes }

  /// Writes all changes as one line: after a crash either all of them happened or none.
  func append(_ changes: [Change]) throws {
    guard !isBroken else { throw SandboxError.books("an earlier write failed") }
    var line = try JSONEncoder().encode(Line(n: lastNumber + 1, changes: changes))
    line.append(UInt8(ascii: "\n"))
    do {
      try Journal.write(line, to: file)
      guard fdatasync(file) == 0 else { throw SandboxError.books(Journal.errorText()) }
    } catch {
      // What memory holds is now ahead of the disk: nothing more may be acknowledged.
      isBroken = true
      _ = ftruncate(file, off_t(size))
      throw error
    }
    size += line.count
    lastNumber += 1
  }

  /// Writes the whole state and starts an empty journal. A crash in between is harmless: lines
  /// carry numbers, and those the snapshot holds are skipped.
  func fold(_ state: BookState) throws {
    guard !isBroken else { return }
    let data = try JSONEncoder().encode(Snapshot(n: lastNumber, state: state))
    let draft = directory.appending(path: "snapshot.json.new")
    let target = directory.appending(path: "snapshot.json")
    let output = try Journal.openFile(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC)
    defer { close(output) }
    try Journal.write(data, to: output)
    guard fsync(output) == 0, rename(draft.path, target.path) == 0 else {
      throw SandboxError.books(Journal.errorText())
    }
    let folder = try Journal.openFile(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { close(folder) }
    guard fsync(folder) == 0, ftruncate(file, 0) == 0 else {
      throw SandboxError.books(Journal.errorText())
    }
    size = 0
  }

  /// Applies the lines and gives the length up to the last whole one.
  private static func replay(
    _ url: URL, into state: inout BookState, lastNumber: inout Int64
  ) throws -> Int {
    let data = try Data(contentsOf: url)
    let decoder = JSONDecoder()
    var start = data.startIndex
    var count = 0
    while start < data.endIndex {
      guard let end = data[start...].firstIndex(of: UInt8(ascii: "\n")) else { break }
      count += 1
      guard let line = try? decoder.decode(Line.self, from: data[start..<end]) else {
        if data.index(after: end) == data.endIndex { break }
        throw SandboxError.books("line \(count) of \(url.lastPathComponent) is damaged")
      }
      if line.n > lastNumber {
        for change in line.changes { state.apply(change) }
        lastNumber = line.n
      }
      start = data.index(after: end)
    }
    return start - data.startIndex
  }

  private static func openFile(_ url: URL, _ flags: Int32) throws -> Int32 {
    let descriptor = Glibc.open(url.path, flags, 0o600)
    guard descriptor >= 0 else { throw SandboxError.books("\(url.path): \(errorText())") }
    return descriptor
  }

  private static func write(_ data: Data, to file: Int32) throws {
    try data.withUnsafeBytes { bytes in
      var written = 0
      while written < bytes.count {
        let count = Glibc.write(file, bytes.baseAddress! + written, bytes.count - written)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { throw SandboxError.books(errorText()) }
        written += count
      }
    }
  }

  private static func errorText() -> String { String(cString: strerror(errno)) }
}
