"""The items that came with the project: whoever has tried those begins anew with their own."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import closing

from .items import Items, ItemsError
from .results import Journal

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PRISTINE = os.path.join(PROJECT, ".concgen", "pristine.zip")
SAMPLE = "items.jsonl"


def is_of_sample(journal: Journal) -> bool:
    """Whether the results are those of the items as they were generated."""
    known = journal.ledger.known
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, SAMPLE)
        if not _extract(file):
            return False
        try:
            with closing(Items(file)) as items:
                digests = [digest for _, _, digest in items.records() if digest]
        except ItemsError:
            return False
    return 0 < known <= len(digests) and all(
        digests[position] == journal.ledger.digest(position) for position in range(known)
    )


def _extract(file: str) -> bool:
    """Write them to the file; tell whether there are any."""
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(PRISTINE) as archive, archive.open(SAMPLE) as source, open(file, "wb") as out:
            shutil.copyfileobj(source, out)
    except (OSError, KeyError, BadZipFile):
        return False
    return True
