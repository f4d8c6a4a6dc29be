"""Grants, consents, delegations, care, cover, emergencies and time in any order, against a model of plain intervals:
at no point does anybody read what the table denies, and at no point is anybody kept from what it grants."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from audit.ledger import Actor, flush
from telehealth.accounts.access import Action, Resource, Role
from telehealth.core import now
from telehealth.core.errors import DomainError, Missing
from telehealth.records import labels, selectors, services
from telehealth.records.access import visible
from telehealth.records.labels import HIDDEN_FROM_PROXIES, Category
from telehealth.records.models import (
    CareRelationship,
    ClinicalResource,
    Consent,
    Covering,
    EmergencyAccess,
    Patient,
    ProxyGrant,
)
from tests.cast import Cast, make_actor

HOUR = timedelta(minutes=61)  # longer than any emergency
MINUTES = st.integers(5, 70).map(lambda n: timedelta(minutes=n))
RECORDS = st.sampled_from(["pia_record", "pia_record", "ned_record"])
DOCTORS = st.sampled_from(["cho", "dee"])
CATEGORIES = st.sampled_from(list(Category))
ROLES = ("provider", "nurse", "biller")
RECIPIENTS = st.sampled_from(["care_team", *ROLES, "cho", "dee"])
SCOPES = st.lists(st.sampled_from(["schedule", "visits", "record"]), min_size=1, unique=True)
KINDS: tuple[Category | None, ...] = (None, *Category)
NEVER = ("desk", "biller", "privacy", "admin", "gus")  # who never sees a chart in this clinic: one of them at each step
EMERGENCY = frozenset(Category) - {Category.PSYCHOTHERAPY}


@dataclass
class Reason:
    """Something that lasts: what the model knows of a row."""

    pk: UUID
    kind: str
    patient: str
    starts: datetime
    ends: datetime | None
    facts: dict[str, Any] = field(default_factory=dict)

    def lasts(self, at: datetime) -> bool:
        return self.starts <= at and (self.ends is None or at < self.ends)


class Clinic(RuleBasedStateMachine):
    """What a careful reader of docs/access.md, docs/care.md and docs/consents.md would expect."""

    cast: Cast

    def __init__(self) -> None:
        super().__init__()
        self.point = transaction.savepoint()
        self.reasons: list[Reason] = []
        self.turn, self.sound = 0, False
        self.deb = make_actor("deb", Role.PROXY, "deb@example.org")
        self.rows = {
            (record, kind): ClinicalResource.objects.create(
                patient=getattr(self.cast, record),
                type="Condition",
                body="{}",
                body_key=b"k" * 32,
                labels=labels.tokens(getattr(self.cast, record).pk, [kind] if kind else []),
            ).pk
            for record, kind in product(("pia_record", "ned_record"), KINDS)
        }
        ProxyGrant.objects.update(ends_at=F("starts_at"))  # gus's: this clinic starts empty

    @initialize()
    def a_clinic_at_work(self) -> None:
        """Enough to lose from the first step on."""
        self.assign("pia_record", "cho", None)
        self.cover("cho", timedelta(minutes=30))
        for category, to in (
            (Category.HIV, "care_team"),
            (Category.SUBSTANCE_USE, "cho"),
            (Category.SEXUAL_HEALTH, "nurse"),
            (Category.MINORS_SERVICES, "biller"),
        ):
            self.consent("pia_record", category, to, timedelta(minutes=45) if to == "cho" else None)
        self.declare("pia_record", "dr_dee")
        self.delegate("pia_record", ["record"], {Category.HIV}, timedelta(minutes=40))
        self.delegate("ned_record", ["schedule", "visits"], {Category.HIV}, None)

    def teardown(self) -> None:
        try:
            if self.sound:
                self.closing_time()
        finally:
            transaction.savepoint_rollback(self.point)
            flush()  # what was seen stands, and is told of in time however many examples follow

    def closing_time(self) -> None:
        """Whatever the steps were: in the end each kind of reason is over, the emergencies first, and each time somebody looks."""
        self.time_passes(HOUR)
        self.everybody_reads_what_the_table_grants_and_nothing_else()
        for kind in ("consent", "cover", "proxy"):
            for reason in [each for each in self.reasons if each.kind == kind and each.lasts(now())]:
                self.over(reason)
            self.everybody_reads_what_the_table_grants_and_nothing_else()

    def add(self, kind: str, record: str, row: Any, **facts: Any) -> None:
        self.reasons.append(Reason(row.pk, kind, record, row.starts_at, row.ends_at, facts))

    def owner(self, record: str) -> Actor:
        return self.cast.pia if record == "pia_record" else self.cast.ned

    def practitioner(self, doctor: str) -> Any:
        return getattr(self.cast, doctor)

    @rule(record=RECORDS, doctor=DOCTORS, lasts=st.none() | MINUTES)
    def assign(self, record: str, doctor: str, lasts: timedelta | None) -> None:
        patient, practitioner = getattr(self.cast, record), self.practitioner(doctor)
        ends = now() + lasts if lasts else None
        made = services.assign_care(patient_id=patient.pk, practitioner_id=practitioner.pk, ends_at=ends, by=self.cast.desk)
        self.end_where(kind="care", patient=record, doctor=doctor)
        self.add("care", record, made, doctor=doctor)

    @rule(covered=DOCTORS, lasts=MINUTES)
    def cover(self, covered: str, lasts: timedelta) -> None:
        covering = "dee" if covered == "cho" else "cho"
        made = services.cover(
            covered_id=self.practitioner(covered).pk,
            covering_id=self.practitioner(covering).pk,
            starts_at=now(),
            ends_at=now() + lasts,
            by=self.cast.admin,
        )
        self.add("cover", "", made, covered=covered, covering=covering)

    @rule(record=RECORDS, scopes=SCOPES, categories=st.sets(CATEGORIES, max_size=2), lasts=st.none() | MINUTES)
    def delegate(self, record: str, scopes: list[str], categories: set[Category], lasts: timedelta | None) -> None:
        standing = any(each.lasts(now()) for each in self.of("proxy", record))
        services.delegate(
            patient_id=getattr(self.cast, record).pk,
            email="deb@example.org",
            scopes=scopes,
            categories=categories,
            ends_at=now() + lasts if lasts else None,
            by=self.owner(record),
        )
        if not standing:
            grant = ProxyGrant.objects.filter(proxy=self.deb.id).latest("id")
            self.add("proxy", record, grant, scopes=set(scopes), sees=categories - HIDDEN_FROM_PROXIES)

    @rule(record=RECORDS, category=CATEGORIES, to=RECIPIENTS, lasts=st.none() | MINUTES)
    def consent(self, record: str, category: Category, to: str, lasts: timedelta | None) -> None:
        recipient: dict[str, Any] = {"kind": "care_team"}
        if to in ROLES:
            recipient = {"kind": "role", "role": to}
        elif to in ("cho", "dee"):
            recipient = {"kind": "practitioner", "practitioner": self.practitioner(to).pk}
        made = services.give_consent(
            patient_id=getattr(self.cast, record).pk,
            category=category,
            recipient=recipient,
            text_version="1",
            ends_at=now() + lasts if lasts else None,
            by=self.owner(record),
        )
        self.add("consent", record, made, category=category, to=to)

    @rule(record=RECORDS, who=st.sampled_from(["dr_cho", "dr_dee", "nan"]))
    def declare(self, record: str, who: str) -> None:
        made = services.begin_emergency(
            patient_id=getattr(self.cast, record).pk, reason="unresponsive", text="Found on the floor.", by=getattr(self.cast, who)
        )
        self.add("emergency", record, made, who=who)

    @precondition(lambda self: self.reasons)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        """Mostly of what still lasts."""
        lasting = [each for each in self.reasons if each.lasts(now())]
        self.over(data.draw(st.sampled_from(lasting * 3 + self.reasons)))

    def over(self, reason: Reason) -> None:
        enders: dict[str, Any] = {
            "care": lambda: services.end_assignment(care_id=reason.pk, by=self.cast.desk),
            "cover": lambda: services.end_covering(covering_id=reason.pk, by=self.cast.admin),
            "proxy": lambda: services.revoke_proxy(grant_id=reason.pk, by=self.owner(reason.patient)),
            "consent": lambda: services.withdraw_consent(consent_id=reason.pk, by=self.owner(reason.patient)),
            "emergency": lambda: services.end_emergency(emergency_id=reason.pk, by=getattr(self.cast, reason.facts["who"])),
        }
        enders[reason.kind]()
        reason.ends = min(reason.ends or now(), now())

    @rule(step=MINUTES)
    def time_passes(self, step: timedelta) -> None:
        """Everything that has a time lies further back."""
        for model in (CareRelationship, Covering, ProxyGrant, Consent, EmergencyAccess):
            model._default_manager.update(starts_at=F("starts_at") - step, ends_at=F("ends_at") - step)
        for reason in self.reasons:
            reason.starts, reason.ends = reason.starts - step, reason.ends - step if reason.ends else None

    def end_where(self, **facts: Any) -> None:
        for each in self.reasons:
            if {**vars(each), **each.facts}.items() >= facts.items():
                each.ends = min(each.ends or now(), now())

    def of(self, kind: str, record: str) -> list[Reason]:
        return [each for each in self.reasons if (each.kind, each.patient) == (kind, record)]

    def in_care(self, who: str, record: str, at: datetime) -> bool:
        caring = {each.facts["doctor"] for each in self.of("care", record) if each.lasts(at)}
        if who == "nan":
            return bool(caring)
        doctor = who.removeprefix("dr_")
        covers = {each.facts["covered"] for each in self.of("cover", "") if each.lasts(at) and each.facts["covering"] == doctor}
        return doctor in caring or bool(covers & caring)

    def expected(self, who: str, record: str, at: datetime) -> set[Category | None]:
        """The kinds of rows of this record that this person sees."""
        if who in ("pia", "ned"):
            return set(KINDS) if f"{who}_record" == record else set()
        if who == "deb":
            grant = next((each for each in self.of("proxy", record) if each.lasts(at)), None)
            return {None, *grant.facts["sees"]} if grant and "record" in grant.facts["scopes"] else set()
        found: set[Category | None] = set()
        if who in ("dr_cho", "dr_dee", "nan"):
            if self.in_care(who, record, at):
                named = {"care_team", "nurse"} if who == "nan" else {"care_team", "provider", who.removeprefix("dr_")}
                found |= {None, *(c.facts["category"] for c in self.of("consent", record) if c.lasts(at) and c.facts["to"] in named)}
            if any(each.lasts(at) and each.facts["who"] == who for each in self.of("emergency", record)):
                found |= {None, *EMERGENCY}
        return found

    def actor(self, who: str) -> Actor:
        if who == "deb":
            return self.deb
        declared = {each.patient for each in self.reasons if each.kind == "emergency" and each.facts["who"] == who}
        return replace(getattr(self.cast, who), emergency=frozenset(getattr(self.cast, record).pk for record in declared))

    @invariant()
    def everybody_reads_what_the_table_grants_and_nothing_else(self) -> None:
        at, self.turn, self.sound = now(), self.turn + 1, False
        for who in ("ned", "deb", "dr_cho", "dr_dee", "nan", *NEVER[self.turn % len(NEVER) :][:1]):
            by = self.actor(who)
            for record in ("pia_record", "ned_record"):
                patient: Patient = getattr(self.cast, record)
                found = seen(by, patient.pk)
                assert found == {self.rows[record, kind] for kind in self.expected(who, record, at)}, (who, record)
        self.sound = True

    @invariant()
    def who_bills_reads_the_codes_that_the_patient_lets_billers_see(self) -> None:
        found = ClinicalResource.objects.filter(visible(self.cast.biller, Action.SEARCH, Resource.BILLING), pk__in=self.rows.values())
        allowed = {
            (c.patient, c.facts["category"]) for c in self.reasons if c.kind == "consent" and c.facts["to"] == "biller" and c.lasts(now())
        }
        due = {self.rows[record, kind] for record, kind in self.rows if kind is None or (record, kind) in allowed}
        assert set(found.values_list("pk", flat=True)) == due

    @invariant()
    def a_total_over_everything_tells_no_more(self) -> None:
        at = now()
        for who in ("deb", "dr_cho", "nan"):
            rows = ClinicalResource.objects.filter(visible(self.actor(who), Action.SEARCH, Resource.CLINICAL_RESOURCE))
            assert rows.count() == sum(len(self.expected(who, record, at)) for record in ("pia_record", "ned_record"))


def seen(by: Actor, patient_id: UUID) -> set[UUID]:
    try:
        return set(selectors.resources_for(by, patient_id).values_list("pk", flat=True))
    except Missing:
        return set()
    except DomainError as error:  # any other no would be a surprise
        raise AssertionError(error.code) from error


def test_nobody_ever_reads_what_the_table_denies(cast: Cast) -> None:
    machine = type("Machine", (Clinic,), {"cast": cast})
    few = settings(max_examples=8, stateful_step_count=16, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(machine, settings=few)
