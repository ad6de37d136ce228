from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from auditor.layout import Options, open_dataset
from auditor.stages.extract import Pass, extract
from auditor.values.fields import describe


def test_suffix_against_content_and_header_words_are_columns_of_the_dataset(tmp_path: Path) -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 20), dtype=np.uint8))
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "Canary Text")
    picture.save(tmp_path / "a.png", pnginfo=info)
    picture.save(tmp_path / "b.jpg", "PNG")
    picture.save(tmp_path / "c.JPEG", "JPEG")
    dataset, _ = extract(open_dataset(tmp_path, Options()), Pass(workers=0))
    assert dataset.metadata["container.extension_fits"].tolist() == ["yes", "no", "yes"]
    assert describe("container.extension_fits").kind == "encoding"
    assert dataset.texts.iloc[0] == "canary text"
    assert dataset.texts.isna().tolist() == [False, True, True]
    assert "canary" not in repr(dataset.metadata).lower()
    assert {"zones.r00c00", "border.padding_fraction", "traces.blockiness", "outside.mean"} <= set(dataset.features.columns)
