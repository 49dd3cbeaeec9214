"""Every config field with its default, and what the configs of one model share.

`base()` is the one place that lists fields: a config file or the command line may
change them, an unknown one is refused (see `gaitjax.config`).
"""

from ml_collections import ConfigDict


def base() -> ConfigDict:
    """All fields, with defaults that hold unless a config says otherwise."""
    return ConfigDict(
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
                name="",  # oumvlp, grew, gait3d, casiab, ccpg, sustech1k, walkers, cmu_walks
                root="",  # folder <id>/<type>/<view>/*.pkl
                partition="",  # OpenGait's JSON; "" uses the data set's built-in rule
                modality="pose",  # pose | map | map+silhouette
                joints="coco",  # joint format of the files
                impute="none",  # none | frame_mean | knn: missing joints, filled at packing
                cache_dir="",  # packed poses; "" is ~/.cache/gaitjax
                device_budget_gb=4.0,  # packed poses above this stay on the host
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
                remat=False,  # recompute activations in the backward pass
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
            loss=dict(),  # name -> its parameters and weight; see gaitjax.losses
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
                protocol="gallery_probe",  # see gaitjax.evaluation.protocols
                embedding="embed_1",  # embed_1 | embed_2
                gallery_types=(),
                probe_types=(),
            ),
        )
    )
