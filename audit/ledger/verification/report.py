"""What a verification says."""

from dataclasses import dataclass, field

from audit.tlog.merkle import EMPTY_ROOT

MOST = 100  # damages told of; where one is, the rest is for people to look at
UNREADABLE = "unreadable archive"  # gone, cut, changed, or another's: what it held is not known
OUT_OF_REACH = "archive out of reach"  # nobody says that anything is wrong with it; it could not be asked for


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that does not fit: its kind, the entry (or tree size) it was found at, and the leaf."""

    kind: str
    entry: str
    index: int | None = None


@dataclass(slots=True)
class Report:
    """What a verification saw. `ok` is the verdict; the first of `damages` is the first bad entry."""

    entries: int = 0
    archived: int = 0
    unread: int = 0  # entries of archives that cannot be read
    unsealed: int = 0
    since: int = 0
    tree_size: int = 0
    root: str = EMPTY_ROOT.hex()
    checkpoints: int = 0
    seconds: float = 0.0
    damages: list[Damage] = field(default_factory=list)
    archives: list[str] = field(default_factory=list)  # those that cannot be read, each with its month and why

    @property
    def ok(self) -> bool:
        return not self.damages

    @property
    def incomplete(self) -> bool:
        """Nothing was found wrong, but not everything could be looked at."""
        return bool(self.damages) and all(each.kind == OUT_OF_REACH for each in self.damages)

    def found(self, kind: str, entry: str, index: int | None = None) -> None:
        """Put on the list, once per entry."""
        known = any((each.entry, each.index) == (entry, index) for each in self.damages)
        if len(self.damages) < MOST and not known:
            self.damages.append(Damage(kind, entry, index))

    def settle(self) -> None:
        """In the order of the log; what has no place in it comes last."""
        self.damages.sort(key=lambda each: float("inf") if each.index is None else each.index)
