import pytest

from auditor.placement.claims import Claims, claim
from auditor.placement.listing import list_files
from auditor.placement.records import Draft, build, no_labels
from auditor.values.errors import DatasetError


@pytest.fixture
def listing(tmp_path):
    for name in ("a.png", "b.png", "a_mask.png", "x.npz", "labels.csv", "notes.txt", "boxes.xml"):
        (tmp_path / name).write_bytes(b"x")
    return list_files(tmp_path)


def test_every_file_is_counted_once_whatever_is_claimed(listing):
    claims = claim(listing, "toy", masks=["a_mask.png"], annotations=["boxes.xml"], left_out=["b.png"], tables=["notes.txt"])
    assert claims.counts == {
        "files": 7, "images": 1, "containers": 1, "masks": 1, "tables": 2, "annotations": 1, "left_out": 1, "other": 0,
        "refused": 0,
    }  # fmt: skip
    assert sum(claims.counts.values()) == 2 * claims.counts["files"]


def test_a_role_that_a_layout_does_not_look_for_is_not_counted(listing):
    assert set(claim(listing, "toy").counts) == {"files", "images", "containers", "tables", "other", "refused"}
    assert claim(listing, "toy", masks=()).counts["masks"] == 0


def test_a_table_outside_the_listing_is_counted_beside_it(listing):
    counts = claim(listing, "toy", tables=["/elsewhere/labels.csv"]).counts
    assert (counts["files"], counts["tables"]) == (8, 2)


def test_a_file_claimed_twice_or_not_there_is_a_mistake_of_the_layout(listing):
    with pytest.raises(DatasetError, match="layout toy claims one file as masks and as annotations"):
        claim(listing, "toy", masks=["a.png"], annotations=["a.png"])
    with pytest.raises(DatasetError, match="layout toy claims a file that is not there as masks"):
        claim(listing, "toy", masks=["gone.png"])


def draft(listing, ids, claims, **counts):
    return Draft(
        root=listing.root, name="x", claims=claims, ids=ids, labels=no_labels(ids), columns={"path": ids}, counts=counts
    )


def test_the_builder_counts_and_refuses_what_does_not_add_up(listing):
    claims = claim(listing, "toy", annotations=["boxes.xml"])
    assert build(draft(listing, ["a.png"], claims, rows=3, rows_used=2, rows_malformed=1)).summary.counts["images"] == 3
    for wrong in ({"rows": 3, "rows_used": 1, "rows_malformed": 1}, {"unlisted": -1}, {"images": 4}, {"apples": 1}):
        with pytest.raises(DatasetError, match="toy counts what does not add up"):
            build(draft(listing, ["a.png"], claims, **wrong))
    with pytest.raises(DatasetError, match="toy makes a record of a file that it claims as annotations"):
        build(draft(listing, ["boxes.xml"], claims))


def test_a_record_whose_file_is_not_there_is_no_mistake_of_the_layout(listing):
    assert build(draft(listing, ["gone.png"], Claims(layout="toy", role={}))).size == 1
