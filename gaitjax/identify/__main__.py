"""Whose walk: python -m gaitjax.identify (enrol | who | calibrate | list | remove | tune)."""

import argparse
import contextlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from gaitjax import command, files, sharding
from gaitjax.command import tables
from gaitjax.errors import DataError
from gaitjax.identify import answers, enrolled, following, gallery_file, quality, tune, walks
from gaitjax.identify.gallery import FPIR, Gallery
from gaitjax.identify.matching import MATCH
from gaitjax.identify.networks import DEFAULT

UNKNOWN = 3  # exit status of `who` where somebody is nobody of the gallery
ABOUT = """\
Enrol people by how they walk, and say who walks in other poses or videos, "unknown" among the
answers. docs/identify.md says how sure that is.
"""
CONSENT = """\
A gallery is biometric data: enrol those who consented, tell them what for, and delete them with
`remove` (their embeddings too) when they ask."""
STATUS = """\
Exit status: 0 everybody has a name, 3 somebody is unknown, 1 an error, 2 a wrong option."""


def main(argv: list[str] | None = None) -> int:
    return command.run(_main, argv)


def _main(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    if args.command in ("enrol", "who", "calibrate", "tune"):
        sharding.start(multihost=False)
    return args.run(args) or 0


def _enrol(args: argparse.Namespace) -> None:
    path: Path = args.gallery
    with gallery_file.ours(path):
        if path.exists():
            gallery = Gallery.load(path, args.weights)
            if args.match not in (None, gallery.contents.match):
                raise DataError(
                    f"{path}: its match is {gallery.contents.match}, chosen when it was made; "
                    "leave --match out, or enrol everybody anew in another gallery"
                )
        else:
            gallery = Gallery(args.weights or DEFAULT, args.match or MATCH[0])
        with _named(path):
            enrolled.check_name(gallery.contents, args.name)
        found = []
        for source in args.source:
            found += _of_one(source, walks.read(source, _options(args, gallery)), args.person)
        names = [f"{walk.source}, {walk.person}" for walk in found]
        told = gallery.enrol(args.name, [walk.poses for walk in found], sources=names)
        gallery.save(path)
    for name, one in zip(names, told, strict=True):
        done = f"enrolled as {args.name}" if one.weight else "left out: nobody can be told by it"
        print(f"{name}: {done} [{quality.told(one)}]")
    _say_notes(gallery)
    count = len(gallery.contents.names)
    print(f"{path}: {len(gallery.names)} people, {count} walks")
    print(answers.threshold(gallery.threshold))


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Errors inside begin with the gallery's file."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def _of_one(source: str, found: list[walks.Walk], person: str | None) -> list[walks.Walk]:
    """The walks of the one person in a source. DataError: there are several, or not this one."""
    people = list(dict.fromkeys(walk.person for walk in found))
    if person is not None:
        if person not in people:
            raise DataError(f"{source}: nobody called {person!r} in it; found {_some(people)}")
        return [walk for walk in found if walk.person == person]
    whose = list(dict.fromkeys(walk.whose for walk in found))
    if len(whose) > 1:
        raise DataError(
            f"{source}: {len(whose)} people in it, {_some(whose)}; one name is for one person. Say "
            "which is meant with --person, or give a source with that person alone"
        )
    return found


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


def _who(args: argparse.Namespace) -> int:
    gallery = Gallery.load(args.gallery, args.weights)
    options = _options(args, gallery)
    if args.follow:
        if len(args.source) != 1:
            raise DataError(f"--follow takes one source, found {len(args.source)}")
        return following.follow(gallery, args.source[0], options, args.seconds, args.json, args.top)
    found = [walk for source in args.source for walk in walks.read(source, options)]
    told = gallery.identify([walk.poses for walk in found], top=args.top)
    pairs = list(zip(found, told, strict=True))
    for walk, answer in pairs:
        print(answers.line(walk.source, walk.person, answer))
    _say_notes(gallery)
    if args.json:
        lines = [answers.as_json(walk.source, walk.person, answer) for walk, answer in pairs]
        files.write_text(args.json, "".join(f"{line}\n" for line in lines))
    return 0 if all(answer.name for answer in told) else UNKNOWN


def _calibrate(args: argparse.Namespace) -> None:
    with gallery_file.ours(args.gallery):
        gallery = Gallery.load(args.gallery, args.weights)
        impostors = where = None
        if args.impostors:
            impostors, where = walks.people(args.impostors, _options(args, gallery)), args.impostors
        gallery.calibrate(args.fpir, impostors, where=str(where))
        gallery.save(args.gallery)
    _say_notes(gallery)
    print(answers.threshold(gallery.threshold))
    tried, found = gallery.found_again()
    if tried:
        print(f"of {tried} enrolled walks, each looked for without itself, {found} are found again")


def _list(args: argparse.Namespace) -> None:
    c = gallery_file.read(args.gallery)
    rows = [["name", "source", "frames", "missing", "weight", "doubts"]]
    for i in sorted(range(len(c.names)), key=lambda i: (c.names[i], i)):
        walk = c.walks[i]
        missing = f"{100 * float(walk.get('missing', 0)):.0f} %"
        doubts = "; ".join(map(str, walk.get("doubts", [])))
        cells = [str(walk.get("source", "")), str(walk.get("frames", "")), missing]
        rows.append([str(c.names[i]), *cells, f"{c.weights[i]:.2f}", doubts])
    network = c.network
    print("\n".join(tables.aligned(rows, left=(0, 1, 5))))
    print(
        f"{len(set(c.names))} people, {len(c.names)} walks; embeddings of {network.name} "
        f"({network.source}, fingerprint {network.fingerprint[:12]}), {network.metric}, "
        f"{network.joints} joints{', ' + network.normalise if network.normalise else ''}, "
        f"match {c.match}"
    )
    print(answers.threshold(c.threshold))
    print(gallery_file.NOTICE)


def _remove(args: argparse.Namespace) -> None:
    with gallery_file.ours(args.gallery):
        contents = gallery_file.read(args.gallery)
        with _named(args.gallery):
            contents, count = enrolled.without(contents, args.name)
        gallery_file.write(args.gallery, contents)
    print(f"{args.gallery}: {args.name} and the embeddings of {count} walks are deleted")
    print(answers.threshold(contents.threshold))


def _tune(args: argparse.Namespace) -> None:
    path = tune.tune(
        args.data, args.workdir, args.weights or DEFAULT, args.steps, args.frozen, args.partition
    )
    print(f"tuned weights: {path}; give them as --weights to a new gallery")


def _options(args: argparse.Namespace, gallery: Gallery) -> walks.Options:
    return walks.Options(gallery.model.joints, args.frame_rate, args.image_size, args.pose_model)


def _say_notes(gallery: Gallery) -> None:
    for note in gallery.notes:
        print(f"note: {note}", file=sys.stderr)


class _Once(argparse.Action):
    """An option that may be given once: one walk has one name."""

    def __call__(self, parser, namespace, values, option=None):
        if getattr(namespace, self.dest, None) is not None:
            parser.error(f"{option} is given twice; one person at a time")
        setattr(namespace, self.dest, values)


def _size(text: str) -> tuple[float, float]:
    match = re.fullmatch(r"([1-9][0-9]{0,4})[xX]([1-9][0-9]{0,4})", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r}; expected WIDTHxHEIGHT, as 1280x720")
    return float(match[1]), float(match[2])


def _parser() -> argparse.ArgumentParser:
    result = command.parser(
        ABOUT + CONSENT,
        "python -m gaitjax.identify enrol --gallery people.npz --name ann walk.json\n"
        "         python -m gaitjax.identify who --gallery people.npz other.json",
        prog="python -m gaitjax.identify",
    )
    commands = result.add_subparsers(dest="command", required=True)

    def add_command(name: str, run: Callable, about: str, example: str) -> argparse.ArgumentParser:
        one = commands.add_parser(
            name,
            help=about,
            description=f"{about[0].upper()}{about[1:]}.\n{CONSENT}"
            + (f"\n{STATUS}" if name == "who" else ""),
            epilog=f"example: python -m gaitjax.identify {name} {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        one.set_defaults(run=run)
        if name != "tune":
            one.add_argument(
                "--gallery", required=True, type=command.path, metavar="FILE", help="the .npz"
            )
        if name not in ("list", "remove"):
            one.add_argument(
                "--weights",
                metavar="W",
                help="a zoo name, weights file, work directory or hub address (default: those that "
                "the gallery names, of a new one the small network that comes with gaitjax)",
            )
        if name in ("enrol", "who", "calibrate"):
            add = one.add_argument
            add(
                "--frame_rate",
                type=float,
                metavar="FPS",
                help="of the sources; other than 20 to 35 are converted",
            )
            add("--image_size", type=_size, metavar="WxH", help="where x and y are shares of it")
            add(
                "--pose_model",
                type=command.path,
                metavar="DIR",
                help="for videos (python -m gaitjax.prepare pose_model)",
            )
        return one

    enrol = add_command(
        "enrol", _enrol, "add walks of a person", "--gallery people.npz --name ann walk.json"
    )
    enrol.add_argument("--name", required=True, action=_Once, help="of the one person in SOURCE")
    enrol.add_argument("--person", metavar="P", help="which one, where SOURCE holds several")
    enrol.add_argument(
        "--match",
        choices=MATCH,
        help="of a new gallery: the nearest walk of a name counts, or their mean (default nearest)",
    )
    enrol.add_argument("source", nargs="+", metavar="SOURCE", help=walks.HELP)

    who = add_command(
        "who", _who, "say who walks", "--gallery people.npz other.json --json answers.jsonl"
    )
    who.add_argument("--top", type=int, default=3, metavar="K", help="candidates told (default 3)")
    who.add_argument("--json", metavar="FILE", help="also write the answers, one object a line")
    who.add_argument(
        "--follow",
        action="store_true",
        help="SOURCE grows, or is a camera (0, rtsp://...): answer every second until Ctrl-C",
    )
    who.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        help="with --follow: end after so long without anything new",
    )
    who.add_argument("source", nargs="+", metavar="SOURCE", help=walks.HELP)

    calibrate = add_command(
        "calibrate",
        _calibrate,
        "find the threshold between a name and unknown",
        "--gallery people.npz --impostors DIR",
    )
    calibrate.add_argument(
        "--impostors",
        type=command.path,
        metavar="DIR",
        help="sources of people who are not in the gallery, or <id>/<type>/<view>/*.pkl (default: "
        "from the enrolled people, each looked for among the others)",
    )
    calibrate.add_argument(
        "--fpir",
        type=float,
        default=FPIR,
        metavar="P",
        help="share of strangers that may be named (default %(default)s)",
    )
    add_command("list", _list, "show who is enrolled", "--gallery people.npz")
    remove = add_command(
        "remove",
        _remove,
        "delete a person and all embeddings of theirs",
        "--gallery people.npz --name ann",
    )
    remove.add_argument("--name", required=True, action=_Once, help="who")

    tuned = add_command(
        "tune",
        _tune,
        "train a network further on walks of your own people",
        "--data DIR --workdir tuned; run it again to go on",
    )
    add = tuned.add_argument
    add("--data", required=True, type=command.path, metavar="DIR", help="<id>/<type>/<view>/*.pkl")
    add("--workdir", required=True, type=command.path, metavar="DIR", help="checkpoints")
    add("--partition", default="", metavar="FILE", help="who trains (default: DIR/partition.json)")
    add("--steps", type=int, default=tune.STEPS, metavar="N", help="(default %(default)s)")
    add("--frozen", action="store_true", help="train the last layer alone")
    return result


if __name__ == "__main__":
    sys.exit(main())
