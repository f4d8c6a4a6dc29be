"""The two kinds of client: a browser with cookies and forms, and an app with a bearer token. Both speak REST."""

from typing import Any, Self
from urllib.parse import urljoin, urlsplit
from uuid import uuid4

import httpx

from telehealth.rehearsal.visit.pages import Page

LIMIT = httpx.Timeout(60.0)


class Failed(Exception):
    """A step did not go as it must. The text names addresses and codes, never what was sent."""


class Answered(Failed):
    """The server gave another status than the step needs."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.body = _json(response)
        self.code = str(self.body.get("code", ""))
        faults = ", ".join(f"{fault.get('field')}: {fault.get('code')}" for fault in self.body.get("errors", []))
        said = " ".join(filter(None, [str(self.status), self.code, f"({faults})" if faults else ""]))
        super().__init__(f"{response.request.method} {response.request.url.path} answered {said}")


class Client:
    """One person's device: JSON over HTTP against one server; never through a proxy, never to another host."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.http = httpx.AsyncClient(base_url=self.url, timeout=LIMIT, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.http.aclose()

    def headers(self) -> dict[str, str]:
        """What every request of this client carries."""
        return {}

    async def get(self, path: str, **query: Any) -> Any:
        """The JSON of a GET that must answer 200."""
        response = await self.http.get(path, params=query or None, headers=self.headers())
        return self._must(response, 200)

    async def post(self, path: str, body: Any = None, *, status: int | None = None, key: str = "", **headers: str) -> Any:
        """The JSON of a POST that must succeed (with `status`, when given). Carries an Idempotency-Key."""
        sent = {"Idempotency-Key": key or str(uuid4()), "Content-Type": "application/json", **self.headers(), **headers}
        raw = {"content": body} if isinstance(body, bytes) else {"json": {} if body is None else body}
        response = await self.http.post(path, headers=sent, **raw)
        return self._must(response, status)

    async def all(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """Every result of a paged list."""
        page = await self.get(path, **query)
        found = list(page["results"])
        while page.get("next"):
            page = await self.get(self.local(page["next"]))
            found += page["results"]
        return found

    def local(self, address: str) -> str:
        """An address as one of this server's, or Failed: a client follows nobody elsewhere."""
        full = urljoin(f"{self.url}/", address)
        if urlsplit(full)[:2] != urlsplit(self.url)[:2]:
            raise Failed(f"the server leads to another host: {urlsplit(full).hostname}")
        return full

    @staticmethod
    def _must(response: httpx.Response, status: int | None) -> Any:
        fits = response.is_success if status is None else response.status_code == status
        if not fits:
            raise Answered(response)
        return _json(response)


class App(Client):
    """A mobile app: a bearer token and nothing else."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(url)
        self.token = token

    def headers(self) -> dict[str, str]:
        """The token."""
        return {"Authorization": f"Bearer {self.token}"}


class Browser(Client):
    """A browser: cookies, pages, forms; and REST with the session and its CSRF token."""

    def headers(self) -> dict[str, str]:
        """What a page's own script would send."""
        token = next((value for name, value in self.http.cookies.items() if "csrf" in name.lower()), "")
        return {"X-CSRFToken": token, "Origin": self.url, "Referer": f"{self.url}/"}

    @property
    def cookies(self) -> str:
        """The cookies as one header, for a WebSocket."""
        return "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())

    async def open(self, address: str, **query: Any) -> httpx.Response:
        """A page, after every redirect on this server; the last redirect itself when it leads to an app."""
        response = await self.http.get(self.local(address), params=query or None, headers={"Accept": "text/html"})
        return await self._follow(response)

    async def submit(self, response: httpx.Response, press: str = "", /, **values: str) -> httpx.Response:
        """Fill in the page's form that has these fields (and button) and send it."""
        form = Page(response.text).form_with(*values, *filter(None, [press]))
        if form is None:
            wanted = ", ".join([*values, press]).strip(", ")
            raise Failed(f"the page {response.url.path} ({response.status_code}) has no form with {wanted}")
        target = self.local(urljoin(str(response.url), form.action or str(response.url)))
        sent = {**form.fields, **values, **({press: "1"} if press else {})}
        answer = await self.http.post(target, data=sent, headers={"Origin": self.url, "Referer": str(response.url)})
        return await self._follow(answer)

    async def _follow(self, response: httpx.Response) -> httpx.Response:
        for _ in range(10):
            target = urljoin(str(response.url), response.headers.get("location", ""))
            if not response.is_redirect or urlsplit(target).scheme not in ("http", "https"):
                return response
            response = await self.http.get(self.local(target), headers={"Accept": "text/html"})
        raise Failed(f"too many redirects from {response.url.path}")


def _json(response: httpx.Response) -> Any:
    try:
        return response.json() if response.content else {}
    except ValueError:
        return {}
