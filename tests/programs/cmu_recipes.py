"""Recipes compared on the CMU walks, on cameras that were not trained on (docs/cmu_walks.md).

    python -m tests.programs.cmu_recipes --data DATA --out OUT --source CMU
    python -m tests.programs.cmu_recipes --data DATA --out OUT [--seeds 0 1 2] [--only NAME ...]
    python -m tests.programs.cmu_recipes --data DATA --out OUT --numbers COMMIT

The first prepares the data sets below in DATA from the files of the database in CMU. The second
trains every recipe for about 100 seconds of one core, in OUT, scores it on every test set, and adds
a line to OUT/results.jsonl; what stands there is not run again. The third prints the lines for
gaitjax/zoo/numbers.json.
"""

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from gaitjax import config as configs
from gaitjax import models, sharding, train
from gaitjax.evaluation import probes
from gaitjax.evaluation.trial import open_trial
from gaitjax.prepare import __main__ as prepare
from gaitjax.skeleton import joint_format
from gaitjax.training import checkpoint

OTHERS = "--cameras 015,045,075,135,225,315"
DATA = {  # name -> options of the preparation
    "six": "",
    "round": f"--cameras {','.join(f'{a:03d}' for a in range(0, 360, 10))} --vary --seed 4",
    "azimuths": f"{OTHERS} --seed 1",
    "sizes": "--focal 300 --height 2.5 --distance 10 --seed 2",
    "varied": f"{OTHERS} --vary --seed 3",
}
TESTS = ("six", "azimuths", "sizes", "varied")
SCORE = "Rank-1 across views"

COMMON = (
    "data.impute=interpolate eval.gallery_types=('00',) train.log_every=20 train.save_every=9999 "
    "train.batch_size=28 train.per_identity=4 train.frames=30"
)
# Steps that take about 100 seconds of one core.
GG2 = "gaitgraph2_cmu_walks train.steps=160 eval.frames=60"
GTR = "gaittr_cmu_walks train.steps=240"
GPG = (
    "gpgait_casiab data.name=cmu_walks model.widths=(32,32,64) model.shared=2 model.classes=7 "
    "eval.protocol=gallery_probe train.steps=120 schedule.lr=3e-3"
)
SKG = "skeletongait_cmu_walks train.steps=120"
FIT, CENTRED, ORIENTED = "data.rescale=fit", "data.normalise=centred", "data.normalise=oriented"
BODIES = "augment.bodies=0.1"
STRETCH = (
    "augment.order=('point_noise','swap_sides','stretch','joint_noise') augment.stretch=(0.1,0.2)"
)

RECIPES = {  # name -> a packaged config, what it changes, and `root=` the data it trains on
    "gg2 centred": f"{GG2} {CENTRED}",
    "gg2 fit": f"{GG2} {FIT}",
    "gtr centred": f"{GTR} {CENTRED}",
    "gtr centred, round": f"{GTR} {CENTRED} root=round",
    "gtr centred, bodies": f"{GTR} {CENTRED} {BODIES}",
    "gtr fit": f"{GTR} {FIT}",
    "gpg centred": f"{GPG} {CENTRED}",
    "gtr centred, round, bodies": f"{GTR} {CENTRED} {BODIES} root=round",
    "gtr oriented": f"{GTR} {ORIENTED}",
    "gtr centred, stretch": f"{GTR} {CENTRED} {STRETCH}",
    "gtr centred, ema": f"{GTR} {CENTRED} train.ema=0.98",
    "gtr": f"{GTR}",
    "skg": f"{SKG}",
}


def settings(recipe: str) -> tuple[ConfigDict, str]:
    """The config of a recipe and the data set that it trains on."""
    name, *changes = recipe.split()
    roots = [change.removeprefix("root=") for change in changes if change.startswith("root=")]
    changes = [c for c in COMMON.split() + changes if not c.startswith("root=")]
    config = configs.from_arguments(name, [f"--config.{change}" for change in changes])
    return config, (roots or ["six"])[0]


def run(name: str, seed: int, data: Path, out: Path) -> dict:
    """Train a recipe and score it on every test set."""
    config, root = settings(RECIPES[name])
    config.seed, config.data.root = seed, str(data / root)
    workdir = out / f"{name.replace(' ', '_')}-{seed}"
    begin = time.process_time()
    train.train(config, workdir)
    seconds = round(time.process_time() - begin)
    variables, metadata = checkpoint.load_variables(workdir)
    line = {"recipe": name, "seed": seed, "settings": RECIPES[name], "cpu_seconds": seconds}
    return line | scored(config, data, variables, metadata.get("knows"))


def scored(config: ConfigDict, data: Path, variables: dict | None, known: dict | None) -> dict:
    """The score and its interval on every test set; of limb ratios without `variables`."""
    line, mesh, model = {}, sharding.make_mesh(), models.build(config)
    for test in TESTS:
        config.data.root = str(data / test)
        trial = open_trial(config, model, mesh, known)
        if variables is None:
            feed, fmt = trial.feed, joint_format(config.model.joints)
            rows = [probes.limb_ratios(feed.poses(row), fmt) for row in range(len(feed.labels))]
            record = trial.score(np.stack(rows).astype(np.float32)[..., None])
        else:
            record = trial.record(variables)
        line |= {test: record["headline"][SCORE], f"{test} interval": record["interval"][SCORE]}
    return line


def numbers(lines: list[dict], commit: str) -> list[dict]:
    """Lines of numbers.json: means over the seeds, of the scores and of the intervals' ends."""
    of_recipe = defaultdict(list)
    for line in lines:
        of_recipe[line["settings"]].append(line)
    found = []
    for recipe, runs in of_recipe.items():
        config, *changes = [recipe] if recipe == "limb lengths" else recipe.split()
        for test in TESTS:
            found.append(
                {
                    "config": config,
                    "variant": " ".join([*changes, "@", test]),
                    "protocol": "gallery_probe",
                    "score": SCORE,
                    "ours": round(float(np.mean([run[test] for run in runs])), 1),
                    "interval": [
                        round(float(np.mean([run[f"{test} interval"][end] for run in runs])), 1)
                        for end in (0, 1)
                    ],
                    "seeds": [run["seed"] for run in runs],
                    "commit": commit,
                }
            )
    return found


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--source")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="+", default=list(RECIPES))
    parser.add_argument("--numbers", metavar="COMMIT")
    args = parser.parse_args(argv)
    if args.source:
        for name, options in DATA.items():
            where = ["--source", args.source, "--output", str(args.data / name)]
            prepare.main(["cmu_walks", *where, *options.split()])
        return
    sharding.start(False)
    args.out.mkdir(parents=True, exist_ok=True)
    results = args.out / "results.jsonl"
    lines = [json.loads(t) for t in results.read_text().splitlines()] if results.exists() else []
    if args.numbers:
        plain = {"settings": "limb lengths", "seed": 0}
        plain |= scored(settings(GTR)[0], args.data, None, None)
        for line in numbers([*lines, plain], args.numbers):
            print(json.dumps(line))
        return
    for seed in args.seeds:
        for name in args.only:
            if not any((line["recipe"], line["seed"]) == (name, seed) for line in lines):
                with results.open("a") as file:
                    file.write(json.dumps(run(name, seed, args.data, args.out)) + "\n")


if __name__ == "__main__":
    main()
