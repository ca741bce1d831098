import Telegram

/// Trouble on demand. Faults last as long as the process.
public struct Faults: Sendable {
  /// What goes wrong with a Bot API method.
  public enum MethodFault: Sendable, Hashable {
    /// The method is carried out, then the connection is closed without an answer.
    case dropConnection
    /// The method is carried out at once and the answer comes late.
    case delay(seconds: Double)
    /// The method is carried out late, even when its caller has hung up.
    case stall(seconds: Double)
    /// The method is not carried out and answers 429.
    case tooManyRequests(retryAfter: Int)
    /// The method is not carried out and answers 500.
    case internalError
  }

  private struct Method {
    let botID: Int64?
    /// Lower case; nil means any.
    let name: String?
    let fault: MethodFault
    var times: Int
  }

  private struct Copies {
    let botID: Int64
    let kind: UpdateKind?
    let copies: Int
  }

  private struct Loss {
    let botID: Int64
    let what: String?
    var times: Int
  }

  private struct Delay {
    let botID: Int64
    let seconds: Double
    var times: Int
  }

  private var methods: [Method] = []
  private var copies: [Copies] = []
  private var losses: [Loss] = []
  private var delays: [Delay] = []

  /// Whether any trouble is still to come.
  var isEmpty: Bool { methods.isEmpty && copies.isEmpty && losses.isEmpty && delays.isEmpty }

  mutating func add(_ fault: MethodFault, botID: Int64?, method: String?, times: Int) {
    methods.append(
      Method(botID: botID, name: method?.lowercased(), fault: fault, times: times))
  }

  /// The next update (of that kind) is delivered `copies` times.
  mutating func duplicateNext(botID: Int64, kind: UpdateKind?, copies count: Int) {
    copies.append(Copies(botID: botID, kind: kind, copies: count))
  }

  /// The next updates never come: Telegram's books know what happened, the bot does not.
  ///
  /// - Parameter what: A kind of update, or what a message tells of: `successful_payment`,
  ///   `refunded_payment`. nil: whatever comes but questions that a payer waits for.
  mutating func loseUpdates(botID: Int64, what: String?, times: Int) {
    losses.append(Loss(botID: botID, what: what, times: times))
  }

  mutating func takeLoss(botID: Int64, _ update: Update) -> Bool {
    let kind = update.kind?.rawValue
    let names = [
      kind, update.message?.successfulPayment.map { _ in "successful_payment" },
      update.message?.refundedPayment.map { _ in "refunded_payment" },
    ]
    guard
      let index = losses.firstIndex(where: {
        $0.botID == botID
          && ($0.what.map(names.contains) ?? (kind != UpdateKind.preCheckoutQuery.rawValue))
      })
    else { return false }
    losses[index].times -= 1
    if losses[index].times <= 0 { losses.remove(at: index) }
    return true
  }

  /// The next deliveries wait.
  mutating func delayDeliveries(botID: Int64, seconds: Double, times: Int) {
    delays.append(Delay(botID: botID, seconds: seconds, times: times))
  }

  mutating func takeFault(botID: Int64, method: String) -> MethodFault? {
    guard
      let index = methods.firstIndex(where: {
        ($0.botID == nil || $0.botID == botID) && ($0.name == nil || $0.name == method)
      })
    else { return nil }
    methods[index].times -= 1
    let fault = methods[index].fault
    if methods[index].times <= 0 { methods.remove(at: index) }
    return fault
  }

  mutating func takeCopies(botID: Int64, kind: UpdateKind) -> Int {
    guard
      let index = copies.firstIndex(where: {
        $0.botID == botID && ($0.kind == nil || $0.kind == kind)
      })
    else { return 1 }
    return copies.remove(at: index).copies
  }

  mutating func takeDeliveryDelay(botID: Int64) -> Double? {
    guard let index = delays.firstIndex(where: { $0.botID == botID }) else { return nil }
    delays[index].times -= 1
    let seconds = delays[index].seconds
    if delays[index].times <= 0 { delays.remove(at: index) }
    return seconds
  }
}
