"""NCPDP SCRIPT 2017071: what we render and what we read. A licensed network supplies the real schema; ours is beside this."""

from prescribing.script.reading import Envelope, NotScript, read
from prescribing.script.rendering import new_rx

__all__ = ["Envelope", "NotScript", "new_rx", "read"]
