"""The network that comes along: small, offline, and its strangers are its own."""

import json

import numpy as np
import pytest

import gaitjax
from gaitjax.data import walkers
from gaitjax.identify import networks as module
from gaitjax.identify.threshold import NOBODY

pytestmark = pytest.mark.usefixtures("quick")


def test_size_and_what_is_said_of_it():
    assert sum(file.stat().st_size for file in module.SHIPPED.iterdir()) < 3e6
    said = (module.SHIPPED / "README.md").read_text()
    assert "Licence" in said and "Limits" in said and "NSF EIA-0196217" in said


def test_walkers_never_seen_are_found_and_strangers_refused():
    """Four enrolled from two cameras, found again in another walk; five others come too."""
    gallery = gaitjax.Gallery()
    people = {n: walkers.identity(99, n, views=("000", "090")) for n in range(1, 10)}
    for n in range(1, 5):
        gallery.enrol(f"walker {n}", list(people[n][0]))
    known = gallery.threshold
    assert known.strangers.people == 400 and known.promised <= 0.01
    assert module.shipped_walkers(gallery.contents.network.fingerprint).shape[0] == 400
    assert module.shipped_walkers("another") is None
    told = gallery.identify([walk for n in people for walk in people[n][1]])
    names = [answer.candidates[0][0] for answer in told]
    right = [
        name == f"walker {n}" for n, name in zip(np.repeat(range(1, 5), 2), names[:8], strict=True)
    ]
    assert np.mean(right) > 0.6  # one in four by chance
    assert sum(answer.name is not None for answer in told[8:]) <= 1, "strangers"
    config = json.loads(gallery.model.config.to_json())
    assert config["data"]["root"] == "", "no path of the machine that trained it"


def test_other_weights_have_no_strangers_of_ours():
    other = gaitjax.load(module.SHIPPED / "weights.npz")
    leaf = other.variables["params"]["fc"]["kernel"]
    other.variables["params"]["fc"]["kernel"] = leaf + 1e-3
    gallery = gaitjax.Gallery(other)
    gallery.enrol("ann", [walkers.identity(99, 1)[0][0]])
    assert gallery.threshold.strangers == NOBODY and gallery.threshold.value == 0
