"""Consensus of readings that are sets of findings: no finding is the empty set."""

import pytest
from builders import make_dataset

from auditor.evidence.raters.release import release


@pytest.mark.parametrize("nothing", ["No Finding", "normal", "none"])
def test_no_finding_is_no_finding_beside_others(nothing):
    cells = [("Effusion|Mass", "Mass", "Effusion|Mass"), (nothing, nothing, "Mass"), ("Mass", "Effusion", "Pneumonia"),
             (nothing, nothing, nothing), ("Effusion", "Effusion", "Effusion")] * 6  # fmt: skip
    rows = [(f"c{i}", f"r{r}", said) for i, row in enumerate(cells) for r, said in enumerate(row)]
    found = release(make_dataset(records=[f"c{i}" for i in range(30)], annotations=rows), method="majority").frame
    assert found["label"].iloc[:5].tolist() == ["Effusion|Mass", nothing, "", nothing, "Effusion"]
    assert [name for name in found.columns if name.startswith("p_")] == ["p_Effusion", "p_Mass", "p_Pneumonia"]
