"""Somebody's walk in an ordinary video, found by BlazePose, as one prepared sequence."""

import argparse

from gaitjax import command, video
from gaitjax.errors import DataError
from gaitjax.prepare import poses
from gaitjax.video import drawing

HELP = """\
One person of one video, found and followed here; joins TEST_SET (docs/video.md). All people are
listed, the most present first. Needs gaitjax[video] and the pose model: pose_model fetches it.

example: python -m gaitjax.prepare video --source walk.mp4 --output videos --label ann \\
           --type nm-01 --view 090 --drawn walk-drawn.mp4
"""


def main(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    # What cannot be written is told before the minutes that reading takes.
    poses.new_file(args.output, args.label, args.type, args.view)
    if args.drawn:
        drawing.codec(args.drawn)
    tracks = video.read(args.source, args.pose_model)
    for number, track in enumerate(tracks, start=1):
        chosen = f"   taken: {args.label}" if number == args.person else ""
        print(f"person {number}: {_told(track)}{chosen}")
    if args.drawn:
        names = {track.name: str(number) for number, track in enumerate(tracks, start=1)}
        if 1 <= args.person <= len(tracks):
            names[tracks[args.person - 1].name] = args.label
        drawing.video(args.source, tracks, args.drawn, names)
        print(f"{args.drawn}: the video with everybody's skeleton")
    if not 1 <= args.person <= len(tracks):
        raise DataError(
            f"{args.source}: no person {args.person} (--person); {len(tracks)} found, listed above"
        )
    poses.keep(tracks[args.person - 1].sequence(args.max_gap, args.resample), args)
    return 0


def _told(track: video.Track) -> str:
    first, last = track.frames[[0, -1]] / track.fps
    return (
        f"{len(track.frames):5} frames, {first:.1f} to {last:.1f} s, {track.height:.0f} pixels tall"
    )


def _parser() -> argparse.ArgumentParser:
    parser = command.parser(HELP, "", prog="python -m gaitjax.prepare video")
    add = parser.add_argument
    add("--source", required=True, type=command.path, metavar="FILE", help="the video")
    poses.add_target(parser)
    add(
        "--pose_model",
        type=command.path,
        metavar="DIR",
        help="folder or .task file (default: GAITJAX_POSE_MODEL of the environment, else "
        "~/.cache/gaitjax/pose_model)",
    )
    add(
        "--drawn",
        type=command.path,
        metavar="FILE",
        help="also write the video with skeletons and names: .mp4, .avi or .webm",
    )
    return parser
