"""Addresses that somebody gave us: what we never ask, and what we take of what comes. The servers are real, on loopback."""

import socket
import ssl
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings
from pytest_socket import SocketConnectBlockedError

from telehealth.core import now
from telehealth.core.lines import Address, Slow, look_up
from telehealth.core.outbound import AddressRefused, NotFetched, fetch, is_public
from tests.core.web import OK, leads_to, says, server, trust

ICS = {"accept": ("text/calendar",)}


@pytest.mark.parametrize(
    "url",
    [
        "http://calendar.example/a.ics",
        "ftp://calendar.example/a.ics",
        "file:///etc/passwd",
        "gopher://calendar.example/",
        "javascript:alert(1)",
        "//calendar.example/a.ics",
        "calendar.example/a.ics",
        "https://",
        "https:///a.ics",
        "https://user@calendar.example/",
        "https://user:secret@calendar.example/",
        "https://calendar.example@127.0.0.1/",
        "https://calendar.example:8443/",
        "https://calendar.example:80/",
        "https://calendar.example:22/",
        "https://calendar.example:0/",
        "https://calendar.example:99999/",
        "https://calendar.example:x/",
        "https://calendar.example\\@127.0.0.1/",
        "https://calendar.example/a b",
        "https://calendar.example/\r\nHost: other",
        "https://calendar.example/\x00",
        "https://\u0131nternal.example/",
        "https://[::1%25eth0]/",
        "https://[::1/",
        "https://calendar.example/" + "a" * 3000,
    ],
)
def test_addresses_that_are_not_asked_whatever_they_lead_to(url: str) -> None:
    with pytest.raises(AddressRefused):
        fetch(url, **ICS, resolve=leads_to("93.184.216.34"))


INSIDE = [
    *("127.0.0.1", "127.9.9.9", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("100.64.0.1", "100.100.100.200", "169.254.169.254", "169.254.170.2", "168.63.129.16", "192.0.0.192", "198.18.0.1"),
    *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.51.100.1", "203.0.113.1", "192.88.99.1"),
    *("0.0.0.0",),  # noqa: S104  # an address to refuse
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
    *("fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1", "100::1"),
    *("not an address", ""),
]


@pytest.mark.parametrize("ip", INSIDE)
def test_a_name_that_leads_inside_is_refused_before_anything_is_sent(ip: str) -> None:
    assert not is_public(ip)
    for where in ([ip], ["93.184.216.34", ip]):
        with pytest.raises(AddressRefused):
            fetch("https://calendar.example/", **ICS, resolve=leads_to(*where))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:7f00:1]", "localhost", "0"])
def test_ways_to_write_loopback(host: str) -> None:
    with pytest.raises(AddressRefused):
        fetch(f"https://{host}/", **ICS)


@pytest.mark.parametrize("ip", ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "100.128.0.1", "172.32.0.1"])
def test_the_open_internet_is_open(ip: str) -> None:
    assert is_public(ip)


def test_the_call_goes_to_the_address_that_was_judged_and_the_name_is_asked_once() -> None:
    asked: list[str] = []

    def rebinds(host: str, port: int, seconds: float) -> list[Address]:
        asked.append(host)
        return leads_to("93.184.216.34" if len(asked) == 1 else "127.0.0.1")(host, port, seconds)

    with pytest.raises((SocketConnectBlockedError, UserWarning), match=r"93\.184\.216\.34"):  # the suite's own fence
        fetch("https://calendar.example/", **ICS, resolve=rebinds)
    assert asked == ["calendar.example"]


def test_what_the_operator_trusts_is_asked_and_gets_nothing_of_ours(settings: Settings) -> None:
    with server(says(OK + b'ETag: "a1"\r\nSet-Cookie: a=b\r\n\r\nBEGIN:VCALENDAR')) as (port, heard):
        trust(settings, f"127.0.0.1:{port}")
        found = fetch(f"http://127.0.0.1:{port}/a.ics?key=1#part", **ICS, etag='"a0"')
        assert (found.body, found.etag, found.unchanged) == (b"BEGIN:VCALENDAR", '"a1"', False)
        fetch(f"http://127.0.0.1:{port}/a.ics", **ICS)
    head = heard[0].decode().split("\r\n")
    assert head[0] == "GET /a.ics?key=1 HTTP/1.1"
    assert {line.split(":")[0] for line in head[1:] if line} == {
        *("Host", "User-Agent", "Accept", "Accept-Encoding", "Connection", "If-None-Match"),
    }
    assert b"Cookie" not in heard[1]


def test_a_trusted_host_is_trusted_at_its_port_alone(settings: Settings) -> None:
    trust(settings, "127.0.0.1:1")
    for url in ("http://127.0.0.1:2/", "http://127.0.0.1/", "https://127.0.0.1/", "http://localhost:1/"):
        with pytest.raises(AddressRefused):
            fetch(url, **ICS)


