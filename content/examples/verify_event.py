"""Is this request really an event of eStars? Standard library only."""

import hashlib
import hmac
import time


def is_genuine(secret: str, signature: str, body: bytes, now: float | None = None) -> bool:
    """`signature` is the header eStars-Signature, `body` the bytes as they came."""
    parts = [part.strip().partition("=") for part in signature.split(",")]
    stamp = next((value for name, _, value in parts if name == "t"), "")
    # More than five minutes old: somebody may be replaying what they overheard.
    if not stamp.isdigit() or abs((now or time.time()) - int(stamp)) > 300:
        return False
    expected = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    # While a secret is being rotated there are two signatures; one that fits is enough.
    return any(
        name == "v1" and hmac.compare_digest(value.encode(), expected.encode())
        for name, _, value in parts)
