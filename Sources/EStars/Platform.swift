import Foundation
import Ledger
import Logging
import Postgres
import Synchronization
import Telegram

/// The product over one database: what the doors (web, API, webhook, worker) share.
public final class Platform: Sendable {
  public let pool: Pool
  /// A few connections for statements that read whole ledgers.
  public let patientPool: Pool
  public let secrets: Secrets
  public let logger: Logger
  public let directory: Directory
  public let login: Login
  public let passwords: PasswordHasher
  public let preCheckout: PreCheckout
  public let usage: Usage
  public let outages: Outages?
  public let targets: TargetClient
  let arrivals: Coalescer<Arrival, UpdateIntake.Handled>
  let relaysUnderWay = Atomic<Int>(0)
  public let keyUses: KeyUses
  private let clients = Mutex<[Int64: (sealed: [UInt8], client: TelegramClient)]>([:])

  /// - Parameters:
  ///   - allowsPrivateTargets: Whether events and relayed updates may go to plain HTTP and to one's
  ///     own network, as in a demo or behind a network policy of one's own.
  ///   - outageJournal: Where debits are kept that are accepted while the database is away; nil:
  ///     none are.
  public init(
    pool: Pool, secrets: Secrets, logger: Logger, allowsPrivateTargets: Bool = false,
    outageJournal: OutageJournal? = nil
  ) {
    self.pool = pool
    patientPool = pool.patient(logger)
    self.secrets = secrets
    self.logger = logger
    passwords = PasswordHasher()
    directory = Directory(pool: pool)
    login = Login(pool: pool, passwords: passwords)
    preCheckout = PreCheckout(pool: pool, secrets: secrets, logger: logger)
    outages = outageJournal.map { [directory] in
      Outages(journal: $0, directory: directory, pool: pool, logger: logger)
    }
    usage = Usage(pool: pool, outages: outages)
    targets = TargetClient(allowsPrivate: allowsPrivateTargets)
    arrivals = Arrival.coalescer(pool, secrets)
    keyUses = KeyUses(pool: pool, logger: logger)
  }

  public func close() async {
    await pool.close()
    await patientPool.close()
  }

  public var secondFactor: SecondFactor { SecondFactor(platform: self) }
  public var updates: UpdateIntake { UpdateIntake(platform: self) }
  public var refunds: RefundSettlement { RefundSettlement(platform: self) }
  public var reconciler: Reconciler { Reconciler(platform: self) }
  var events: EventSender { EventSender(platform: self) }
  public var messages: MessageSender { MessageSender(platform: self) }
  var carts: CartWatch { CartWatch(platform: self) }
  var alerts: AlertWatch { AlertWatch(platform: self) }
  public var relay: UpdateRelay { UpdateRelay(platform: self) }

  /// The Bot API client of a bot; its token is unsealed once and kept with its rate limits.
  ///
  /// - Throws: ``Secrets/Problem/sealed`` when the token was sealed under another key.
  public func telegram(for bot: Bot) throws -> TelegramClient {
    if let known = clients.withLock({ $0[bot.id] }), known.sealed == bot.sealedToken {
      return known.client
    }
    guard let token = BotToken(try secrets.open(bot.sealedToken)) else {
      throw Secrets.Problem.sealed
    }
    let client = TelegramClient(
      token: token, endpoint: bot.endpoint, pace: CallPace(), logger: logger)
    clients.withLock { $0[bot.id] = (bot.sealedToken, client) }
    return client
  }
}

extension Pool {
  /// The same database, with time for ``Limits/verificationSeconds``.
  public func patient(_ logger: Logger) -> Pool {
    var configuration = configuration
    configuration.maxConnections = 2
    configuration.queryTimeout = .seconds(Limits.verificationSeconds)
    return Pool(configuration, logger: logger)
  }
}
