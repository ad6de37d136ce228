import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from auditor.statistics.hidden import holds, images_shown, tempered


def test_patients_behind_the_rows_show_their_size_and_independent_rows_show_one() -> None:
    g = np.random.default_rng(0)
    label = g.integers(0, 2, 200)
    alone = [g.integers(0, 3, 200) for _ in range(4)]
    assert images_shown(alone, label) < 2
    shown = [images_shown([np.repeat(codes, 8) for codes in alone], np.repeat(label, 8)), images_shown([], label)]
    assert 5 < shown[0] < 12
    assert shown[1] == 1


def test_an_auc_holds_where_mann_whitney_is_significant_among_so_few_patients() -> None:
    g = np.random.default_rng(1)
    sick, well = g.normal(1.0, 1, 40), g.normal(0, 1, 60)
    test = mannwhitneyu(sick, well, method="asymptotic", use_continuity=False)
    auc = float(test.statistic) / (40 * 60)
    assert holds(auc, 40, 60, images=1, tests=1, alpha=float(test.pvalue) * 1.001)
    assert not holds(auc, 40, 60, images=1, tests=1, alpha=float(test.pvalue) * 0.999)
    assert holds(auc, 400, 600, images=10, tests=1)
    assert not holds(auc, 40, 60, images=10, tests=1)
    assert not holds(1.0, 9, 900, images=10, tests=1)


def test_a_p_value_is_tempered_by_the_root_of_the_design_effect() -> None:
    assert tempered(0.03, 1) == pytest.approx(0.03)
    assert tempered(2 * 0.0013498980316301, 9) == pytest.approx(2 * 0.15865525393145707)
