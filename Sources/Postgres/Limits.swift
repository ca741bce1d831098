/// Every bound of this module.
enum Limits {
  /// Prepared statements kept per connection; the least recently used one gives way.
  static let preparedStatements = 256
  /// The protocol counts parameters in 16 bits.
  static let parameters = 65_535
  /// After a connection was turned away, how long the next attempt waits.
  static let reconnectPause = Duration.milliseconds(50)
  /// How often deadlines are looked at.
  static let tick = Duration.milliseconds(100)
  /// How long a cancelled statement may take to stop before its connection is given up.
  static let cancellationGrace = Duration.seconds(2)
  /// Cancel requests that may wait while the server does not take them.
  static let queuedCancellations = 64
  /// How long closing a pool waits for connections that are still lent.
  static let closingGrace = Duration.seconds(15)
  /// How long a statement of a migration may run.
  static let migrationTimeout = Duration.seconds(3600)
  /// How long a migrator waits for another one to finish.
  static let migrationLockTimeout = Duration.seconds(600)
  /// How long the private cluster may take to start, crash recovery included.
  static let clusterStartTimeout = Duration.seconds(120)
  /// How long backends may outlive a postmaster that was killed.
  static let orphanTimeout = Duration.seconds(20)
  /// A Unix socket's path ends at this many bytes (`sun_path` on Linux, less the final NUL).
  static let socketPathBytes = 107
}
