import Telegram

extension UpdateKind {
  /// What eStars cannot work without.
  public static let needed: [UpdateKind] = [
    "message", "edited_message", "callback_query", "inline_query", "pre_checkout_query",
    "purchased_paid_media", "chat_member", "my_chat_member", "subscription",
  ].map { UpdateKind($0) }

  /// What Telegram delivers to a webhook that was set without a list.
  static let usual: [UpdateKind] = [
    "message", "edited_message", "channel_post", "edited_channel_post", "business_connection",
    "business_message", "edited_business_message", "deleted_business_messages", "inline_query",
    "chosen_inline_result", "callback_query", "shipping_query", "pre_checkout_query",
    "purchased_paid_media", "poll", "poll_answer", "my_chat_member", "chat_join_request",
    "chat_boost", "removed_chat_boost", "subscription",
  ].map { UpdateKind($0) }

  /// The list to set: ours, and whatever the webhook so far was given, so that a handler behind a
  /// relay misses nothing.
  static func wanted(with info: WebhookInfo, isRelayed: Bool) -> [UpdateKind] {
    let before = info.allowedUpdates ?? (isRelayed || !info.url.isEmpty ? usual : [])
    return needed + before.filter { !needed.contains($0) }
  }
}
