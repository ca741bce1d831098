import HTTPTypes
import Hummingbird
import NIOCore

/// Turns errors into answers: JSON under `/sandbox`, a page elsewhere.
struct FailurePages: RouterMiddleware {
  let pages: PhonePages

  func handle(
    _ request: Request, context: SandboxContext,
    next: (Request, SandboxContext) async throws -> Response
  ) async throws -> Response {
    let refusal: Refusal
    do {
      return try await next(request, context)
    } catch let error as Refusal {
      refusal = error
    } catch let error as HTTPError {
      refusal = Refusal(
        error.status.code, "not_found", "There is nothing at this address.")
    } catch {
      context.logger.error("The sandbox failed", metadata: ["error": "\(error)"])
      refusal = Refusal(503, "unavailable", "The sandbox cannot do this now.")
    }
    let isJSON = request.uri.path.hasPrefix("/sandbox") || request.uri.path.hasPrefix("/bot")
    return isJSON
      ? try Response.json(
        ConsoleError(error: .init(code: refusal.code, message: refusal.message)),
        status: .init(code: refusal.status))
      : pages.failure(refusal)
  }
}

struct ConsoleError: Codable, Sendable {
  struct Detail: Codable, Sendable {
    let code: String
    let message: String
  }
  let error: Detail
}
