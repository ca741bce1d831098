"""What the clients asked for and what they were told: one line a key."""

import collections
import dataclasses
import json


@dataclasses.dataclass
class Answer:
    status: int
    # The server says that it had carried the request out before.
    is_replay: bool
    body: bytes


@dataclasses.dataclass
class Write:
    """One write with its permanent key, however often it was sent."""

    kind: str  # debit, checkout or payment
    key: str  # of a payment: its charge
    user: int
    bot: int
    body: dict
    # Credits: what a debit costs, what a payment's paid and bonus lots hold.
    cost: int = 0
    credits: int = 0
    bonus: int = 0
    answers: list[Answer] = dataclasses.field(default_factory=list)
    # Why it stayed unanswered, an item for each time it was sent.
    unanswered: list[str] = dataclasses.field(default_factory=list)

    @property
    def is_acknowledged(self) -> bool:
        return any(200 <= answer.status < 300 for answer in self.answers)

    @property
    def is_open(self) -> bool:
        """Nobody has said yet what became of it."""
        return bool(self.unanswered) and not self.answers

    @property
    def was_sent(self) -> bool:
        return bool(self.answers or self.unanswered)

    def result(self) -> dict:
        """What the first acknowledgement says."""
        first = next(answer for answer in self.answers if 200 <= answer.status < 300)
        return json.loads(first.body)


class Journal:
    def __init__(self):
        self.writes: dict[str, Write] = {}
        self.latest = collections.deque(maxlen=500)

    def enter(self, write: Write) -> Write:
        assert write.key not in self.writes
        self.writes[write.key] = write
        self.latest.append(write)
        return write

    def recent(self) -> list[Write]:
        """What was sent in the past moments."""
        return [write for write in self.latest if write.was_sent]

    def of(self, kind) -> list[Write]:
        return [write for write in self.writes.values() if write.kind == kind]

    def open(self) -> list[Write]:
        """What was sent and has no answer yet."""
        return [write for write in self.writes.values() if write.is_open]

    def forget_unsent(self):
        """Drops writes that never left the client: nobody was there to take them."""
        self.writes = {key: write for key, write in self.writes.items() if write.was_sent}

    def balances(self, users) -> dict[int, int]:
        """What every user must have: granted less debited."""
        balances = dict.fromkeys(users, 0)
        for write in self.writes.values():
            balances[write.user] += write.credits + write.bonus - write.cost
        return balances

    def save(self, path):
        with open(path, "w") as file:
            for write in self.writes.values():
                line = dataclasses.asdict(write)
                for answer in line["answers"]:
                    answer["body"] = answer["body"].decode(errors="replace")
                file.write(json.dumps(line) + "\n")
