"""What the configs of one model share. The fields themselves stand in `gaitjax.config.fields`."""

from ml_collections import ConfigDict

from gaitjax.config import base
from gaitjax.data import sets


def _dataset(config: ConfigDict, name: str) -> ConfigDict:
    """Point `config` at a data set (`sets.VARIANTS`): name, joint format and protocol."""
    config.data.name = sets.VARIANTS[name]
    record = sets.get(config.data.name)
    config.data.joints = config.model.joints = record.joints[name]
    config.eval.protocol = record.protocol
    return config


def gaitgraph1(dataset: str) -> ConfigDict:
    """What the GaitGraph1 configs share: network, SupCon over two views, Adam, OneCycle."""
    config = base()
    config.model = ConfigDict(
        dict(
            name="gaitgraph1",
            joints="",
            dtype="float32",
            branch=(3, 64, 64, 32),
            main=(32, 128, 128, 256, 256),
            reduction=8,
            embedding_dim=256,
        )
    )
    config.train.batch_size = 128
    config.train.two_views = True
    config.augment.order = ("mirror", "flip_time", "select", "point_noise", "joint_noise")
    config.augment.mirror = 0.5
    config.augment.flip_time = 0.5
    config.augment.select = 16
    config.augment.point_noise = 0.05
    config.augment.joint_noise = 0.1
    config.loss = ConfigDict(dict(supcon_re=dict(temperature=0.01)))
    config.optimizer.weight_decay = 1e-5
    config.schedule.lr = 0.01
    config.eval.metric = "euc"
    return _dataset(config, dataset)


def gaitgraph2(dataset: str, large: bool) -> ConfigDict:
    """What the GaitGraph2 configs share; `large` is the OUMVLP and GREW network."""
    config = base()
    config.model = ConfigDict(
        dict(
            name="gaitgraph2",
            joints="",
            dtype="float32",
            branch=(5, 64, 64, 32) if large else (5, 64, 32),
            main=(32, 128, 128, 128, 256, 256, 256) if large else (32, 128, 256),
            reduction=4 if large else 8,
            embedding_dim=128,
            input_centre=None,  # centre joint of the network's input; None: the joint format's
            tta_centre=None,  # of the two other test-time views; None: the joint format's
        )
    )
    config.data.impute = "frame_mean"
    config.train.batch_size = 768
    config.augment.order = ("flip_time", "swap_sides", "joint_noise", "point_noise", "move")
    config.augment.flip_time = 0.5
    config.augment.swap_sides = 0.1
    config.augment.joint_noise = 0.25
    config.augment.point_noise = 0.05
    config.augment.move = (4.0, 1.0)
    config.loss = ConfigDict(dict(supcon_lp=dict(temperature=0.01)))
    config.optimizer.weight_decay = 1e-5
    config.schedule.lr = 0.005
    config.eval.metric = "cos"
    return _dataset(config, dataset)


def gaittr(dataset: str) -> ConfigDict:
    """What the GaitTR configs share: network, batch-all triplet, Adam, three-phase OneCycle."""
    config = base()
    config.model = ConfigDict(
        dict(
            name="gaittr",
            joints="",
            dtype="float32",
            widths=(10, 64, 64, 128, 256),
            embedding_dim=128,
            dropout=0.1,
            input_centre=None,  # centre joint of the network's input; None: the joint format's
        )
    )
    config.train.batch_size = 128
    config.train.per_identity = 4
    config.train.steps = 40_000
    config.augment.order = ("point_noise", "swap_sides", "joint_noise")
    config.augment.point_noise = 0.3
    config.augment.swap_sides = 0.1
    config.augment.joint_noise = 0.3
    config.loss = ConfigDict(dict(triplet=dict(margin=0.3)))
    config.optimizer.weight_decay = 2e-5
    config.schedule.update(lr=1e-3, three_phase=True, pct_start=0.475, div=100.0, final_div=1e3)
    config.eval.clip = "all"
    config.eval.metric = "euc"
    return _dataset(config, dataset)


def _deepgait(dataset: str, name: str, layers: tuple[int, ...]) -> ConfigDict:
    config = base()
    config.model = ConfigDict(
        dict(
            name=name,
            joints="",
            dtype="float32",
            layers=layers,
            channels=(64, 128, 256, 512),
            classes=sets.get(sets.VARIANTS[dataset]).numbers[0],
        )
    )
    config.data.impute = "knn"
    config.train.batch_size = 128
    config.train.per_identity = 4
    config.train.shuffle = True
    config.train.frames = 30
    config.train.skip = 4
    config.train.steps = 60_000
    config.augment.order = ("perspective", "horizontal_flip", "rotate")
    config.augment.perspective = 0.2
    config.augment.horizontal_flip = 0.2
    config.augment.rotate = 0.2
    config.loss = ConfigDict(
        dict(triplet=dict(margin=0.2), cross_entropy=dict(scale=16.0, smoothing=0.1))
    )
    config.optimizer.update(name="sgd", weight_decay=5e-4, momentum=0.9)
    config.schedule.update(name="multistep", lr=0.1, milestones=(20_000, 30_000, 40_000))
    config.eval.clip = "all"
    config.eval.limit = 720
    config.eval.batch_size = 16
    config.eval.metric = "euc"
    config = _dataset(config, dataset)
    config.model.joints = "coco"  # maps are drawn from COCO joints whatever the files hold
    return config


def skeletongait(dataset: str, layers: tuple[int, ...]) -> ConfigDict:
    """What the SkeletonGait configs share: maps drawn from poses, triplet + CE, SGD."""
    return _deepgait(dataset, "skeletongait", layers)


def skeletongaitpp(dataset: str, layers: tuple[int, ...]) -> ConfigDict:
    """What the SkeletonGait++ configs share: as SkeletonGait, with silhouettes."""
    config = _deepgait(dataset, "skeletongaitpp", layers)
    config.data.modality = "pose+silhouette"
    return config


def _gpgait(dataset: str, name: str, **model) -> ConfigDict:
    config = base()
    config.model = ConfigDict(dict(name=name, joints="", dtype="float32", **model))
    config.train.clip = "unordered"
    config.loss = ConfigDict(
        dict(
            triplet=dict(margin=0.3, hard=False),
            cross_entropy=dict(scale=16.0, smoothing=0.1, weight=1.0),
        )
    )
    config.optimizer.weight_decay = 2e-5
    config.schedule.update(lr=1e-3, three_phase=True, pct_start=0.475, div=100.0, final_div=1e4)
    config.eval.clip = "all"
    config.eval.metric = "euc"
    config.eval.embedding = "embed_2"
    config.eval.batch_size = 64
    config = _dataset(config, dataset)
    config.model.joints = "coco"  # descriptors are of COCO joints whatever the files hold
    return config


def gpgait(dataset: str, widths: tuple[int, ...], classes: int, shared: int = 3) -> ConfigDict:
    """What the GPGait configs share: oriented poses, unordered frames, triplet + CE, Adam."""
    return _gpgait(dataset, "gpgait", widths=widths, shared=shared, classes=classes)


def gpgaitpp(dataset: str, widths: tuple[int, ...], classes: int, masked: bool) -> ConfigDict:
    """What the GPGait++ configs share: as GPGait, on ordered frames, with dropout."""
    config = _gpgait(
        dataset, "gpgaitpp", widths=widths, classes=classes, masked=masked, dropout=0.1
    )
    config.train.clip = "ordered"
    return config
