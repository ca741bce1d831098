"""Who opened the Mini App? Standard library only; runs on your server."""

import hashlib
import hmac
import json
import time
from urllib.parse import parse_qsl


def user_of(init_data: str, bot_token: str, max_age: float = 3600) -> dict | None:
    """The Telegram user that `Telegram.WebApp.initData` speaks of, or None if it is not genuine."""
    try:
        fields = dict(parse_qsl(init_data, keep_blank_values=True, strict_parsing=True))
        received = fields.pop("hash")
        lines = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
        key = hmac.new(b"WebAppData", bot_token.encode(), hashlib.sha256).digest()
        expected = hmac.new(key, lines.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), received.encode()):
            return None
        if time.time() - int(fields["auth_date"]) > max_age:
            return None
        return json.loads(fields["user"])
    except (KeyError, ValueError):
        return None
