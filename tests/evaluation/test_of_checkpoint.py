"""What an evaluation says of the poses it is given: doubts, and how they differ from training."""

import json
import pickle

import jax
import pytest

from gaitjax import models, weights
from gaitjax.data import familiar
from gaitjax.data.feed import Feed
from gaitjax.evaluation.of_checkpoint import Wishes, evaluate_checkpoint
from gaitjax.sharding import make_mesh
from gaitjax.training import step
from tests.helpers import tiny

pytestmark = pytest.mark.usefixtures("quick")


def test_doubts_and_differences_are_said(tmp_path, capsys):
    """One sequence of one frame among the 64, and a network that knows people twice as large."""
    config = tiny.config(tmp_path)
    network = models.build(config)
    init = jax.jit(lambda: step.init_variables(config, network, jax.random.key(0), example))
    example = step.example_clips(config)
    path = tmp_path / "w.npz"
    metadata = {"config": json.loads(config.to_json())}
    file = sorted((tmp_path / "walkers" / "008").rglob("*.pkl"))[0]
    file.write_bytes(pickle.dumps(pickle.loads(file.read_bytes())[:1]))

    def said(**more) -> tuple[str, list[str]]:
        weights.save(path, init(), metadata | more)
        record = evaluate_checkpoint(config, path, tmp_path / "out", Wishes(figures=False))
        return capsys.readouterr().out, record["notes"]

    text, notes = said()
    doubts = "doubtful among 64 sequences: fewer than 10 frames (1); one single frame (1)"
    assert text.count(doubts) == 1
    assert text.count(familiar.UNKNOWN) == 1 and familiar.UNKNOWN in notes

    known = Feed.open(config, "test", make_mesh()).knows
    assert familiar.UNKNOWN not in said(knows=known)[0]
    known |= {"height": [2 * value for value in known["height"]]}
    text, notes = said(knows=known)
    line = next(line for line in text.splitlines() if line.startswith("note: people are"))
    assert "rescale=fit" in line and line.removeprefix("note: ") in notes
