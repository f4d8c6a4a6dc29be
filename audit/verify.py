"""`python -m audit.verify FILE [--key HEX|FILE]`: check a downloaded document of the audit log, without the clinic's help.

It needs this file, `audit/tlog`, and the packages cryptography and rfc8785; no Django, no database, no network.
Exit code 0: every entry of the document is in the log whose signed checkpoint it carries; 1: it is not; 2: no document.
"""

import argparse
import base64
import binascii
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from gettext import gettext as _
from pathlib import Path
from typing import Any

import rfc8785

from audit.tlog.merkle import HASH_BYTES, leaf_hash
from audit.tlog.notes import BadCheckpoint, Head, opened
from audit.tlog.proofs import verify_consistency, verify_inclusion

FORMAT = "telehealth.audit/1"
MOST = 1 << 53  # what JSON numbers hold exactly


class Bad(Exception):
    """The document does not prove what it says. The message names the line."""


@dataclass(slots=True)
class Checked:
    """What a document proves: so many entries (of one record, or one entry), or that one checkpoint continues another."""

    kind: str
    head: Head
    public_key: bytes
    record: str = ""
    entries: int = 0
    waiting: int = 0
    older: Head | None = None


def check(lines: Iterable[str], public_key: bytes | None = None) -> Checked:
    """Check a document line by line, or raise Bad. Without a key, the one that the document brings is used."""
    rows = enumerate(map(_parsed, lines), 1)
    _number, header = next(rows, (0, {}))
    if header.get("format") != FORMAT:
        raise Bad(_("this is not a document of the audit log"))
    key = public_key or _bytes(header, "public_key")
    found = Checked(_text(header, "kind"), _head(header, "checkpoint", key), key)
    if found.kind == "consistency":
        _check_consistency(found, header)
    elif found.kind == "entry":
        found.entries += 1
        _check_entry(found, header)
    elif found.kind == "accesses":
        found.record = _text(header, "record")
        _check_accesses(found, rows)
    else:
        raise Bad(_("this kind of document is not known"))
    if next(rows, None) is not None:
        raise Bad(_("something follows the end of the document"))
    return found


def _check_accesses(found: Checked, rows: Iterator[tuple[int, dict[str, Any]]]) -> None:
    """Entries in the order of their ids, so that none is there twice, and a last line that counts them."""
    newest = ""
    for number, row in rows:
        if "end" in row:
            if row["end"] != {"entries": found.entries, "waiting": found.waiting}:
                raise Bad(_("the last line counts other entries than there are"))
            return
        try:
            entry = _check_entry(found, row)
        except Bad as error:
            raise Bad(_("line {number}: {error}").format(number=number, error=error)) from error
        if entry.get("record_id") != found.record or not newest < _text(entry, "id"):
            raise Bad(_("line {number}: not an entry of this record, or out of order").format(number=number))
        newest = entry["id"]
        found.entries += 1
    raise Bad(_("the document is cut off: its last line is missing"))


def _check_entry(found: Checked, row: dict[str, Any]) -> dict[str, Any]:
    entry, index = row.get("entry"), row.get("leaf_index")
    if not isinstance(entry, dict):
        raise Bad(_("there is no entry"))
    if index is None and found.kind == "accesses":  # too young: the log had not taken it in when this was downloaded
        found.waiting += 1
        return entry
    try:
        leaf = leaf_hash(rfc8785.dumps(entry) + b"|" + _bytes(row, "mac").hex().encode())
    except (rfc8785.CanonicalizationError, RecursionError, ValueError) as error:  # half a character is a ValueError
        raise Bad(_("the entry cannot be written canonically")) from error
    if type(index) is not int or not 0 <= index < MOST:
        raise Bad(_("the place in the log is missing"))
    if not verify_inclusion(leaf, index, found.head.size, _path(row), found.head.root):
        raise Bad(_("entry {id} is not in the log as it stands here").format(id=entry.get("id")))
    return entry


