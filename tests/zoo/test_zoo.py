"""The table of released weights."""

import importlib
import re

import pytest

from gaitjax import config as configs
from gaitjax import zoo
from gaitjax.evaluation.protocols import PROTOCOLS
from gaitjax.zoo import numbers
from gaitjax.zoo.__main__ import main


def test_entries_name_configs_and_protocols():
    assert len(zoo.ZOO) == 15
    for name, entry in zoo.ZOO.items():
        config = configs.load(name)
        assert entry.embedding == config.eval.embedding
        assert set(entry.published) <= set(PROTOCOLS)
        assert config.eval.protocol.partition("_")[0] == [*entry.published][0].partition("_")[0]
        assert not entry.folder.endswith(("/", "checkpoints"))


@pytest.mark.parametrize("name", configs.names())
def test_configs_state_the_numbers_of_the_record(name):
    about = importlib.import_module(f"configs.{name}").__doc__
    stated = " ".join(about.partition("Published Rank-1: ")[2].split()).partition(" (")
    published = [n.published for n in numbers.of(name).values() if n.published is not None]
    assert [float(x) for x in re.findall(r"\d+\.\d+", stated[0])] == published


def test_numbers_are_whole():
    """Each is somebody's, in percent; ours say of which runs and at which commit."""
    keys = [(n.config, n.score, n.variant) for n in numbers.read()]
    assert len(set(keys)) == len(keys)
    for n in numbers.read():
        assert n.config in configs.names() or n.config == "limb lengths"
        assert n.protocol in PROTOCOLS and n.score
        assert n.published is not None or n.ours is not None
        assert bool(n.by) == (n.published is not None)
        assert (n.ours is None) or (n.seeds and re.fullmatch("[0-9a-f]{7,40}", n.commit))
        values = [n.published, n.ours, n.untrained, n.chance, *(n.interval or ())]
        assert all(0 <= v <= 100 for v in values if v is not None)


def test_list_and_show(capsys):
    assert main(["list"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(zoo.ZOO)
    assert len({line.index("embed_1") for line in lines} | {head.index("embedding")}) == 1
    assert main(["show", "gaitgraph2_grew"]) == 0
    said = capsys.readouterr().out
    assert "https://huggingface.co/opengait/OpenGait/tree/main/GREW/GaitGraph2/GaitGraph2" in said
    assert "Rank-1 34.61 (grew_submission)" in said
    assert "python -m converters.opengait --zoo gaitgraph2_grew --output" in said
    assert main(["show", "gaitgraph3_grew"]) == 1
    assert "did you mean gaitgraph2_grew" in capsys.readouterr().err


def test_markdown_table(capsys):
    main(["table"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 15
    assert all(line.count("|") == 6 for line in lines)
    assert "| 34.61 |  |" in next(line for line in lines if "`gaitgraph2_grew`" in line)
