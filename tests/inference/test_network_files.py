"""Network files that are none: told in words, never by a traceback; and every format keeps names and numbers."""

import numpy as np
import pytest

import calcinosis as cc
from calcinosis.inference.pgmpy_bridge import FORMATS, as_file, read_file

BAD = {
    "missing.bif": (None, "cannot be read: [Errno 2] No such file or directory"),
    "network.doc": ("", "a network file ends in one of .bif, .xmlbif, .xdsl, .net"),
    "words.bif": ("these are words", "cannot be read as BIF"),
    "words.xdsl": ("these are words", "cannot be read as XDSL"),
    "broken.bif.gz": ("not packed", "cannot be read: Not a gzipped file"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_network_is_told_in_words(name, tmp_path):
    content, words = BAD[name]
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(cc.errors.NetworkError) as caught:
        cc.Model.from_file(tmp_path / name, target="var_1")
    assert words in str(caught.value)


@pytest.mark.parametrize("ending", FORMATS)
def test_a_format_keeps_names_arrows_and_numbers(build, ending, tmp_path):
    rows = np.random.default_rng(3).dirichlet([1, 1, 1], size=4)
    tables = {"b": ("no yes", "", [0.25, 0.75]), "a": ("no yes", "b", [[0.1, 0.9], [0.6, 0.4]])}
    network = build("c", tables | {"c": ("low mid high", "b a", rows)})
    path = tmp_path / f"network{ending}"
    path.write_bytes(as_file(network, ending))
    again = read_file(path, "c")
    model = cc.Model(again)
    expected = cc.Model(network).posterior(a="yes").probabilities.to_list()
    assert model.posterior(a="yes").probabilities.to_list() == pytest.approx(
        expected, abs=1e-8 if ending == ".net" else 1e-14
    )
    assert {n: v.state_names for n, v in again.variables.items()} == {
        n: v.state_names for n, v in network.variables.items()
    }


def test_names_that_a_format_would_change_are_refused(build):
    network = build("kind", {"kind": ("nodular-(mass)>1 none", "", [0.25, 0.75])})
    with pytest.raises(
        cc.errors.NetworkError, match=r"\.xmlbif cannot hold this network: give states plain names, or choose"
    ):
        as_file(network, ".xmlbif")


def test_an_unknown_format_is_refused(build):
    with pytest.raises(cc.errors.NetworkError, match=r"no format '\.doc': it must be one of \.bif"):
        as_file(build("a", {"a": ("no yes", "", [0.5, 0.5])}), ".doc")
