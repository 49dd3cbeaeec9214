"""Random pose transforms: their part without chance, and what they draw.

The facts are those recorded of the reference over 2,000 to 20,000 draws. A share of n draws
may differ by five standard errors: fewer than one test in a million fails by chance, and the
keys are fixed anyway.
"""

import json
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import ConfigDict

from gaitjax import models
from gaitjax.config import base, load
from gaitjax.errors import DataError
from gaitjax.skeleton import ALPHAPOSE, COCO, bones, joint_format
from gaitjax.training import step
from gaitjax.transforms import pipeline, poses

FOLDER = Path(__file__).parents[1] / "golden"
GOLDEN = np.load(FOLDER / "transforms_poses.npz")
FACTS = json.loads((FOLDER / "random_transforms.json").read_text())
CLIPS, FRAMES = 2000, 5


def clips(n=CLIPS, frames=FRAMES, fmt=COCO):
    """Poses (n, frames, V, 3), all numbers different."""
    rng = np.random.default_rng(0)
    return jnp.asarray(rng.normal(size=(n, frames, fmt.num_joints, 3)), jnp.float32)


def apply(name, x, strength, fmt=COCO, seed=0):
    return jax.jit(lambda key, x: poses.POSE_TRANSFORMS[name](key, x, strength, fmt))(
        jax.random.key(seed), x
    )


def assert_share(hits, probability):
    """`hits` (n,) bool is a fair sample of a coin with this probability."""
    error = np.sqrt(probability * (1 - probability) / hits.size)
    assert abs(np.mean(hits) - probability) < 5 * error


@pytest.mark.parametrize(
    "case, name",
    [
        ("InversePosesPre_coco_always", "swap_sides"),
        ("InversePosesPre_alphapose_always", "swap_sides"),
        ("MirrorPoses_always", "mirror"),
        ("FlipSequence_always", "flip_time"),
    ],
)
def test_certain_transforms_equal_the_recorded(case, name):
    fmt = ALPHAPOSE if "alphapose" in case else COCO
    found = apply(name, jnp.asarray(GOLDEN[f"{case}/in"])[None], 1.0, fmt)[0]
    np.testing.assert_allclose(found, GOLDEN[f"{case}/out"], rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("name", ["flip_time", "swap_sides", "mirror"])
def test_probability_zero_changes_nothing(name):
    x = clips(20)
    np.testing.assert_array_equal(apply(name, x, 0.0), x)


def test_time_is_flipped_per_clip():
    x = clips()
    out = np.asarray(apply("flip_time", x, 0.5))
    flipped = (out == x[:, ::-1]).all(axis=(1, 2, 3))
    assert (flipped | (out == x).all(axis=(1, 2, 3))).all()
    assert FACTS["FlipSequence"]["probability"] == 0.5
    assert_share(flipped, 0.5)


def test_sides_are_swapped_per_frame():
    x, facts = clips(frames=10), FACTS["InversePosesPre"]
    out = np.asarray(apply("swap_sides", x, facts["probability"]))
    swapped = (out == x[:, :, jnp.array(COCO.swap)]).all(axis=(2, 3))
    assert (swapped | (out == x).all(axis=(2, 3))).all()
    assert_share(swapped, facts["probability"])
    # How many of 10 frames were swapped, as often as in the reference.
    ours = np.bincount(swapped.sum(axis=1), minlength=11) / CLIPS
    theirs = np.array(facts["flipped_frames_of_10_histogram"]) / 2000
    assert np.abs(ours - theirs).max() < 5 * np.sqrt(2 * 0.25 / CLIPS)


def test_mirror_takes_all_frames_of_a_clip():
    x = clips()
    out = np.asarray(apply("mirror", x, 0.5))
    expected = 2 * x[..., 0].mean(axis=-1, keepdims=True) - x[..., 0]
    mirrored = np.abs(out[..., 0] - expected).max(axis=-1) < 1e-5  # (clips, frames)
    assert (mirrored.all(axis=1) | (out == x).all(axis=(1, 2, 3))).all()
    np.testing.assert_array_equal(out[..., 1:], x[..., 1:])
    assert_share(mirrored.all(axis=1), FACTS["MirrorPoses"]["probability"])


def test_joint_noise_is_constant_over_the_clip():
    facts = FACTS["JointNoise"]
    noise = np.asarray(apply("joint_noise", jnp.zeros((CLIPS, FRAMES, 17, 3)), 0.25))
    assert facts["std_argument"] == 0.25 and facts["max_difference_between_frames"] == 0
    assert (noise == noise[:, :1]).all()
    assert (noise[..., 2] == 0).all() and facts["std_xyc"][2] == 0
    drawn = noise[:, 0, :, :2].reshape(-1, 2)
    np.testing.assert_allclose(drawn.std(axis=0), facts["std_xyc"][:2], rtol=0.02)
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=5 * 0.25 / np.sqrt(len(drawn)))
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 5 / np.sqrt(len(drawn))


