"""Tables of a reader study, from the file to the readings: which column is the answer, which the truth, which the order."""

import numpy as np
import pandas as pd
import pytest

from auditor.checks.ed001 import ExpertDisagreement
from auditor.checks.ed004 import FatigueOrDrift
from auditor.layout import Options, open_dataset


def study(tmp_path, *, scores=False, **names):
    rng = np.random.default_rng(0)
    truth = np.arange(40) % 2
    rows = []
    for session in ("before", "after"):
        for r in range(8):
            for c in range(40):
                score = truth[c] * 1.7 + rng.normal()
                said = f"{score:.3f}" if scores else str(int(score > 0.85))
                rows.append((f"c{c:02d}", f"reader {r}", said, session, str(truth[c])))
    columns = [names.get(n, n) for n in ("record", "rater", "label", "session", "truth")]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "study.csv", index=False)
    return open_dataset(tmp_path / "study.csv", Options())


def test_the_truth_is_the_label_and_the_label_is_the_answer(tmp_path):
    dataset = study(tmp_path)
    assert dataset.labels.origin == "truth"
    assert dataset.labels.values.loc["c03"] == "1"
    assert len(dataset.annotations) == 640
    assert 0.1 < (dataset.annotations["label"] == "1").mean() < 0.9
    verdict = FatigueOrDrift().run(dataset)
    assert verdict.metrics["measure"] == "readings that differ from the released label"
    assert "session_p" in verdict.metrics


def test_scores_of_readers_are_answers_too(tmp_path):
    dataset = study(tmp_path, scores=True, record="case", rater="reader", label="score")
    assert dataset.labels.origin == "truth"
    assert FatigueOrDrift().run(dataset).metrics["measure"] == "1 − AUC against the released label"
    assert "ICC(2,1)" in ExpertDisagreement().run(dataset).summary


def test_the_order_of_reading_is_kept(tmp_path):
    rows = [(f"c{c}", r, "yes", str(c + 1)) for r in ("ann", "bob") for c in range(12)]
    pd.DataFrame(rows, columns=["case", "reader", "answer", "position"]).to_csv(tmp_path / "t.csv", index=False)
    assert open_dataset(tmp_path / "t.csv", Options()).annotations["position"].tolist()[:3] == ["1", "2", "3"]


def test_a_wide_table_of_measurements_has_a_rater_per_column(tmp_path):
    rng = np.random.default_rng(0)
    size = rng.normal(50, 10, 70)
    table = pd.DataFrame(
        {"case": [f"c{i}" for i in range(70)], **{f"reader_{k}": (size + rng.normal(0, 2, 70)).round(2) for k in "ABC"}}
    )
    table.to_csv(tmp_path / "wide.csv", index=False)
    dataset = open_dataset(tmp_path / "wide.csv", Options())
    assert sorted(set(dataset.annotations["rater"])) == ["reader_A", "reader_B", "reader_C"]
    assert ExpertDisagreement().run(dataset).metrics["icc_single"] == pytest.approx(100 / 104, abs=0.04)