def _check_consistency(found: Checked, header: dict[str, Any]) -> None:
    older = found.older = _head(header, "older", found.public_key)
    if not verify_consistency(older.size, found.head.size, _path(header), older.root, found.head.root):
        raise Bad(_("the newer checkpoint does not continue the older one"))


def _head(header: dict[str, Any], name: str, public_key: bytes) -> Head:
    note = _text(header, name)
    try:
        return opened(note, note.partition("\n")[0], public_key)
    except (BadCheckpoint, ValueError) as error:
        raise Bad(_("the checkpoint is not signed by this key ({error})").format(error=error)) from error


def _path(row: dict[str, Any]) -> list[bytes]:
    given = row.get("proof")
    try:
        path = [base64.b64decode(each, validate=True) for each in given or []]
    except (TypeError, ValueError, binascii.Error) as error:
        raise Bad(_("the proof is not readable")) from error
    if not isinstance(given, list) or any(len(each) != HASH_BYTES for each in path):
        raise Bad(_("the proof is not readable"))
    return path


def _bytes(row: dict[str, Any], name: str) -> bytes:
    try:
        found = bytes.fromhex(_text(row, name))
    except ValueError as error:
        raise Bad(_("{name} is not 32 bytes in hex").format(name=name)) from error
    if len(found) != HASH_BYTES:
        raise Bad(_("{name} is not 32 bytes in hex").format(name=name))
    return found


def _text(row: dict[str, Any], name: str) -> str:
    found = row.get(name)
    if not isinstance(found, str):
        raise Bad(_("{name} is missing").format(name=name))
    return found


def _parsed(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise Bad(_("this is not a document of the audit log")) from error
    if not isinstance(found, dict):
        raise Bad(_("this is not a document of the audit log"))
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name given twice would show a reader one value and the hash another."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _key_of(given: str) -> bytes:
    """32 bytes in hex, or a file that holds them."""
    try:
        text = Path(given).read_text(encoding="ascii") if Path(given).is_file() else given
        return _bytes({"key": text.strip()}, "key")
    except (OSError, UnicodeDecodeError, Bad) as error:
        raise argparse.ArgumentTypeError(_("a key is 64 hex digits, or a file that holds them")) from error


def _shown(text: str) -> str:
    """One line, whatever the document says: it must not write lines of its own into the verdict."""
    return "".join(each if each.isprintable() else "?" for each in text)


def _said(found: Checked, trusted: bool) -> list[str]:
    lines = []
    if found.older:
        lines.append(_("The log of {new} entries continues the one of {old}.").format(new=found.head.size, old=found.older.size))
    else:
        of = _(" of record {record}").format(record=found.record) if found.record else ""
        proved = found.entries - found.waiting
        lines.append(_("{proved} of {all} entries{of} are in the log.").format(proved=proved, all=found.entries, of=of))
    if found.waiting:
        lines.append(_("{count} were too young for it: download again in a minute.").format(count=found.waiting))
    lines.append(_("Checkpoint: {origin}, {size} entries.").format(origin=found.head.origin, size=found.head.size))
    lines.append(_("Signed by key {key}.").format(key=found.public_key.hex()))
    if not trusted:
        lines.append(_("That key came with the document: compare it with the one that the clinic publishes, or give --key."))
    return lines


def main(arguments: list[str] | None = None) -> int:
    """The command; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m audit.verify", description=_("Check a downloaded document of the audit log."))
    parser.add_argument("file", type=Path)
    parser.add_argument("--key", type=_key_of, help=_("the clinic's checkpoint key: 64 hex digits, or a file that holds them"))
    given = parser.parse_args(arguments)
    try:
        with given.file.open(encoding="utf-8") as lines:
            found = check(lines, given.key)
    except OSError:
        sys.stderr.write(_("{file} cannot be read.\n").format(file=given.file))
        return 2
    except (Bad, UnicodeDecodeError) as error:
        sys.stdout.write(_("NOT PROVED: {error}\n").format(error=_shown(str(error))))
        return 1
    sys.stdout.write("".join(f"{_shown(line)}\n" for line in _said(found, trusted=given.key is not None)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