def test_point_noise_is_drawn_for_every_number():
    facts = FACTS["PointNoise"]
    noise = np.asarray(apply("point_noise", jnp.zeros((CLIPS, FRAMES, 17, 3)), 0.05))
    drawn = noise.reshape(-1, 3)
    assert facts["std_argument"] == 0.05
    np.testing.assert_allclose(drawn.std(axis=0), facts["std_xyc"], rtol=0.02)
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=5 * 0.05 / np.sqrt(len(drawn)))
    frames = noise[:, :2].reshape(CLIPS, 2, -1)
    between = np.corrcoef(frames[:, 0].ravel(), frames[:, 1].ravel())[0, 1]
    assert abs(between) < 5 / np.sqrt(frames[:, 0].size)


def test_move_shifts_the_whole_clip():
    facts = FACTS["RandomMove"]
    reach = tuple(float(r) for r in facts["random_r"])
    shift = np.asarray(apply("move", jnp.zeros((20 * CLIPS, 2, 17, 3)), reach))
    assert (shift == shift[:, :1, :1]).all() and (shift[..., 2] == 0).all()
    drawn = shift[:, 0, 0, :2]
    assert (np.abs(drawn) <= reach).all()
    np.testing.assert_allclose(drawn.min(axis=0), facts["min_xyc"][:2], rtol=2e-3)
    np.testing.assert_allclose(drawn.max(axis=0), facts["max_xyc"][:2], rtol=2e-3)
    np.testing.assert_allclose(drawn.std(axis=0), facts["expected_std_xy"], rtol=0.02)
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 5 / np.sqrt(len(drawn))


def test_select_never_draws_the_last_start():
    facts = FACTS["RandomSelectSequence"]
    length, taken = facts["length"], facts["sequence_length"]
    x = jnp.broadcast_to(jnp.arange(length)[:, None, None], (9000, length, 1, 3)).astype(float)
    out = np.asarray(apply("select", x, taken))[:, :, 0, 0]
    assert out.shape == (9000, taken) and (np.diff(out, axis=1) == 1).all()
    starts = np.bincount(out[:, 0].astype(int), minlength=length - taken + 1)
    assert starts[-1] == 0 and facts["start_histogram"][-1] == 0
    for count in starts[:-1]:
        assert abs(count / 9000 - 1 / 9) < 5 * np.sqrt(1 / 9 * 8 / 9 / 9000)


@pytest.mark.parametrize("frames", [15, 16])
def test_select_needs_a_longer_clip(frames):
    assert FACTS["RandomSelectSequence"][f"data of {frames} frames"] == "ValueError"
    with pytest.raises(ValueError, match=f"but train.frames={frames}; set .* at least 17"):
        poses.select(jax.random.key(0), clips(1, frames), 16, COCO)


def two_views(order, leak, n=CLIPS, **strengths):
    augment = base().augment
    augment.update(order=order, **strengths)
    x = clips(n)
    views = jax.jit(
        lambda key, x: poses.two_views(key, x, order, augment, COCO, leak=leak)
    )(jax.random.key(3), x)  # fmt: skip
    return np.asarray(x), *np.split(np.asarray(views), 2)


@pytest.mark.parametrize("leak", [False, True])
def test_the_second_view_starts_from_the_first_ones_swaps_if_they_leak(leak):
    """18 % of its frames are swapped then, instead of 10 %."""
    order = ("swap_sides", "flip_time")
    x, a, b = two_views(order, leak, swap_sides=0.1, flip_time=0.0)
    swapped = [(v == x[:, :, list(COCO.swap)]).all(axis=(2, 3)) for v in (a, b)]
    facts = FACTS["TwoView_InversePosesPre_then_copying_transform"]
    assert_share(swapped[0], 0.1)
    assert_share(swapped[1], 0.18 if leak else 0.1)
    assert abs(facts["fraction_second_view"] - 0.18) < 0.01
    joint = np.corrcoef(swapped[0].ravel(), swapped[1].ravel())[0, 1]
    if leak:  # second = first XOR a draw of its own
        own = swapped[0] ^ swapped[1]
        assert_share(own, 0.1)
        assert joint > 0.3
    else:
        assert abs(joint) < 5 / np.sqrt(swapped[0].size)


