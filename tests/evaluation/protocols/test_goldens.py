"""Every recorded evaluation case: distances, returned numbers and printed lines."""

import json
from pathlib import Path

import numpy as np
import pytest

from gaitjax.evaluation import distance_matrix, evaluate

GOLDEN = Path(__file__).parents[2] / "golden"
ARRAYS = np.load(GOLDEN / "evaluation.npz")
RECORDED = json.loads((GOLDEN / "evaluation.json").read_text())
CASES = {case["case"]: case for case in RECORDED["cases"]}
DATA_SETS = {"OUMVLP": "oumvlp", "CASIA-B": "casiab"}


def run(case, **settings):
    """Our record for a recorded case."""
    function = case["function"]
    if function == "evaluate_indoor_dataset":
        pooled = case.get("cross_view_gallery")
        protocol = "cross_view_gallery" if pooled else DATA_SETS[case["dataset"]]
    elif function == "evaluate_Gait3D":
        protocol, settings["probe_set"] = "gait3d", RECORDED["probe_set"]
    else:
        protocol = {"evaluate_real_scene": "grew_local", "GREW_submission": "grew_submission"}[
            function
        ]
    strings = {name: text.split() for name, text in RECORDED["sets"][case["data"]].items()}
    settings = {"compat": True, "samples": 0} | settings
    return evaluate(
        protocol, ARRAYS[case["data"] + "/embeddings"], **strings, metric=case["metric"], **settings
    )


def names(*functions, raises=False):
    return [
        name
        for name, case in CASES.items()
        if case["function"] in functions
        and ("raises" in case) == raises
        and case["dataset"] in (*DATA_SETS, "GREW", "Gait3D")
        and "unknown" not in name
    ]


def printed(values):
    return np.array2string(
        np.array(list(values)), precision=2, floatmode="fixed", max_line_width=75, separator=" "
    )


def squeezed(text):
    return "".join(text.split())


@pytest.mark.parametrize("metric", ["euc", "cos"])
def test_distances(metric):
    ours = distance_matrix(ARRAYS["distance/x"], ARRAYS["distance/y"], metric)
    np.testing.assert_allclose(ours, ARRAYS[f"distance/{metric}"], rtol=3e-7, atol=0)


def test_no_case_is_left_out():
    tested = names("evaluate_indoor_dataset", "evaluate_real_scene", "evaluate_Gait3D")
    tested += names("GREW_submission")
    tested += names("evaluate_real_scene", "evaluate_Gait3D", raises=True)
    assert {n for n in CASES if "unknown_dataset" not in n} == set(tested)


@pytest.mark.parametrize("name", names("evaluate_indoor_dataset"))
def test_indoor(name):
    case, record = CASES[name], run(CASES[name])
    # In the reference's order: by condition, Rank-1 and then mAP.
    assert list(record["headline"].values()) == list(case["returned"].values())
    log = squeezed("".join(case["log"]))
    for condition, entry in record["conditions"].items():
        for score, by_view in entry["per_view"].items():
            row = squeezed(printed(by_view.values()))
            mean = f"{entry['scores'][score]:.2f}%"
            if case.get("cross_view_gallery"):
                assert f"{condition}:{row},mean:{mean}" in log
            else:
                assert f"{condition}@R1:{row}" in log and f"{condition}@R1:{mean}" in log


@pytest.mark.parametrize("name", names("evaluate_real_scene"))
def test_grew_local(name):
    case, record = CASES[name], run(CASES[name])
    lines = [line for k, v in record["headline"].items() for line in (f"=={k}==", f"{v:.3f}")]
    assert lines == case["log"]
    assert list(record["headline"].values())[:2] == list(case["returned"].values())


@pytest.mark.parametrize("name", names("evaluate_Gait3D"))
def test_gait3d(name):
    case, record = CASES[name], run(CASES[name])
    assert list(record["headline"].values()) == list(case["returned"].values())
    unmatched = 1 if "nogallery" in name else 0
    assert record["conditions"]["all"]["counts"]["unmatched"] == unmatched


@pytest.mark.parametrize("name", names("GREW_submission"))
def test_grew_submission(name):
    assert run(CASES[name])["submission"]["csv"] == CASES[name]["csv"]


@pytest.mark.parametrize("name", names("evaluate_real_scene", "evaluate_Gait3D", raises=True))
def test_refused(name):
    message = "only 12 sequences" if "small" in name else "no probe identity appears"
    with pytest.raises(ValueError, match=message):
        run(CASES[name])


@pytest.mark.parametrize("name", ["oumvlp_nogallery_euc", "casiab_nogallery_cos"])
def test_default_is_the_exact_mean_and_says_what_is_hidden(name):
    exact, rounded = run(CASES[name], compat=False), run(CASES[name])
    for score, value in exact["headline"].items():
        assert abs(value - rounded["headline"][score]) < 0.01
    for entry in exact["conditions"].values():
        asked = entry["counts"]["questions"]
        found = asked - entry["counts"]["unmatched"]
        assert 0 < found < asked
        assert entry["also"]["Rank-1, probes with a match only"] > entry["scores"]["Rank-1"]


def test_default_grew_split_does_not_depend_on_folder_order():
    case = CASES["grew_euc"]
    strings = {name: np.array(text.split()) for name, text in RECORDED["sets"]["grew"].items()}
    swapped = strings | {"types": np.where(strings["types"] == "01", "02", "01")}
    x = ARRAYS["grew/embeddings"]
    first, second = (
        evaluate("grew_local", x, **s, metric=case["metric"], samples=0)["headline"]
        for s in (strings, swapped)
    )
    assert first == second
    assert "not GREW's official protocol" in run(case)["notes"][0]
