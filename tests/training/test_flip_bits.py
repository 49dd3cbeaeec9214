"""No flipped bit of a checkpoint or a weights file is used unnoticed."""

from tests.programs import flip_bits


def test_no_flip_is_used(tmp_path):
    found = flip_bits.run(6, tmp_path, seed=1)
    assert set(found) == {"resume", "load_variables", "meta", "npz", "safetensors"}
    for name, counts in found.items():
        assert sum(counts.values()) == 6 and not counts["USED"], name
    assert found["resume"]["noticed"] and found["npz"]["noticed"]


def test_a_flip_would_be_seen(tmp_path):
    right = flip_bits.state()
    assert flip_bits.outcome(lambda: right, right) == "harmless"
    wrong = right | {"step": right["step"] + 1}
    assert flip_bits.outcome(lambda: wrong, right) == "USED"
