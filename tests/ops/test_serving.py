"""The production pair: HTTP by granian, sockets by uvicorn, neither without https, both gone on Ctrl-C."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import websockets

from config.env import BASE_DIR
from tests.live import Live, environment, free_port

CLINIC = "clinic.example"


@contextmanager
def serving(live: Live, side: str) -> Iterator[int]:
    """One of the two on the running clinic's database, as behind a proxy; ended by Ctrl-C."""
    port = free_port()
    settings = environment(
        live.home.root, PORT=str(port), WORKERS="1", PUBLIC_URL=f"https://{CLINIC}", ALLOWED_HOSTS=CLINIC, BEHIND_PROXY="1"
    )
    process = subprocess.Popen([sys.executable, "-m", "config.serve", side], cwd=BASE_DIR, env=settings, process_group=0)
    try:
        yield port
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(20)  # a server that hangs fails the test here


def answer(port: int, path: str, **headers: str) -> httpx.Response:
    """The first answer that comes."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return httpx.get(f"http://127.0.0.1:{port}{path}", headers={"Host": CLINIC, **headers})
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_http_behind_a_proxy(live: Live) -> None:
    with serving(live, "http") as port:
        assert answer(port, "/healthz").status_code == 200
        plain = answer(port, "/sign-in/")
        secure = answer(port, "/sign-in/", **{"X-Forwarded-Proto": "https"})
        stranger = answer(port, "/sign-in/", **{"X-Forwarded-Proto": "https", "Host": "elsewhere.example"})
        demo = answer(port, "/dev/outbox", **{"X-Forwarded-Proto": "https"})

    assert (plain.status_code, plain.headers["location"]) == (301, f"https://{CLINIC}/sign-in/")
    assert secure.status_code == 200
    assert "max-age" in secure.headers["strict-transport-security"]
    assert all("secure" in cookie.lower() for cookie in secure.headers.get_list("set-cookie"))
    assert stranger.status_code == 400
    assert demo.status_code == 404


def test_sockets_turn_a_foreign_origin_away(live: Live) -> None:
    async def knock(port: int, origin: str) -> int:
        url = f"ws://{CLINIC}/ws/waiting-room/"
        try:
            async with websockets.connect(url, host="127.0.0.1", port=port, origin=websockets.Origin(origin)) as socket:
                await socket.wait_closed()
                return socket.close_code or 0
        except websockets.InvalidStatus as refused:
            return refused.response.status_code

    with serving(live, "ws") as port:
        answer(port, "/healthz")
        assert asyncio.run(knock(port, "https://elsewhere.example")) in {403, 4403}
        assert asyncio.run(knock(port, f"https://{CLINIC}")) in {4401, 4403}
