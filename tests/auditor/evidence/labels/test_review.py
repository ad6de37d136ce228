import json

import numpy as np
import pytest
from scipy.stats import binomtest

from auditor.evidence.labels.review import draw_queue, estimate_review, read_review, share_of, upper_bound
from auditor.values.errors import ConfigError
from auditor.values.reviews import Answer, Review

RECORDS = [f"r{i}" for i in range(500)]
FLAGGED = [i < 60 for i in range(500)]


def review_of(answers, flagged=60, others=440, identity="q"):
    return Review(
        answers=tuple(Answer(record=f"x{i}", given="a", flagged=f, answer=a) for i, (f, a) in enumerate(answers)),
        flagged=flagged, others=others, identity=identity,
    )  # fmt: skip


def test_suspects_and_controls_are_mixed_and_the_draw_is_repeatable_whatever_the_order():
    queue = draw_queue(RECORDS, FLAGGED, seed=3)
    parts = [FLAGGED[int(r[1:])] for r in queue.records]
    assert (sum(parts), len(parts)) == (40, 99)
    assert 0 < sum(parts[:40]) < 40
    assert (queue.flagged, queue.others) == (60, 440)
    assert draw_queue(RECORDS[::-1], FLAGGED[::-1], seed=3) == queue
    assert draw_queue(RECORDS, FLAGGED, seed=4).records != queue.records


def test_a_fresh_queue_has_no_reviewed_record_and_can_be_pooled():
    first = draw_queue(RECORDS, FLAGGED, seed=3)
    second = draw_queue(RECORDS, FLAGGED, seed=3, reviewed=first.records)
    assert not set(first.records) & set(second.records)
    assert len(second.records) == 20 + 59
    assert second.identity == first.identity
    assert draw_queue(RECORDS, [not f for f in FLAGGED], seed=3).identity != first.identity


def test_every_record_is_drawn_as_often_as_its_neighbours():
    drawn = [r for seed in range(300) for r in draw_queue(RECORDS[:50], [i < 10 for i in range(50)], seed=seed, suspects=5,
                                                           controls=10).records]  # fmt: skip
    counts = np.array([drawn.count(r) for r in RECORDS[:50]])
    assert counts[:10].min() > 110
    assert counts[:10].max() < 190
    assert counts[10:].min() > 45
    assert counts[10:].max() < 110


def test_the_noise_fraction_weighs_both_parts_by_their_size():
    estimate = estimate_review([review_of([(True, "wrong")] * 30 + [(True, "right")] * 10 + [(False, "right")] * 59)])
    assert estimate.noise is not None
    assert estimate.noise.value == pytest.approx(60 / 500 * 0.75)
    assert estimate.noise.low < estimate.noise.value < estimate.noise.high < 0.16
    assert estimate.precision is not None
    assert estimate.precision.value == 0.75
    assert estimate.clean_run == 59


def test_fifty_nine_clean_controls_bound_five_percent_and_299_one():
    assert upper_bound(0, 59) < 0.05 < upper_bound(0, 58)
    assert upper_bound(0, 299) < 0.01 < upper_bound(0, 298)
    assert upper_bound(3, 40) == pytest.approx(binomtest(3, 40).proportion_ci(0.9, "exact").high)
    assert upper_bound(5, 5) == 1


def test_a_share_is_wilsons_and_a_census_has_no_interval():
    reference = binomtest(7, 50).proportion_ci(0.95, "wilson")
    share = share_of(7, 50, 10**9)
    assert (share.low, share.high) == (pytest.approx(reference.low), pytest.approx(reference.high))
    census = share_of(7, 50, 50)
    assert census.low == census.high == 0.14


def test_ambiguous_is_not_wrong_and_what_cannot_be_told_does_not_count():
    estimate = estimate_review([review_of([(False, "ambiguous")] * 10 + [(False, "cannot tell")] * 30 + [(True, "wrong")])])
    assert (estimate.controls, estimate.suspects, estimate.reviewed) == (10, 1, 41)
    assert estimate.left_high == pytest.approx(upper_bound(0, 10))
    assert estimate.counts == {"right": 0, "wrong": 1, "ambiguous": 10, "cannot tell": 30}


