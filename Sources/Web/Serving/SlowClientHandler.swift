import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Answers 408 to a client that does not finish its request in time: a deadline from the first byte
/// to the end of the head and another from there to the end of the body. An idle time-out cannot do
/// this, since one byte a minute resets it.
final class SlowClientHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private enum State { case idle, head, body, answered }

  private let headTime: TimeAmount
  private let bodyTime: TimeAmount
  private var state = State.idle
  /// When the client's time is up, while a request arrives.
  private var deadline = NIODeadline.distantFuture
  /// One timer serves many requests: what it finds too early it waits for again. Starting and
  /// stopping one for each request costs more than parsing it.
  private var timer: (scheduled: Scheduled<Void>, at: NIODeadline)?
  private var responseStarted = false

  init(
    headTime: TimeAmount = .seconds(ServingLimits.headSeconds),
    bodyTime: TimeAmount = .seconds(ServingLimits.bodySeconds)
  ) {
    self.headTime = headTime
    self.bodyTime = bodyTime
  }

  func handlerAdded(context: ChannelHandlerContext) {
    // Bytes are seen before they are parsed, or a head that never ends would never be noticed.
    let watcher = FirstByteWatcher { [unowned self] in bytesArrived(context) }
    try? context.pipeline.syncOperations.addHandler(watcher, position: .first)
  }

  private func bytesArrived(_ context: ChannelHandlerContext) {
    guard state == .idle else { return }
    state = .head
    allow(headTime, context)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head:
      state = .body
      responseStarted = false
      allow(bodyTime, context)
    case .end:
      state = .idle
    case .body: break
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard state != .answered else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    if case .head = unwrapOutboundIn(data) { responseStarted = true }
    context.write(data, promise: promise)
  }

  func channelInactive(context: ChannelHandlerContext) {
    stopTimer()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { stopTimer() }

  private func allow(_ time: TimeAmount, _ context: ChannelHandlerContext) {
    deadline = .now() + time
    if let timer, timer.at <= deadline { return }
    stopTimer()
    startTimer(context)
  }

  private func startTimer(_ context: ChannelHandlerContext) {
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    let scheduled = context.eventLoop.scheduleTask(deadline: deadline) {
      let (handler, context) = bound.value
      handler.timer = nil
      handler.timeMayBeUp(context)
    }
    timer = (scheduled, deadline)
  }

  private func stopTimer() {
    timer?.scheduled.cancel()
    timer = nil
  }

  private func timeMayBeUp(_ context: ChannelHandlerContext) {
    guard state == .head || state == .body else { return }
    guard deadline <= .now() else { return startTimer(context) }
    // A response that has begun cannot be replaced; the connection is closed under it.
    if !responseStarted {
      let text = "408: the request took too long to arrive.\n"
      let head = HTTPResponse(
        status: .requestTimeout,
        headerFields: [
          .contentType: "text/plain; charset=utf-8", .connection: "close",
          .contentLength: String(text.utf8.count),
        ])
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      context.write(wrapOutboundOut(.body(ByteBuffer(string: text))), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
    state = .answered
    context.close(promise: nil)
  }
}

/// Tells of every read before the HTTP decoder sees it.
private final class FirstByteWatcher: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let bytesArrived: () -> Void

  init(bytesArrived: @escaping () -> Void) { self.bytesArrived = bytesArrived }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    bytesArrived()
    context.fireChannelRead(data)
  }
}
