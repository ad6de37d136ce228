"""What a layout takes each file for. A layout claims files by role; who builds the dataset counts them.

Every listed file has one role: the one that its kind suggests (an image is an image, whatever is nothing else is `other`),
unless the layout claims it for another. So the counts add up however a layout is written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from auditor.placement.listing import Listing
from auditor.values.errors import DatasetError

Role = Literal["images", "containers", "masks", "tables", "annotations", "left_out", "other"]
ROLES: tuple[Role, ...] = ("images", "containers", "masks", "tables", "annotations", "left_out", "other")
SOUGHT: frozenset[Role] = frozenset(("masks", "annotations", "left_out"))
"""Roles that a file has only where a layout says so."""


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What each listed file was taken for.

    Args:
        layout: whose claims they are.
        role: listed file → its role.
        sought: the roles that the layout looks for; of masks, annotations and files left out, only those sought are counted.
        beside: tables that were read and lie outside the listing (a table with `--root`).
        refused: entries of folders that were not listed.
        listing: the files; None where nobody looks for tables that were not read.
        read: the label tables that were read, within the listing.
        reports: structured reports of DICOM: annotations, but a table may name one as a record.
    """

    layout: str
    role: Mapping[str, Role]
    sought: frozenset[Role] = frozenset()
    beside: frozenset[str] = frozenset()
    refused: int = 0
    listing: Listing | None = None
    read: frozenset[str] = frozenset()
    reports: frozenset[str] = frozenset()

    @property
    def known(self) -> frozenset[str]:
        """Files that the layout knows, though they are no records."""
        return frozenset(name for name, role in self.role.items() if role in SOUGHT)

    @property
    def counts(self) -> dict[str, int]:
        """Files by role, all of them, and what was refused."""
        found: dict[str, int] = {role: 0 for role in ROLES if role not in SOUGHT or role in self.sought}
        for role in self.role.values():
            found[role] += 1
        found["tables"] += len(self.beside)
        return {"files": len(self.role) + len(self.beside), **found, "refused": self.refused}

    def check_records(self, paths: Collection[str]) -> None:
        """No record is a file that the layout claims as something else. What a table names may be anything, and is said later.

        Raises:
            DatasetError: one is: the layout is wrong, and its counts would be.
        """
        for path in paths:
            role = self.role.get(path, "images")
            if role in ("annotations", "left_out") and path not in self.reports:
                raise DatasetError(f"the layout {self.layout} makes a record of a file that it claims as {role}: mend it")


def claim(
    listing: Listing,
    layout: str,
    *,
    images: Collection[str] = (),
    tables: Collection[str] = (),
    masks: Collection[str] | None = None,
    annotations: Collection[str] | None = None,
    left_out: Collection[str] | None = None,
    chosen: bool = False,
) -> Claims:
    """Claim files of a listing; what is not named keeps the role that its kind suggests.

    Args:
        listing: the files.
        layout: who claims, for the message.
        images: files that are one record each though their suffix says otherwise (arrays).
        tables: tables that were read; those outside the listing are counted beside it.
        masks: files that are masks of others; None where the layout looks for none, as for the next two.
        annotations: files of boxes, outlines or lists of splits, and descriptions of the dataset.
        left_out: files that are known and were not used on purpose.
        chosen: the user named the table; the others that lie there are not looked into.

    Raises:
        DatasetError: a file is claimed for two roles, or is not there: the layout is wrong.
    """
    inventory = listing.inventory
    role: dict[str, Role] = dict.fromkeys(inventory.images, "images")
    role |= dict.fromkeys(inventory.containers, "containers")
    role |= dict.fromkeys(inventory.tables, "tables")
    role |= dict.fromkeys(inventory.other, "other")
    role |= dict.fromkeys(inventory.reports, "annotations")
    beside = frozenset(name for name in tables if name not in role)
    taken: dict[str, Role] = {}
    wanted: tuple[tuple[Role, Collection[str] | None], ...] = (
        ("images", images), ("masks", masks), ("tables", tables), ("annotations", annotations), ("left_out", left_out),
    )  # fmt: skip
    for kind, names in wanted:
        for name in names or ():
            if name in beside:
                continue
            if name not in role:
                raise DatasetError(f"the layout {layout} claims a file that is not there as {kind}; mend the layout")
            if taken.setdefault(name, kind) != kind:
                raise DatasetError(f"the layout {layout} claims one file as {taken[name]} and as {kind}; mend the layout")
    sought = frozenset(kind for kind, names in wanted if names is not None)
    sought |= {"annotations"} if inventory.reports else frozenset()
    return Claims(
        layout=layout, role={**role, **taken}, sought=sought, beside=beside, refused=len(listing.problems),
        listing=None if chosen else listing, read=frozenset(tables) - beside,
        reports=frozenset(inventory.reports),
    )  # fmt: skip