@pytest.mark.parametrize("leak", [False, True])
def test_a_fair_mirror_stays_fair_in_the_second_view(leak):
    x, a, b = two_views(("mirror", "flip_time"), leak, mirror=0.5, flip_time=0.0)
    mirrored = [np.abs(v - x).max(axis=(1, 2, 3)) > 1e-3 for v in (a, b)]
    for hits in mirrored:
        assert_share(hits, 0.5)
    assert abs(np.corrcoef(*mirrored)[0, 1]) < 5 / np.sqrt(CLIPS)


def test_a_copying_transform_in_front_stops_the_leak():
    order = ("flip_time", "swap_sides")
    x, _, b = two_views(order, True, swap_sides=0.1, flip_time=0.0)
    assert_share((b == x[:, :, list(COCO.swap)]).all(axis=(2, 3)), 0.1)


def test_views_have_their_own_draws():
    x, a, b = two_views(("joint_noise",), False, 50, joint_noise=1.0)
    noise = np.stack([a - x, b - x]).reshape(2, -1)
    assert abs(np.corrcoef(noise)[0, 1]) < 0.1


def test_order_and_key_decide_the_draws():
    order, x = ("mirror", "point_noise"), clips(8)
    strengths = ConfigDict(dict(mirror=0.5, point_noise=0.1))
    run = jax.jit(lambda key: poses.augment(key, x, order, strengths, COCO))
    one, again, other = run(jax.random.key(0)), run(jax.random.key(0)), run(jax.random.key(1))
    np.testing.assert_array_equal(one, again)
    assert (np.asarray(one) != other).all()


@pytest.mark.parametrize("name", ["gaitgraph1_casiab", "gaitgraph2_oumvlp", "gaittr_oumvlp"])
def test_train_input_is_poses(name):
    config = load(name)
    fmt = joint_format(config.model.joints)
    key, x = jax.random.key(0), {"poses": clips(4, 61, fmt)}
    make = partial(pipeline.train_input, config, models.build(config), key)
    two = (8, config.augment.select) if config.train.two_views else (4, 61)
    assert jax.eval_shape(make, x).shape == (*two, fmt.num_joints, 3)


@pytest.mark.parametrize(
    ("name", "modality", "error"),
    [
        ("gaitgraph2_grew", "map", "takes poses, but data.modality=map gives maps"),
        ("skeletongait_grew", "pose+silhouette", "takes maps, but .* gives maps and silhouettes"),
        ("skeletongaitpp_grew", "pose", "takes maps and silhouettes, but .*=pose gives maps"),
    ],
)
def test_a_modality_that_the_network_does_not_take_is_named(name, modality, error):
    config = load(name)
    config.data.modality = modality
    with pytest.raises(DataError, match=error):
        step.variable_shapes(config, models.build(config))


def test_without_augmentation_training_sees_what_evaluation_sees():
    config = load("gaittr_gait3d")
    config.train.augment = False
    x = {"poses": clips(2)}
    model = models.build(config)
    train = pipeline.train_input(config, model, jax.random.key(0), x)
    np.testing.assert_array_equal(train, pipeline.eval_input(config, model, x))


def test_centre_window_of_the_reference():
    """Evaluation's centre sub-window starts where SelectSequenceCenter starts."""
    from gaitjax.evaluation import embedding
    from gaitjax.evaluation.batches import Bounds

    config = load("gaitgraph1_oumvlp")
    for total, taken in ((9, 4), (9, 5), (8, 4), (8, 5), (9, 9)):
        config.eval.update(frames=total, select=taken)
        recorded = GOLDEN[f"SelectSequenceCenter_{taken}_of_{total}/out"]
        source = GOLDEN[f"SelectSequenceCenter_{taken}_of_{total}/in"]
        cut = embedding.cut_up(config, None, np.array([total]), Bounds(total, 1))
        index = cut.clips(cut.batches[0])[1][0]
        np.testing.assert_allclose(source[index], recorded)