def redirecting(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize(
    "onward",
    [
        *(
            "http://169.254.169.254/latest/meta-data/",
            "https://127.0.0.1/",
            "https://[::ffff:10.0.0.1]/",
            "//127.0.0.1/",
            "https://2130706433/",
        ),
        *("file:///etc/passwd", "http://calendar.example/", "https://user@calendar.example/", "gopher://127.0.0.1:6379/_FLUSHALL"),
    ],
)
def test_a_redirect_is_judged_like_the_first_address(settings: Settings, onward: str) -> None:
    with server(says(redirecting(onward))) as (port, heard):
        trust(settings, f"127.0.0.1:{port}")
        with pytest.raises(AddressRefused):
            fetch(f"http://127.0.0.1:{port}/", **ICS)
    assert len(heard) == 1


def test_three_redirects_are_followed_and_no_more(settings: Settings) -> None:
    def step(line: socket.socket, asked: bytes) -> None:
        left = int(asked.split(b" ")[1][1:])
        line.sendall(redirecting(f"/{left - 1}") if left else OK + b"\r\nhere")

    with server(step) as (port, heard):
        trust(settings, f"127.0.0.1:{port}")
        assert fetch(f"http://127.0.0.1:{port}/3", **ICS).body == b"here"
        with pytest.raises(NotFetched, match="redirects"):
            fetch(f"http://127.0.0.1:{port}/4", **ICS)
    assert len(heard) == 8


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (OK + b"Content-Length: 5000\r\n\r\n" + b"x" * 5000, "too_large"),
        (OK + b"\r\n" + b"x" * 5000, "too_large"),
        (
            OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"400\r\n" + b"x" * 1024 + b"\r\n400\r\n" + b"x" * 1024 + b"\r\n0\r\n\r\n",
            "too_large",
        ),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nfffffffffff\r\n" + b"x" * 3000, "unreachable"),
        (OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08", "encoded"),
        (OK + b"Content-Encoding: br\r\n\r\nx", "encoded"),
        (OK + b"Content-Length: 100\r\n\r\nshort", "unreachable"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", "unreachable"),
        (OK.replace(b"text/calendar", b"text/html") + b"\r\n<html>", "bad_type"),
        (b"HTTP/1.1 200 OK\r\n\r\nBEGIN:VCALENDAR", "bad_type"),
        (b"HTTP/1.1 500 Oops\r\n\r\n", "bad_status"),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", "bad_status"),  # nothing was conditional
        (b"HTTP/1.1 302 Found\r\n\r\n", "bad_status"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n", "unreachable"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", "unreachable"),
        (b"SSH-2.0-OpenSSH_9\r\n", "unreachable"),
        (b"", "unreachable"),
    ],
    ids=lambda value: value if isinstance(value, str) else "reply",
)
def test_answers_that_are_no_use(settings: Settings, reply: bytes, reason: str) -> None:
    with server(says(reply)) as (port, _):
        trust(settings, f"127.0.0.1:{port}")
        with pytest.raises(NotFetched) as told:
            fetch(f"http://127.0.0.1:{port}/", **ICS, most_bytes=1500)
    assert told.value.reason == reason


def test_what_is_unchanged_is_not_sent_again(settings: Settings) -> None:
    with server(says(b"HTTP/1.1 304 Not Modified\r\n\r\n")) as (port, heard):
        trust(settings, f"127.0.0.1:{port}")
        found = fetch(f"http://127.0.0.1:{port}/", **ICS, etag='"a1"')
    assert (found.unchanged, found.etag) == (True, '"a1"')
    assert b'If-None-Match: "a1"' in heard[0]


def dripping(line: socket.socket, reply: bytes, ended: threading.Event) -> None:
    for each in reply:
        if ended.wait(0.05):
            return
        line.sendall(bytes([each]))


@pytest.mark.parametrize(
    "reply", [OK + b"\r\n" + b"x" * 1000, b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 90, b""], ids=["body", "head", "silence"]
)
def test_the_time_is_for_all_of_it_however_slowly_it_drips(settings: Settings, reply: bytes) -> None:
    ended = threading.Event()

    def talk(line: socket.socket, _: bytes) -> None:
        try:
            dripping(line, reply, ended) if reply else ended.wait(5)
        except OSError:
            return  # the other side has gone, as it should

    with server(talk) as (port, _):
        trust(settings, f"127.0.0.1:{port}")
        begun = time.monotonic()
        with pytest.raises(NotFetched, match="too_slow"):
            fetch(f"http://127.0.0.1:{port}/", **ICS, seconds=0.4)
        took = time.monotonic() - begun
        ended.set()
    assert took < 2


def test_a_name_server_that_says_nothing_is_left_behind() -> None:
    silent = threading.Event()

    def waits(host: str, port: int, seconds: float) -> list[Address]:
        silent.wait(seconds)
        raise Slow

    with pytest.raises(NotFetched, match="too_slow"):
        fetch("https://calendar.example/", **ICS, seconds=0.1, resolve=waits)
    assert look_up("no such name", 443, 5) == []
    with pytest.raises(NotFetched, match="unreachable"):
        fetch("https://calendar.example/", **ICS, resolve=leads_to())


def authority(folder: Path, name: str) -> ssl.SSLContext:
    """A server's side of TLS for `name`, and beside it `ca.pem` for who trusts it."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(*plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context


def test_the_other_side_proves_its_name_at_the_address_that_was_judged(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = authority(tmp_path, "calendar.example")
    with server(says(OK + b"\r\nhere"), tls) as (port, heard):
        trust(settings, f"calendar.example:{port}", f"other.example:{port}")
        with pytest.raises(NotFetched, match="unreachable"):  # by nobody we know
            fetch(f"https://calendar.example:{port}/", **ICS, resolve=leads_to("127.0.0.1"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert fetch(f"https://calendar.example:{port}/", **ICS, resolve=leads_to("127.0.0.1")).body == b"here"
        with pytest.raises(NotFetched, match="unreachable"):  # another name
            fetch(f"https://other.example:{port}/", **ICS, resolve=leads_to("127.0.0.1"))
    assert [f"Host: calendar.example:{port}".encode() in each for each in heard] == [True]
