"""Intervals, verification, text, figures, report and submission."""

import json
import re
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from gaitjax.errors import DataError
from gaitjax.evaluation import evaluate, format_record
from gaitjax.evaluation.bootstrap import interval
from gaitjax.evaluation.figures import figures, save_figures, skeleton_figure
from gaitjax.evaluation.protocols.grew_submission import check_submission, submission_csv
from gaitjax.evaluation.report import write_report
from gaitjax.evaluation.task import check_inputs
from gaitjax.evaluation.verification import verification
from gaitjax.skeleton import ALPHAPOSE, COCO


def walkers(identities=8, noise=1.6, types=("00", "01"), views=("000", "015", "030")):
    rng = np.random.default_rng(0)
    key = [(f"{i:03d}", t, v) for i in range(identities) for t in types for v in views]
    x = rng.standard_normal((identities, 8, 2))[[int(k[0]) for k in key]]
    return x + noise * rng.standard_normal(x.shape), *zip(*key, strict=True)


def poses(row, joints=17):
    rng = np.random.default_rng(row)
    sequence = rng.uniform(1, 100, (20, joints, 3))
    sequence[::3, :4] = 0  # missed joints
    return sequence


@pytest.fixture(scope="module")
def record():
    return evaluate("oumvlp", *walkers())


def test_interval_covers_the_truth_and_shrinks():
    rng = np.random.default_rng(0)
    widths = {}
    for people in (20, 320):
        covered = []
        for seed in range(60):
            # People differ, their five probes agree: resampling probes would be too narrow.
            skill = rng.random(people) < 0.7
            points, labels = np.repeat(skill, 5).astype(float), np.repeat(np.arange(people), 5)
            cell = np.zeros(len(points), int)
            low, high = interval(points, labels, cell, np.array([True]), samples=300, seed=seed)
            covered.append(low - 1e-9 <= 70 <= high + 1e-9)
        widths[people] = high - low
        assert np.mean(covered) > 0.85
    assert widths[20] > 2.5 * widths[320]


def test_interval_weighs_cells_equally_and_ignores_the_others():
    labels = np.array(["a", "b"] * 6)
    cell = np.array([0] * 2 + [1] * 8 + [2] * 2)
    points = np.where(cell == 0, 1.0, np.where(cell == 1, 0.0, np.nan))
    counted = np.array([True, True, False])
    assert interval(points, labels, cell, counted) == [50.0, 50.0]
    assert interval(points[:1], labels[:1], cell[:1], counted) is None


def test_interval_of_the_headline_holds_it(record):
    low, high = record["interval"]["Rank-1"]
    assert low < record["headline"]["Rank-1"] < high
    assert evaluate("oumvlp", *walkers(), samples=0)["interval"] == {"Rank-1": None}


def test_verification_agrees_with_counting_pairs():
    x, labels, types, views = walkers()
    task = check_inputs(x, labels, types, views)
    rows = np.arange(len(x))
    v = verification(task, rows, rows, rows)  # every row against all others
    d = np.linalg.norm(x[:, None] - x[None], axis=2).mean(axis=-1)
    same = np.equal.outer(labels, labels)
    genuine, impostor = d[same & ~np.eye(len(x), dtype=bool)], d[~same]
    assert (v["same_pairs"], v["different_pairs"]) == (len(genuine), len(impostor))
    misses, false = (genuine >= v["threshold"]).mean(), (impostor < v["threshold"]).mean()
    assert misses == pytest.approx(false, abs=0.01)
    assert v["eer"] == pytest.approx(50 * (misses + false), abs=0.2)
    for kind, pairs in (("same", genuine), ("different", impostor)):
        expected, _ = np.histogram(pairs, v["edges"], density=True)
        np.testing.assert_allclose(v[kind], expected, atol=0.12 * expected.max())
    at = np.searchsorted(v["roc"]["false_accepts"], 10)
    limit = np.quantile(impostor, v["roc"]["false_accepts"][at] / 100)
    assert v["roc"]["true_accepts"][at] == pytest.approx(100 * (genuine < limit).mean(), abs=2)
    assert verification(task, rows[:1], rows[-1:]) is None


def test_record_is_json_and_text(record):
    assert json.loads(json.dumps(record)) == record
    text = format_record(record)
    assert re.search(r"Rank-1 +\d+\.\d\d +\d+\.\d\d - \d+\.\d\d +12\.50\n", text)
    assert "unmatched" in text and "identical views included" in text
    compat = format_record(evaluate("oumvlp", *walkers(), compat=True))
    assert "unmatched" not in compat and "OUMVLP" in compat


def test_views_without_probes_are_left_out_of_the_mean():
    x, labels, types, views = map(np.array, walkers())
    keep = ~((types == "00") & (views == "030"))
    record = evaluate("oumvlp", x[keep], labels[keep], types[keep], views[keep])
    by_view = record["conditions"]["NM"]["per_view"]["Rank-1"]
    assert by_view["030"] is None
    assert record["headline"]["Rank-1"] == pytest.approx((by_view["000"] + by_view["015"]) / 2)
    assert "-" in format_record(record)