def test_stretch_is_one_affine_map_a_clip_about_its_middle():
    x = clips(n=200).at[:, 0, 3, :2].set(0)  # missed: stays
    found = np.asarray(apply("stretch", x, (0.3, 0.1)))
    assert (found[..., 2] == np.asarray(x)[..., 2]).all()
    assert (found[:, 0, 3, :2] == 0).all()
    seen = (np.asarray(x)[..., :2] != 0).any(axis=-1)
    factors = []
    for before, after, ok in zip(np.asarray(x)[..., :2], found[..., :2], seen, strict=True):
        offset = before[ok] - before[ok].mean(axis=0)
        matrix = np.linalg.lstsq(offset, after[ok] - before[ok].mean(axis=0), rcond=None)[0].T
        np.testing.assert_allclose(
            offset @ matrix.T + before[ok].mean(axis=0), after[ok], atol=1e-4
        )
        np.testing.assert_allclose(matrix[1, 0], 0, atol=1e-5)
        x_scale, y_scale = np.log(np.diag(matrix))
        size, form = (x_scale + y_scale) / 2, (x_scale - y_scale) / 2
        factors.append((size, form, matrix[0, 1] / matrix[0, 0]))
    size, form, shear = np.abs(factors).max(axis=0)
    assert 0.28 < size < 0.3 + 1e-5 and 0.09 < form < 0.1 + 1e-5 and 0.09 < shear < 0.1 + 1e-5


def test_bodies_of_a_batch_are_people_with_limbs_of_their_own():
    """Lengths change by one factor a bone and label; directions and the pelvis stay."""
    x = clips(n=60, frames=2).at[0, 0, COCO.joints.index("left_knee"), :2].set(0)
    labels = jnp.arange(60) % 30
    key = jax.random.key(0)
    found = jax.jit(lambda x: poses.bodies(key, x, labels, 0.2, COCO))(x)
    assert (found[0, 0, COCO.joints.index("left_knee"), :2] == 0).all()
    assert (found[..., 2] == x[..., 2]).all()

    def vectors(poses):
        xy = np.asarray(poses)[..., :2]
        middles = [xy[:, :, pair].mean(axis=2, keepdims=True) for pair in bones.middles(COCO)]
        points = np.concatenate([xy, *middles], axis=2)
        return points[:, :, :-1] - points[:, :, bones.starts(COCO)], middles[1]

    (before, pelvis), (after, same) = vectors(x[1:]), vectors(found[1:])
    np.testing.assert_allclose(same, pelvis, atol=1e-5)
    factor = (before * after).sum(axis=-1) / (before**2).sum(axis=-1)
    np.testing.assert_allclose(after, factor[..., None] * before, atol=1e-4)
    of_clip = factor[:, 0]
    np.testing.assert_allclose(factor[:, 1], of_clip, rtol=1e-3)
    np.testing.assert_allclose(of_clip[:29], of_clip[30:], rtol=1e-3)  # one person, two clips
    np.testing.assert_allclose(of_clip, of_clip[:, bones.mirrored(COCO)], rtol=1e-3)
    drawn = np.log(of_clip[:29])[:, [0, 1, 3, 5, 7, 9, 11, 13, 15, 17]]  # one of each side
    assert drawn.std() == pytest.approx(0.2, abs=5 * 0.2 / np.sqrt(2 * drawn.size))
    assert abs(drawn.mean()) < 5 * 0.2 / np.sqrt(drawn.size)


def test_bodies_come_before_normalisation_and_only_where_augmented():
    config = load("gaittr_cmu_walks")
    config.augment.update(order=(), bodies=0.3)
    config.data.normalise = "centred"
    model = models.build(config)
    batch = {"poses": clips(n=4), "labels": jnp.arange(4)}
    trained = pipeline.train_input(config, model, jax.random.key(0), batch)
    plain = pipeline.eval_input(config, model, batch)
    assert np.abs(trained - plain).max() > 1
    np.testing.assert_allclose(np.ptp(np.asarray(trained)[..., 1], axis=-1), 225, rtol=1e-4)
    config.train.augment = False
    same = pipeline.train_input(config, model, jax.random.key(0), batch)
    assert (same == plain).all()


def test_what_another_camera_shows_is_normalised_too():
    """Normalised after the stretch: bodies come out of one height, and of another form."""
    config = load("gaittr_cmu_walks")
    config.augment.update(order=("stretch",), stretch=(0.3, 0.2))
    config.data.normalise = "centred"
    model, batch = models.build(config), {"poses": clips(n=4)}
    trained = pipeline.train_input(config, model, jax.random.key(0), batch)
    plain = pipeline.eval_input(config, model, batch)
    np.testing.assert_allclose(np.ptp(np.asarray(trained)[..., 1], axis=-1), 225, rtol=1e-4)
    assert np.abs(trained - plain).max() > 5
    config.augment.stretch = (0.3, 0.0)  # the size alone, which normalisation takes away
    same = pipeline.train_input(config, model, jax.random.key(0), batch)
    np.testing.assert_allclose(same, plain, atol=0.01)
