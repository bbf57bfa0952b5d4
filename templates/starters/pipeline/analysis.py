"""What is computed of one page: its title, its most used words, and the links of its graph.

It is plain Python that holds the GIL, for some milliseconds a page: several cores need processes.
"""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urljoin

WORD = re.compile(r"[^\W\d_]{4,}")  # letters of any script; shorter words say little
TOP = 10  # words in the result
UNSEEN = frozenset({"script", "style", "template", "noscript"})  # elements that nobody reads


class Reader(HTMLParser):
    """Collects what a page shows, its title, and what it links to."""

    def __init__(self) -> None:
        super().__init__()
        self.title = ""
        self.text: list[str] = []
        self.links: list[str] = []
        self.base: str | None = None  # what links are relative to, where the page says so
        self._unseen = 0  # unseen elements that are open, one in the other
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where we are, and the links."""
        self._in_title = tag == "title"
        self._unseen += tag in UNSEEN
        link = dict(attrs).get("href") or ""
        if tag == "base" and self.base is None:
            self.base = link
        elif tag == "a" and link:
            self.links.append(link)

    def handle_endtag(self, tag: str) -> None:
        """Leave the element."""
        self._in_title = False
        if tag in UNSEEN and self._unseen:
            self._unseen -= 1

    def handle_data(self, data: str) -> None:
        """Keep what is seen."""
        if self._in_title:
            self.title += data
        elif not self._unseen:
            self.text.append(data)


def analyse(html: str, url: str) -> dict[str, Any]:
    """Return the title, the number of words, the TOP of them with their counts, and the links.

    Links are absolute, without fragments, each once: `url` and they are edges of the link graph.
    """
    reader = Reader()
    reader.feed(html)
    reader.close()
    words = Counter(WORD.findall(" ".join(reader.text).lower()))
    links, base = set(), url
    with suppress(ValueError):
        base = urljoin(url, reader.base or "")
    for link in reader.links:
        with suppress(ValueError):  # what a browser could not open either
            links.add(urldefrag(urljoin(base, link))[0])
    return {
        "url": url,
        "title": " ".join(reader.title.split()),
        "words": words.total(),
        "top": words.most_common(TOP),
        "links": sorted(link for link in links if link.startswith(("http:", "https:"))),
    }
