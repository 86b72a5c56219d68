"""Reading a built page back: whether its tags are closed, what its tables say, and what it would fetch."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "hr", "input"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """A parsed page; `faults` names tags that are not closed in order."""

    faults: list[str] = field(default_factory=list)
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    elements: list[Element] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)
        if tag == "div" and element.attributes.get("role") == "region":
            self.rows: list[list[str]] = self.tables.setdefault(element.attributes["aria-label"], [])
        if tag == "tr":
            self.rows.append([])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1].tag != tag:
            self.faults.append(
                f"</{tag}> at {self.getpos()} closes {self.open[-1].tag if self.open else 'nothing'}"
            )
            return
        element = self.open.pop()
        if tag in ("td", "th"):
            self.rows[-1].append(" ".join(element.text.split()))

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1].tag in ("style", "title"):
            return
        self.text += data
        for element in self.open:
            element.text += data

    def table(self, title: str) -> list[dict[str, str]]:
        """Rows of a table by heading; group headings are carried as `group`."""
        head, *body = self.tables[title]
        rows, group = [], ""
        for row in body:
            if len(row) == 1 and len(head) > 1:
                group = row[0]
                continue
            rows.append({**dict(zip(head, row, strict=True)), "group": group})
        return rows


def parse(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    page.faults += [f"<{element.tag}> is never closed" for element in page.open]
    return page
