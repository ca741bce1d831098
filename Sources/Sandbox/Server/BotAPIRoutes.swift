import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Telegram

/// `/bot<token>/METHOD` and `/bot<token>/test/METHOD`, by GET and POST.
struct BotAPIRoutes: Sendable {
  let api: BotAPI

  func add(to router: Router<SandboxContext>) {
    for verb: HTTPRequest.Method in [.get, .post] {
      router.on("/bot{token}/**", method: verb) { request, context in
        await answer(request, context)
      }
    }
  }

  private func answer(_ request: Request, _ context: SandboxContext) async -> Response {
    var path = context.parameters.getCatchAll()
    var api = api
    if path.count == 2, path.first == "test" {
      path.removeFirst()
      api.environment = .test
    }
    guard let token = context.parameters.get("token")?.removingPercentEncoding, path.count == 1,
      let method = path.first.map(String.init)
    else { return respond(api.failure(.notFound)) }
    let reply: BotAPI.Reply
    do {
      var request = request
      let body = try await request.collectBody(upTo: SandboxLimits.requestBytes)
      let parameters = try Parameters(
        query: request.uri.query, contentType: request.headers[.contentType],
        body: Array(buffer: body))
      reply = await api.reply(token: token, method: method, parameters: parameters)
    } catch let error as BotAPIError {
      reply = api.failure(error)
    } catch {
      reply = api.failure(.tooLarge)
    }
    if reply.isDropped { try? await context.channel.close() }
    return respond(reply)
  }

  private func respond(_ reply: BotAPI.Reply) -> Response {
    var headers: HTTPFields = [.contentType: "application/json"]
    if let seconds = reply.retryAfter { headers[.retryAfter] = String(seconds) }
    return Response(
      status: .init(code: reply.status), headers: headers,
      body: .init(byteBuffer: ByteBuffer(data: reply.json)))
  }
}
