"""Every config field with its default, and what the configs of one model share.

`base()` is the one place that lists fields: a config file or the command line may
change them, an unknown one is refused (see `gaitjax.config`).
"""

from ml_collections import ConfigDict

from gaitjax import skeleton
from gaitjax.data import sets


def base() -> ConfigDict:
    """All fields, with defaults that hold unless a config says otherwise."""
    config = ConfigDict(
        dict(
            seed=0,
            compat=False,  # reproduce the reference's defects too (docs: compat switch)
            init_from="",  # weights .npz or work directory to start from
            init_strict=True,  # False: load what fits by name and shape, list the rest
            model=dict(
                name="",
                joints="coco",  # joint format the network works on
                dtype="float32",  # compute type; parameters and losses stay float32
            ),
            data=dict(
                name="",  # oumvlp, grew, gait3d, casiab, ccpg, sustech1k, walkers, cmu_walks, own
                root="",  # folder <id>/<type>/<view>/*.pkl
                partition="",  # OpenGait's JSON; "" uses the data set's built-in rule
                links="follow",  # follow | refuse: symbolic links that lead out of root
                modality="pose",  # pose | map | pose+silhouette | map+silhouette
                joints="coco",  # joint format of the files
                # Missing joints, filled at packing: none, frame_mean, interpolate (over time), knn.
                impute="none",
                impute_test="",  # the same for the test set; "" is as `impute`
                cache_dir="",  # packed poses; "" is ~/.cache/gaitjax
                device_budget_gb=4.0,  # packed poses above this stay on the host
                image_cache_gb=4.0,  # maps and silhouettes kept in host memory once read
            ),
            train=dict(
                steps=0,
                batch_size=0,  # over all devices and hosts
                per_identity=0,  # K of P x K sampling (P = batch_size / K); 0: uniform subset
                shuffle=False,  # shuffle the P x K list
                clip="ordered",  # ordered | unordered
                frames=60,
                skip=0,  # ordered: choose `frames` of `frames + skip` consecutive ones
                two_views=False,  # augment every clip twice (GaitGraph1)
                augment=True,  # False: no random transform
                freeze=(),  # parameter path prefixes kept fixed
                clip_norm=0.0,  # gradient clipping by global norm; 0: off
                ema=0.0,  # decay of the parameter average used for evaluation; 0: off
                log_every=50,
                save_every=1000,
                save_minutes=10.0,  # also save after this long; 0: off
                keep=3,  # checkpoints kept
                keep_best="",  # evaluation metric whose best checkpoint is kept too
                eval_every=0,  # 0: only at the end, if a test set exists
                remat=False,  # keep products only for the backward pass, recompute the rest
                steps_per_dispatch=1,  # steps in one program: less waiting on fast devices
            ),
            # Random transforms in order; each name in `order` has its strength below.
            augment=dict(
                order=(),
                flip_time=0.0,  # probability, per clip
                swap_sides=0.0,  # probability, per frame: exchange left and right joints
                mirror=0.0,  # probability, per clip: x -> 2 mean(x) - x
                joint_noise=0.0,  # standard deviation, pixels, per joint and clip
                point_noise=0.0,  # standard deviation, per joint, frame and channel
                move=(0.0, 0.0),  # largest shift in x and y, pixels, per clip
                select=0,  # frames of a random sub-window
                perspective=0.0,  # probability, per clip (maps)
                horizontal_flip=0.0,  # probability, per clip (maps)
                rotate=0.0,  # probability, per clip (maps)
            ),
            loss=dict(),  # name -> its parameters and weight; see gaitjax.training.losses
            optimizer=dict(name="adam", weight_decay=0.0, momentum=0.9),
            schedule=dict(
                name="onecycle",  # onecycle | multistep
                lr=1e-3,  # peak (onecycle) or first (multistep) learning rate
                three_phase=False,
                pct_start=0.3,
                div=25.0,
                final_div=1e4,
                milestones=(),  # multistep: lr *= 0.1 at these steps
            ),
            eval=dict(
                batch_size=256,
                clip="ordered",  # ordered: one window of `frames`; all: every frame
                frames=60,
                limit=0,  # all: at most this many first frames; 0: no limit
                select=0,  # centre sub-window after the window (GaitGraph1); 0: off
                window="center",  # center | random | mean
                metric="euc",  # euc | cos
                half=False,  # distances in float16, as the reference under mixed precision
                protocol="gallery_probe",  # see gaitjax.evaluation.protocols
                embedding="embed_1",  # embed_1 | embed_2
                gallery_types=(),
                probe_types=(),
            ),
        )
    )
    return config.lock()


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
            input_centre=0,  # centre joint of the network's input
            tta_centre=0,  # of the two other test-time views: the joint format's centre
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
    config = _dataset(config, dataset)
    config.model.tta_centre = skeleton.joint_format(config.model.joints).centre
    return config


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
            input_centre=0,  # centre joint of the network's input
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


def _deepgait(dataset: str, name: str, classes: int, layers: tuple[int, ...]) -> ConfigDict:
    config = base()
    config.model = ConfigDict(
        dict(
            name=name,
            joints="",
            dtype="float32",
            layers=layers,
            channels=(64, 128, 256, 512),
            classes=classes,  # identities of the training set
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


def skeletongait(dataset: str, classes: int, layers: tuple[int, ...]) -> ConfigDict:
    """What the SkeletonGait configs share: maps drawn from poses, triplet + CE, SGD."""
    return _deepgait(dataset, "skeletongait", classes, layers)


def skeletongaitpp(dataset: str, classes: int, layers: tuple[int, ...]) -> ConfigDict:
    """What the SkeletonGait++ configs share: as SkeletonGait, with silhouettes."""
    config = _deepgait(dataset, "skeletongaitpp", classes, layers)
    config.data.modality = "pose+silhouette"
    return config
