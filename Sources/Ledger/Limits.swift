/// Every bound of this module. The database holds its own: amounts, keys and open lots.
public enum Limits {
  /// Requests one batch carries: more adds latency, no throughput.
  public static let batch = 100
  /// Requests that may wait in one workspace's lane.
  public static let queuedPerLane = 2_000
  /// Requests that may wait in all lanes together.
  public static let queued = 20_000
  /// Rows of one page of history.
  public static let historyPage = 500
  /// Due accounts or holds that a sweep takes at once.
  public static let sweep = 500
}
