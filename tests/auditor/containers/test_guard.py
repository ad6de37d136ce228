"""A decoder's complaint becomes a reason in words; a missing codec says the command that brings it."""

import pytest

from auditor.containers.guard import codec, decoding
from auditor.values.errors import MissingExtraError, UnreadableFile


def test_a_missing_codec_is_an_error_with_the_command_and_of_one_file_a_reason() -> None:
    with pytest.raises(MissingExtraError, match=r"12-bit JPEG needs some-codec: pip install 'medaudit\[codecs\]'"):
        codec("no_such_module_anywhere", "some-codec", purpose="12-bit JPEG")
    with pytest.raises(UnreadableFile) as error, decoding("picture"):
        codec("no_such_module_anywhere", "some-codec", purpose="12-bit JPEG")
    assert error.value.kind == "missing-codec"
    assert error.value.reason == "12-bit JPEG needs some-codec: pip install 'medaudit[codecs]'"