def test_figures_leave_no_state_and_need_no_display(record, tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    paths = save_figures(record, tmp_path, poses=poses, untrained=record)
    assert list(paths) == ["matrix", "cmc", "distances", "roc", "det", "hardest"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths.values())
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in paths.values())
    assert dict(matplotlib.rcParams) == before
    code = "import gaitjax.evaluation.report, sys; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_figures_of_other_protocols_and_joints():
    x, labels, types, views = walkers(types=("01", "02"), identities=24)
    drawn = figures(evaluate("grew_local", x, labels, types, views), joints="alphapose",
                    poses=lambda row: poses(row, 18))  # fmt: skip
    assert set(drawn) == {"cmc", "distances", "roc", "det", "hardest"}
    for fmt in (COCO, ALPHAPOSE):
        sequences = {"a": poses(0, fmt.num_joints), "b": poses(1, fmt.num_joints)[:2]}
        skeleton_figure(sequences, fmt.name).canvas.draw()
    with pytest.raises(DataError, match="expected poses .T, 18, 3. of the format alphapose"):
        skeleton_figure({"a": poses(0, 17)}, "alphapose")


def test_report_is_one_escaped_file(record, tmp_path):
    hostile = json.loads(json.dumps(record))
    hostile["title"] = "<script>alert(1)</script>"
    page = write_report(hostile, tmp_path, details={"checkpoint": "<b>x</b>"}, poses=poses)
    text = page.read_text()
    assert "<script" not in text and "<b>" not in text and "&lt;b&gt;x" in text
    assert text.count('src="data:image/png;base64,') == 6
    assert not re.search(r'(src|href)="(?!data:)', text) and "url(" not in text
    assert f"{record['headline']['Rank-1']:.2f}" in text
    assert not list(tmp_path.glob(".*"))


def submission(**options):
    types, views = ("01", "02"), ("x", "y")
    x, labels, types, views = walkers(types=types, views=views, noise=0.1)
    views = [f"{i}{v}" for i, v in enumerate(views)]
    probes = x[:6] + 0.01
    return evaluate(
        "grew_submission",
        np.concatenate([x, probes]),
        [*labels, *["probe"] * 6],
        [*types, *["03"] * 6],
        [*views, *[f"p{i}" for i in range(6)]],
        **options,
    ), labels[:6]


def test_submission_files_and_answers(tmp_path):
    truth = tmp_path / "truth.csv"
    built, labels = submission(out_dir=tmp_path, keep_zeros=True)
    text = (tmp_path / "submission.csv").read_text()
    assert text.splitlines()[1].startswith("p0,000,000,")
    with zipfile.ZipFile(built["submission"]["zip_file"]) as archive:
        assert archive.namelist() == ["submission.csv"]
        assert archive.read("submission.csv").decode() == text
    assert not list(tmp_path.glob("*.part"))
    assert built["headline"] == {} and "server" in format_record(built)
    write_report(built, tmp_path)

    truth.write_text("videoId,subject\n" + "".join(f"p{i},{n}\n" for i, n in enumerate(labels)))
    scored, _ = submission(ground_truth=truth)
    assert set(scored["headline"].values()) == {100.0}
    assert scored["submission"]["csv"].splitlines()[1].startswith("p0,0,0,")
    wrong = {f"p{i}": int(n) + (i < 3) for i, n in enumerate(labels)}
    assert submission(ground_truth=wrong)[0]["headline"]["Rank-1"] == 50.0
    with pytest.raises(DataError, match="lacks 5 of 6 probe videos, for example 'p1'"):
        submission(ground_truth={"p0": "1"})
    truth.write_text("p0,1,2\n")
    with pytest.raises(DataError, match="truth.csv: expected lines of two columns"):
        submission(ground_truth=truth)


def test_submission_check():
    good = submission_csv(["v", "w"], np.array([["01"] * 20, ["02"] * 20]))
    check = check_submission
    check(good, ["01", "02"], ["v", "w"])
    header, v, w = good.splitlines()
    for text, message in {
        good[1:]: "the header must be videoId,rank1",
        f"{header}\n{v[:-2]}\n{w}": "line 2: expected a video and 20 identities, found 19",
        good.replace("2", "3"): "header",
        f"{header}\n{v}\n{w[:-1]}7\n": "line 3: '7' is not in the gallery",
        f"{header}\n{v}\n{v}\n": "video 'v' has 2 rows",
        f"{header}\n{v}\n": "1 probe videos have no row .w.",
    }.items():
        with pytest.raises(DataError, match=message):
            check(text, ["01", "02"], ["v", "w"])
    with pytest.raises(DataError, match="'s1' is not a number; pass keep_zeros=True"):
        submission_csv(["v"], np.array([["s1"] * 20]))
