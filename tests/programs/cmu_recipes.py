"""Recipes compared on the CMU walks, on cameras that were not trained on (docs/cmu_walks.md).

    python -m tests.programs.cmu_recipes --data DATA --out OUT --source CMU
    python -m tests.programs.cmu_recipes --data DATA --out OUT [--seeds 0 1 2] [--only NAME ...]
    python -m tests.programs.cmu_recipes --data DATA --out OUT --exchange --only NAME
    python -m tests.programs.cmu_recipes --data DATA --out OUT --probes --only NAME ...
    python -m tests.programs.cmu_recipes --data DATA --out OUT --numbers COMMIT

The first prepares the data sets below in DATA from the files of the database in CMU. The second
trains every recipe for about 100 seconds of one core, in OUT, scores it on every test set, and adds
a line to OUT/results.jsonl; what stands there is not run again. The third trains on the people of
the test sets and scores on those of training, by whom nothing was chosen. The fourth runs
`gaitjax.evaluate --probes` on what was trained with seed 0. The last prints the lines for
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
from gaitjax import evaluate, models, sharding, train
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
GG1 = "gaitgraph1_cmu_walks train.steps=80 train.frames=40"
GG2 = "gaitgraph2_cmu_walks train.steps=160 eval.frames=60"
GTR = "gaittr_cmu_walks train.steps=240"
LONG = "gaittr_cmu_walks train.steps=720"  # no candidate: three times the budget
SMALL = "data.name=cmu_walks model.classes=7 eval.protocol=gallery_probe schedule.lr=3e-3"
GPG = f"gpgait_casiab {SMALL} model.widths=(32,32,64) model.shared=2 train.steps=120"
GPP = f"gpgaitpp_casiab {SMALL} model.widths=(32,32,32,64) train.steps=40"
SKG = (
    "skeletongait_cmu_walks train.steps=120 train.batch_size=14 train.per_identity=2 train.frames=8"
)
FIT, CENTRED, ORIENTED = "data.rescale=fit", "data.normalise=centred", "data.normalise=oriented"
BODIES = "augment.bodies=0.1"
STRETCH = (
    "augment.order=('point_noise','swap_sides','stretch','joint_noise') augment.stretch=(0.1,0.2)"
)

ROUND = "root=round"
SLOW = {"skg": 8, "gpp centred": 30}  # probed on their first frames, as many as trained on
RECIPES = {  # name -> a packaged config, what it changes, and `root=` the data it trains on
    "gg1 centred": f"{GG1} {CENTRED}",
    "gg2 centred": f"{GG2} {CENTRED}",
    "gg2 fit": f"{GG2} {FIT}",
    "gtr": GTR,
    "gtr centred": f"{GTR} {CENTRED}",
    "gtr fit": f"{GTR} {FIT}",
    "gtr oriented": f"{GTR} {ORIENTED}",
    "gtr centred, round": f"{GTR} {CENTRED} {ROUND}",
    "gtr centred, bodies": f"{GTR} {CENTRED} {BODIES}",
    "gtr centred, stretch": f"{GTR} {CENTRED} {STRETCH}",
    "gtr centred, ema": f"{GTR} {CENTRED} train.ema=0.98",
    "gtr centred, round, bodies": f"{GTR} {CENTRED} {BODIES} {ROUND}",
    "gtr oriented, round": f"{GTR} {ORIENTED} {ROUND}",
    "gtr centred, round, stretch": f"{GTR} {CENTRED} {STRETCH} {ROUND}",
    "gtr oriented, round, long": f"{LONG} {ORIENTED} {ROUND}",
    "gtr oriented, round, bodies, long": f"{LONG} {ORIENTED} {BODIES} {ROUND}",
    "gpg centred": f"{GPG} {CENTRED}",
    "gpg centred, round": f"{GPG} {CENTRED} {ROUND}",
    "gpp centred": f"{GPP} {CENTRED}",
    "skg": SKG,
    "skg, round": f"{SKG} {ROUND}",
}


def arguments(recipe: str) -> tuple[str, list[str], str]:
    """The packaged config of a recipe, its changes as a command takes them, and its data set."""
    name, *changes = recipe.split()
    roots = [change.removeprefix("root=") for change in changes if change.startswith("root=")]
    changes = [c for c in COMMON.split() + changes if not c.startswith("root=")]
    return name, [f"--config.{change}" for change in changes], (roots or ["six"])[0]


def settings(recipe: str) -> tuple[ConfigDict, str]:
    """The config of a recipe and the data set that it trains on."""
    name, changes, root = arguments(recipe)
    return configs.from_arguments(name, changes), root


def folder(out: Path, name: str, seed: int, exchange: bool = False) -> Path:
    """The work directory of a run."""
    return out / f"{name.replace(' ', '_')}-{seed}{'-exchanged' * exchange}"


def exchanged(data: Path, out: Path) -> Path:
    """A partition that trains on the people of the test sets and tests on those of training."""
    sets = json.loads((data / "six" / "partition.json").read_text())
    path = out / "exchanged.json"
    path.write_text(json.dumps({"TRAIN_SET": sets["TEST_SET"], "TEST_SET": sets["TRAIN_SET"]}))
    return path


def run(name: str, seed: int, data: Path, out: Path, exchange: bool = False) -> dict:
    """Train a recipe and score it on every test set."""
    config, root = settings(RECIPES[name])
    config.seed, config.data.root = seed, str(data / root)
    if exchange:
        config.data.partition = str(exchanged(data, out))
    workdir = folder(out, name, seed, exchange)
    begin = time.process_time()
    train.train(config, workdir)
    seconds = round(time.process_time() - begin)
    variables, metadata = checkpoint.load_variables(workdir)
    line = {"recipe": name, "seed": seed, "settings": RECIPES[name], "cpu_seconds": seconds}
    line |= {"exchange": True} if exchange else {}
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


def probe(name: str, data: Path, out: Path) -> None:
    """`gaitjax.evaluate --probes` of what a recipe has trained, on the cameras of training."""
    config, changes, _ = arguments(RECIPES[name])
    given = ["--config", config, *changes, f"--config.data.root={data / 'six'}"]
    if name in SLOW:
        given.append(f"--config.eval.limit={SLOW[name]}")
    where = ["--checkpoint", str(folder(out, name, 0)), "--workdir", str(out / "probed" / name)]
    if evaluate.main([*given, *where, "--probes", "--no-figures"]):
        raise SystemExit(f"{name} was not evaluated")


def probed(out: Path, commit: str) -> list[dict]:
    """Lines of numbers.json of what `probe` has found."""
    found = []
    for name, recipe in RECIPES.items():
        path = out / "probed" / name / "evaluation.json"
        if not path.exists():
            continue
        config, *changes = recipe.split()
        for looked, scores in json.loads(path.read_text())["probes"].items():
            found.append(
                {
                    "config": config,
                    "variant": " ".join([*changes, "@ probe", looked]),
                    "protocol": "gallery_probe",
                    "score": SCORE,
                    "ours": round(scores["headline"][SCORE], 1),
                    "interval": [round(end, 1) for end in scores["interval"][SCORE]],
                    "seeds": [0],
                    "commit": commit,
                }
            )
    return found


def numbers(lines: list[dict], commit: str) -> list[dict]:
    """Lines of numbers.json: means over the seeds, of the scores and of the intervals' ends."""
    of_recipe = defaultdict(list)
    for line in sorted(lines, key=lambda line: line["seed"]):
        of_recipe[line["settings"], line.get("exchange", False)].append(line)
    found = []
    for (recipe, exchange), runs in of_recipe.items():
        config, *changes = [recipe] if recipe == "limb lengths" else recipe.split()
        for test in TESTS:
            found.append(
                {
                    "config": config,
                    "variant": " ".join([*changes, "@", test, *["exchanged"] * exchange]),
                    "protocol": "gallery_probe",
                    "score": SCORE,
                    "ours": round(float(np.mean([run[test] for run in runs])), 1),
                    "interval": [
                        round(float(np.mean([run[f"{test} interval"][end] for run in runs])), 1)
                        for end in (0, 1)
                    ],
                    "seeds": [run["seed"] for run in runs],
                    "runs": [round(run[test], 1) for run in runs],
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
    parser.add_argument("--exchange", action="store_true")
    parser.add_argument("--probes", action="store_true")
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
        for exchange in (False, True):
            config = settings(GTR)[0]
            config.data.partition = str(exchanged(args.data, args.out)) if exchange else ""
            plain = {"settings": "limb lengths", "seed": 0, "exchange": exchange}
            lines.append(plain | scored(config, args.data, None, None))
        for line in numbers(lines, args.numbers) + probed(args.out, args.numbers):
            print(json.dumps(line))
        return
    if args.probes:
        for name in args.only:
            probe(name, args.data, args.out)
        return
    done = [(line["recipe"], line["seed"], line.get("exchange", False)) for line in lines]
    for seed in args.seeds:
        for name in args.only:
            if (name, seed, args.exchange) not in done:
                line = run(name, seed, args.data, args.out, args.exchange)
                with results.open("a") as file:
                    file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
