"""The play: a nurse, the front desk, a patient (or their guardian) and a provider, from the import to the sealed log."""

import asyncio
import hashlib
import json
import random
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from telehealth.rehearsal.visit.call import Side
from telehealth.rehearsal.visit.clinic import Clinic
from telehealth.rehearsal.visit.signing_in import Person, accept_invitation, authorise_app, sign_in, with_code
from telehealth.rehearsal.visit.stage import Note, Stage
from telehealth.rehearsal.visit.web import Answered, App, Browser, Failed

VISIT_TYPE = "video-10"
PATIENCE = 60.0
COMING_BACK = {"checked": ["birth_date", "record_number"], "called_back": True}
"""What a desk did before it lets somebody in again who has an account already, as after a rehearsal before this one."""


@dataclass
class Play:
    """One rehearsal: who is on stage, and what has come about so far."""

    stage: Stage
    clinic: Clinic
    bundle: bytes
    open: AsyncExitStack = field(default_factory=AsyncExitStack)
    record: dict[str, Any] = field(default_factory=dict)
    appointment: dict[str, Any] = field(default_factory=dict)
    visit: str = ""
    prescription: str = ""
    verified: dict[str, Any] = field(default_factory=dict)

    @property
    def patient(self) -> str:
        return str(self.record["patient"])

    async def run(self) -> None:
        """All steps in order; Stopped by the first that fails."""
        async with self.open:
            await self._import()
            if self.record["deceased"]:
                await self._refuse_the_deceased()
            else:
                await self._arrive()
                await self._meet()
                await self._finish()
            await self._verify()

    # --- before the visit ---

    async def _import(self) -> None:
        async with self.stage.step("nurse signs in") as note:
            nurse = await self._staff("nurse")
        async with self.stage.step("nurse imports the record") as note:
            self.record = await nurse.post("/api/v1/imports/", self.bundle, status=201)
            stored = sum(self.record["stored"].values())
            unused = sum(problem["count"] for problem in self.record["problems"])
            kept = sum(self.record["unchanged"].values())
            note.text = f"{stored} stored, {kept} unchanged, {unused} reported"
        async with self.stage.step("front desk signs in"):
            self.desk = await self._staff("front_desk")

    async def _refuse_the_deceased(self) -> None:
        async with self.stage.step("the visit of a deceased patient is refused") as note:
            slot = (await self._slots(self.desk))[0]
            try:
                await self.desk.post("/api/v1/appointments/", self._booking(slot))
            except Answered as error:
                if (error.status, error.code) != (409, "patient_deceased"):
                    raise
                note.text = error.code
            else:
                raise Failed("a visit was booked for a patient recorded as deceased")

    async def _arrive(self) -> None:
        relationship = "guardian" if self.record["minor"] else "self"
        digest = hashlib.sha256(self.patient.encode()).hexdigest()[:12]
        self.person = Person(f"{relationship}-{digest}@example.org", secrets.token_urlsafe(18))
        async with self.stage.step("front desk invites") as note:
            before = {link for message in await self._caught() for link in message["links"]}
            told = {"email": self.person.email, "relationship": relationship, **COMING_BACK}
            await self.desk.post(f"/api/v1/patients/{self.patient}/invitations/", told, status=201)
            note.text = relationship
        browser = await self.open.enter_async_context(Browser(self.clinic.url))
        async with self.stage.step("invitation arrives"):
            link = await self._poll(lambda: self._invitation(before), "no invitation was caught at /dev/outbox")
        async with self.stage.step("password and authenticator set"):
            await accept_invitation(browser, link, self.person)
        async with self.stage.step("app signs in (OAuth, PKCE)"):
            self.app: App = await self.open.enter_async_context(await authorise_app(browser, self.person))
        async with self.stage.step("slot found and booked") as note:
            await self._book(note)
        async with self.stage.step("checked in"):
            await self._check_in()

    async def _book(self, note: Note) -> None:
        slots = await self._slots(self.app, patient=self.patient)
        # Now one provider, now another: a provider's codes are each good for one act, and the next is half a minute away.
        for slot in random.sample(slots[:12], len(slots[:12])):
            key = str(uuid4())
            try:
                self.appointment = await self.app.post("/api/v1/appointments/", self._booking(slot), status=201, key=key)
            except Answered as error:
                if error.status != 409:
                    raise
                continue
            again = await self.app.post("/api/v1/appointments/", self._booking(slot), key=key)
            if again["id"] != self.appointment["id"]:
                raise Failed("the same request under the same key booked twice")
            note.text = f"{len(slots)} slots offered"
            return
        raise Failed("none of the slots offered could be booked")

    async def _slots(self, client: Browser | App, **whose: str) -> list[dict[str, Any]]:
        at = datetime.now(UTC)
        window = {"from": at.isoformat(), "to": (at + timedelta(days=1)).isoformat()}
        found = await client.get("/api/v1/slots/", visit_type=VISIT_TYPE, **window, **whose)
        if not found["results"]:
            raise Failed("no slot is offered today")
        return list(found["results"])

    def _booking(self, slot: dict[str, Any]) -> dict[str, Any]:
        chosen = {name: slot[name] for name in ("practitioner", "starts_at")}
        return {"patient": self.patient, "visit_type": VISIT_TYPE, "reason": "Cough for three days", **chosen}

    async def _check_in(self) -> None:
        made = await self.app.post("/api/v1/visits/", {"appointment": self.appointment["id"]}, status=201)
        self.visit = str(made["id"])
        told = {
            "identity": {"method": "two-identifiers", "confirmed": True},
            "location": {"line": "17 Paper Mill Row", "city": "Springfield", "state": "MA", "postal_code": "01103"},
            "callback": "555-010-4417",
            "others_present": "",
            "consents": made["consents_required"],
        }
        visit = await self.app.post(f"/api/v1/visits/{self.visit}/check-in/", told)
        _must_be(visit["waiting"], "ready", "the visit after check-in")

    # --- the visit ---

    async def _meet(self) -> None:
        patient, provider = (Side(part, self.clinic.url, self.visit) for part in ("patient", "provider"))
        for side in (patient, provider):
            self.open.push_async_callback(side.close)
        async with self.stage.step("patient waits"):
            ticket = await self.app.post(f"/api/v1/visits/{self.visit}/tickets/")
            await patient.enter(ticket=ticket["ticket"])
            await patient.is_waiting()
        async with self.stage.step("provider signs in"):
            self.doctor = await self._provider()
        async with self.stage.step("provider sees and admits the patient"):
            waiting = {row["id"]: row["waiting"] for row in await self.doctor.all("/api/v1/waiting-room/")}
            _must_be(waiting.get(self.visit), "ready", "the visit in the provider's waiting room")
            await self.doctor.post(f"/api/v1/visits/{self.visit}/admit/")
            await patient.is_joined()
        async with self.stage.step("video and sound both ways") as note:
            await provider.enter(cookies=self.doctor.cookies, origin=self.clinic.url)
            await provider.is_joined()
            await asyncio.gather(patient.has_seen(), provider.has_seen())
            note.text = _media(patient, provider)
        async with self.stage.step("both leave the call"):
            codes = [await side.leave() for side in (patient, provider)]
            _must_be(codes, [1000, 1000], "the sockets' close codes")

    async def _finish(self) -> None:
        async with self.stage.step("note written and signed"):
            await self._write_note()
        async with self.stage.step("prescription signed"):
            await self._prescribe()
        async with self.stage.step("pharmacy network confirms") as note:
            note.text = await self._poll(self._delivered, "the prescription was not confirmed")
        async with self.stage.step("visit completed"):
            done = await self.doctor.post(f"/api/v1/visits/{self.visit}/complete/")
            _must_be(done["status"], "finished", "the visit")
            booked = await self.app.get(f"/api/v1/appointments/{self.appointment['id']}/")
            _must_be(booked["status"], "fulfilled", "the appointment")
        async with self.stage.step("patient reads the summary"):
            summary = await self.app.get(f"/api/v1/visits/{self.visit}/summary/")
            if PLAN not in json.dumps(summary):
                raise Failed("the summary does not hold the plan of the signed note")
        async with self.stage.step("patient sees who opened the record") as note:
            seen = await self.app.all(f"/api/v1/patients/{self.patient}/accesses/")
            roles = {str(entry["who"]["role"]) for entry in seen}
            if not {"nurse", "provider"} <= roles:
                raise Failed(f"the list of accesses misses somebody: it names {', '.join(sorted(roles)) or 'nobody'}")
            note.text = f"{len(seen)} accesses by {', '.join(sorted(roles))}"

    async def _write_note(self) -> None:
        said = {
            "subjective": "Dry cough for three days, no fever.",
            "objective": "Speaks in full sentences, looks well.",
            "assessment": "Viral upper respiratory infection.",
            "plan": PLAN,
        }
        note = await self.doctor.post(f"/api/v1/visits/{self.visit}/notes/", said, status=201)
        signed = await self.doctor.post(f"/api/v1/notes/{note['id']}/sign/")
        _must_be(signed["status"], "signed", "the note")

    async def _prescribe(self) -> None:
        medication = (await self.doctor.all("/api/v1/medications/", q="amox"))[0]
        pharmacies = await self.doctor.all("/api/v1/pharmacies/")
        pharmacy = next(place for place in pharmacies if "Rehearsal" not in place["name"])  # those answer with errors
        wanted = {
            "visit": self.visit,
            "medication": medication["rxcui"],
            "pharmacy": pharmacy["ncpdp_id"],
            "sig": "Take one capsule by mouth three times a day for seven days",
            "quantity": "21",
            "days_supply": 7,
            "refills": 0,
            "substitution": True,
        }
        draft = await self.doctor.post("/api/v1/prescriptions/", wanted, status=201)
        self.prescription = str(draft["id"])
        await with_code(self.doctor_person, self._sign)

    async def _sign(self, code: str) -> Any:
        return await self.doctor.post(f"/api/v1/prescriptions/{self.prescription}/sign/", {"code": code})

    async def _delivered(self) -> str:
        status = str((await self.doctor.get(f"/api/v1/prescriptions/{self.prescription}/"))["status"])
        if status in ("error", "cancelled"):
            raise Failed(f"the prescription ended as {status}")
        return status if status == "delivered" else ""

    # --- after the visit ---

    async def _verify(self) -> None:
        if self.clinic.home is None:
            return  # verifying needs the log itself: that is for whoever runs the server
        async with self.stage.step("log sealed and verified") as note:
            self.verified = await self.clinic.verify(self.clinic.home)
            note.text = f"{self.verified['entries']} entries"

    # --- people and waiting ---

    async def _staff(self, role: str) -> Browser:
        browser = Browser(self.clinic.url)
        await self.open.enter_async_context(browser)
        await sign_in(browser, self.clinic.person(role))
        return browser

    async def _provider(self) -> Browser:
        """The provider who was booked, among those whose credentials are known."""
        booked = self.appointment["practitioner"]
        family = next(row["family"] for row in await self.desk.all("/api/v1/practitioners/") if row["id"] == booked)
        people = self.clinic.people("provider")
        for person in sorted(people, key=lambda one: not one.name.endswith(family)):
            browser = await self.open.enter_async_context(Browser(self.clinic.url))
            await sign_in(browser, person)
            if (await browser.get("/api/v1/me/"))["practitioner"] == booked:
                self.doctor_person = person
                return browser
        raise Failed("none of the providers whose credentials are known was booked")

    async def _caught(self) -> list[dict[str, Any]]:
        response = await self.desk.http.get("/dev/outbox", headers={"Accept": "application/json"})
        if not response.is_success:
            raise Answered(response)
        return list(response.json())

    async def _invitation(self, before: set[str]) -> str:
        links = [link for message in await self._caught() if message["to"] == self.person.email for link in message["links"]]
        return next((link for link in links if link not in before and "/invitation/" in link), "")

    @staticmethod
    async def _poll(ask: Callable[[], Awaitable[str]], otherwise: str) -> str:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < deadline:
            if found := await ask():
                return found
            await asyncio.sleep(0.25)
        raise Failed(otherwise)


PLAN = "Rest, fluids, and call back if fever comes."


def _must_be(found: Any, wanted: Any, what: str) -> None:
    if found != wanted:
        raise Failed(f"{what} is {found}, not {wanted}")


def _media(patient: Side, provider: Side) -> str:
    """Counts of what was decoded; Failed when the two sides' fingerprints differ (somebody sits between)."""
    (mine, theirs), (yours, ours) = patient.fingerprints(), provider.fingerprints()
    if not mine or mine != ours or yours != theirs:
        raise Failed("the DTLS fingerprints that were sent are not those that arrived")
    return " / ".join(f"{side.part} {side.seen.frames} frames {side.seen.seconds:.1f} s" for side in (patient, provider))
