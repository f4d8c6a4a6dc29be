"""Reading HTML as a browser does: forms with their fields, and marked elements."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"input", "br", "img", "meta", "link", "hr", "source", "col", "wbr"}


@dataclass
class Form:
    """A form: where it goes, and the values it would send untouched."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """The forms of a page, and the text or value of elements marked with `data-...` attributes."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.marks: dict[str, str] = {}
        self._form: Form | None = None
        self._reading: list[tuple[str, list[str]]] = []
        self.feed(html)
        self.close()
        self.marks = {name: value.strip() for name, value in self.marks.items()}

    def form_with(self, *names: str) -> Form | None:
        """The first form that has all these fields or buttons."""
        return next((form for form in self.forms if set(names) <= {*form.fields, *form.buttons}), None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._mark(tag, given)
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is not None and given.get("name"):
            self._field(tag, given, self._form)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if self._reading and self._reading[-1][0] == tag:
            self._reading.pop()

    def handle_data(self, data: str) -> None:
        for _tag, names in self._reading:
            for name in names:
                self.marks[name] += data

    def _mark(self, tag: str, given: dict[str, str]) -> None:
        names = [name for name in given if name.startswith("data-")]
        for name in names:
            self.marks[name] = given[name]
        unsaid = [name for name in names if not given[name]]
        if unsaid and tag not in VOID:
            self._reading.append((tag, unsaid))

    def _field(self, tag: str, given: dict[str, str], form: Form) -> None:
        name, kind = given["name"], given.get("type", "text").lower()
        if tag == "button" or (tag == "input" and kind == "submit"):
            form.buttons.append(name)
        elif tag == "input" and kind in ("checkbox", "radio"):
            if "checked" in given:
                form.fields[name] = given.get("value", "on")
            else:
                form.fields.setdefault(name, "")
        elif tag in ("input", "select", "textarea"):
            form.fields[name] = given.get("value", "")