def test_without_controls_nothing_is_said_about_the_whole():
    estimate = estimate_review([review_of([(True, "wrong")] * 5)])
    assert estimate.noise is None
    assert estimate.left_high is None
    assert estimate_review([review_of([(False, "right")] * 20, flagged=0)]).noise is not None


def test_answers_to_an_older_ranking_are_left_out_and_a_second_answer_replaces_the_first():
    old, new = review_of([(False, "wrong")] * 9, identity="old"), review_of([(False, "right")] * 5 + [(True, "right")])
    assert estimate_review([old, new]).reviewed == 6
    again = review_of([(False, "wrong")])
    assert estimate_review([new, again]).counts["wrong"] == 1
    with pytest.raises(ValueError, match="no review"):
        estimate_review([])


def test_the_saved_file_is_read_back(tmp_path):
    document = {
        "format": "medaudit-review", "version": 1, "flagged": 3, "others": 7, "identity": "q",
        "answers": [{"record": "007", "given": "NA", "flagged": True, "answer": "wrong", "read_as": "x"}],
    }  # fmt: skip
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(document))
    review = read_review(path, workers=0)
    assert review.answers == (Answer(record="007", given="NA", flagged=True, answer="wrong"),)
    assert (review.flagged, review.others) == (3, 7)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not a file of answers"),
        ('{"format": "medaudit-review", "version": 9}', "another version"),
        ('{"format": "medaudit-review", "version": 1}', "damaged"),
        (
            '{"format": "medaudit-review", "version": 1, "flagged": 1, "others": 1, "identity": "", "answers": '
            '[{"record": "a", "given": "b", "flagged": true, "answer": "maybe"}]}',
            "damaged",
        ),
    ],
)
def test_another_file_is_a_mistake_in_one_line(tmp_path, text, words):
    path = tmp_path / "answers.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        read_review(path, workers=0)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_review(tmp_path / "none.json", workers=0)


def simulated(rng, *, records, flagged_share, precision, missed, suspects, controls):
    """One review of a set of which `precision` of the flagged and `missed` of the others are wrong."""
    flagged = round(records * flagged_share)
    k_flagged, k_other = round(flagged * precision), round((records - flagged) * missed)
    n_flagged = min(suspects, flagged)
    wrong_flagged = int(rng.hypergeometric(k_flagged, flagged - k_flagged, n_flagged)) if flagged else 0
    wrong_other = int(rng.hypergeometric(k_other, records - flagged - k_other, controls))
    answers = [(True, "wrong")] * wrong_flagged + [(True, "right")] * (n_flagged - wrong_flagged)
    answers += [(False, "wrong")] * wrong_other + [(False, "right")] * (controls - wrong_other)
    truth = (k_flagged + k_other) / records
    estimate = estimate_review([review_of(answers, flagged=flagged, others=records - flagged)])
    plain = share_of(round(truth * len(answers)), len(answers), records)
    return estimate, truth, missed, plain.high - plain.low


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flagged_share", "precision", "missed"),
    [
        (0.05, 0.7, 0.01),
        (0.1, 0.6, 0.02),
        (0.2, 0.8, 0.05),
        (0.1, 0.2, 0.01),
        (0.02, 0.5, 0.0),
        (0.3, 0.9, 0.1),
        (0.1, 0.5, 0.03),
    ],
)
@pytest.mark.parametrize(("suspects", "controls"), [(40, 59), (60, 299)])
def test_intervals_hold_the_truth_and_are_no_wider_than_the_plain_binomial_one(
    flagged_share, precision, missed, suspects, controls
):
    rng = np.random.default_rng(0)
    hits, bounds, widths = [], [], []
    for _ in range(1000):
        estimate, truth, left, plain = simulated(
            rng, records=5000, flagged_share=flagged_share, precision=precision, missed=missed, suspects=suspects,
            controls=controls,
        )  # fmt: skip
        hits.append(estimate.noise.low <= truth <= estimate.noise.high)
        bounds.append(left <= estimate.left_high)
        widths.append((estimate.noise.high - estimate.noise.low) / plain)
    assert np.mean(hits) >= 0.93
    assert np.mean(bounds) >= 0.93
    assert np.mean(widths) <= 1.2
