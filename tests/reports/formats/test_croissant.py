"""Croissant: MLCommons' own validator reads it, and an audit that could not look never reads as a clean one."""

import json
from dataclasses import replace

import mlcroissant
import pytest

from reports.formats import croissant

# of rdflib, which the validator reads JSON-LD with
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")


@pytest.mark.parametrize("which", ["small_result", "hostile_result"])
def test_the_validator_of_mlcommons_finds_no_error(which, request, tmp_path):
    (content,) = croissant.render(request.getfixturevalue(which), "c.json").values()
    (tmp_path / "c.json").write_bytes(content)
    dataset = mlcroissant.Dataset(jsonld=tmp_path / "c.json")
    assert dataset.metadata.ctx.issues.errors == set()
    assert dataset.metadata.data_biases


def test_the_validator_would_see_a_wrong_file(small_result, tmp_path):
    document = json.loads(croissant.render(small_result, "c.json")["c.json"])
    document["recordSet"] = [{"@type": "cr:RecordSet", "@id": "r", "name": "r", "field": [{"@type": "cr:Field", "@id": "r/f"}]}]
    (tmp_path / "c.json").write_text(json.dumps(document))
    with pytest.raises(mlcroissant.ValidationError):
        mlcroissant.Dataset(jsonld=tmp_path / "c.json")


def test_what_was_found_and_what_could_not_be_asked_is_told(small_result):
    document = json.loads(croissant.render(small_result, "c.json")["c.json"])
    assert any("LK001" in line for line in document["rai:dataBiases"])
    assert any(line.startswith("Not evaluated: ED001") for line in document["rai:dataAnnotationAnalysis"])
    nothing = json.loads(croissant.render(replace(small_result, outcomes=()), "c.json")["c.json"])
    assert all(nothing[field] == ["Not evaluated: no check of this was selected."] for field in croissant.FIELDS)


def test_what_people_must_add_is_left_open(small_result):
    document = json.loads(croissant.render(small_result, "c.json")["c.json"])
    assert not set(croissant.OPEN) & set(document)
    assert all(field in document["description"] for field in croissant.OPEN)
