"""The note on the visit's page: kept as one writes, signed once."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from consults import rules, selectors, services
from consults.models import Note, Visit
from consults.portal.words import WORDS
from consults.signed import PARTS
from telehealth.accounts.access import Action, Resource
from telehealth.core.errors import Invalid
from telehealth.portal.pages import Page
from telehealth.records import labels
from telehealth.records.portal.words import CATEGORIES

LABELS = {
    "subjective": _("Subjective"),
    "objective": _("Objective"),
    "assessment": _("Assessment"),
    "plan": _("Plan"),
}
LONGEST = 20_000


def _text(part: str, rows: int) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": rows, "spellcheck": "true"})
    return forms.CharField(label=LABELS[part], max_length=LONGEST, required=False, widget=area)


class NoteForm(forms.Form):
    """The four parts, which sensitive categories they belong to, and which version of the draft they were written over."""

    subjective = _text("subjective", 3)
    objective = _text("objective", 3)
    assessment = _text("assessment", 2)
    plan = _text("plan", 3)
    sensitivity = forms.MultipleChoiceField(
        label=_("Only for whom the patient consents to"),
        choices=[(each.value, word) for each, word in CATEGORIES.items()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    note = forms.UUIDField(required=False, widget=forms.HiddenInput)
    version = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)


class NotePart(Page, abstract=True):
    """The note as a whole: signed ones to read, one's draft to write."""

    template = "consults/note.html"
    words = WORDS

    def whole(self, visit: Visit) -> HttpResponse:
        notes = list(selectors.notes_of(self.by, visit.pk))
        draft = next((note for note in notes if note.status == Note.Status.DRAFT), None)
        signed = [_shown(note) for note in notes if note.status == Note.Status.SIGNED]
        done = any(
            labels.Category.PSYCHOTHERAPY not in each["labels"] for each in signed
        )  # which is kept apart: the visit's own is to come
        writes = not done and rules.may_conduct(self.by, visit)
        form = NoteForm(initial={**draft.body, "sensitivity": _categories(draft)} if draft else {}) if writes else None
        return self.show(visit=visit, draft=draft, signed=signed, form=form, done=done)

    def kept(self, request: HttpRequest, visit_id: UUID) -> Note:
        """What was written, as a draft: a new one, or the next version of the one it was written over."""
        form = NoteForm(request.POST)
        if not form.is_valid():
            raise Invalid
        given: dict[str, Any] = form.cleaned_data
        told: dict[str, Any] = {"parts": {part: given[part] for part in PARTS}, "sensitivity": given["sensitivity"], "by": self.by}
        if given["note"] is None:
            return services.draft(visit_id=visit_id, **told)
        return services.revise(note_id=given["note"], version=given["version"] or 0, **told)


class VisitNote(NotePart):
    """GET: the note. POST: keep what was written so far; answers with the moment and the new version, also while the
    screen is locked: what was typed before is not lost."""

    while_locked = frozenset({"post"})

    access = {"get": (Action.READ, Resource.NOTE), "post": (Action.UPDATE, Resource.NOTE)}

    def get(self, request: HttpRequest, visit_id: UUID) -> HttpResponse:
        return self.whole(selectors.visit_for(self.by, visit_id))

    def post(self, request: HttpRequest, visit_id: UUID) -> HttpResponse:
        return self.show("consults/note_kept.html", draft=self.kept(request, visit_id))


class SignNote(NotePart):
    """Keep the last words, then sign them."""

    access = (Action.SIGN, Resource.NOTE)

    def post(self, request: HttpRequest, visit_id: UUID) -> HttpResponse:
        note = self.kept(request, visit_id)
        services.sign(note_id=note.pk, version=note.version, by=self.by)
        response = self.whole(selectors.visit_for(self.by, visit_id))
        response["HX-Trigger"] = "note-signed"
        return response


def _shown(note: Note) -> dict[str, Any]:
    body, categories = note.body, _categories(note)
    return {
        "signed_at": note.signed_at,
        "parts": [(LABELS[part], body[part]) for part in PARTS],
        "labels": categories,
        "categories": [CATEGORIES[each] for each in categories],
        "notice": labels.notice(categories),
    }


def _categories(note: Note) -> list[labels.Category]:
    return labels.categories_of(note.patient_id, note.labels)
