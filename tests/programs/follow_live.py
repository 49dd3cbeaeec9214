"""How late `who --follow` answers: for a pose file that grows, and for a camera.

    python -m tests.programs.follow_live VIDEO [--seconds 20]

Two synthetic walkers are enrolled. One of them, and a stranger, then come as a folder to which a
file a frame is added, 25 a second; and VIDEO comes over and over as an MJPEG stream, as cameras of
the network send it. Prints what the command prints, and the processor time that it took.
"""

import argparse
import http.server
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from gaitjax.data import walkers

FPS = 25


def identify(*words: str) -> None:
    """Runs the command; says how much processor time it took."""
    before, began = os.times(), time.monotonic()
    subprocess.run([sys.executable, "-m", "gaitjax.identify", *words])
    after, spent = os.times(), time.monotonic() - began
    used = sum(after[2:4]) - sum(before[2:4])
    print(f"  {used:.1f} s of processor time in {spent:.1f} s, start and compilation with them")


def growing(folder: Path, seconds: float) -> None:
    """Adds a file a frame in OpenPose's layout, of walkers 1 and 3 side by side."""
    people = [walkers.identity(5, n, 120, ("090",))[1][0] for n in (1, 3)]
    for t in range(int(seconds * FPS)):
        time.sleep(1 / FPS)
        rows = [walk[t % len(walk)] + [200 * i, 0, 0] for i, walk in enumerate(people)]
        frame = {"people": [{"pose_keypoints_2d": row.ravel().tolist()} for row in rows]}
        (folder / f"{t:06d}_keypoints.json").write_text(json.dumps(frame))


def camera(video: Path, seconds: float) -> http.server.HTTPServer:
    """A server that sends the video in real time, over and over, to whoever connects."""
    import cv2

    opened, pictures = cv2.VideoCapture(str(video)), []
    fps = opened.get(cv2.CAP_PROP_FPS)
    while (frame := opened.read())[0]:
        scale = 720 / min(frame[1].shape[:2])
        small = cv2.resize(frame[1], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        pictures.append(cv2.imencode(".jpg", small)[1].tobytes())

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            began = time.monotonic()
            for count, picture in enumerate(itertools.cycle(pictures)):
                if count / fps > seconds:
                    return
                time.sleep(max(0.0, began + count / fps - time.monotonic()))
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}"
                self.wfile.write(f"{head}\r\n\r\n".encode() + picture + b"\r\n")

        def log_message(self, *_):
            pass

    return http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("--seconds", type=float, default=20.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gallery = str(folder / "people.npz")
        for number, person in ((1, "ann"), (2, "bob")):
            np.save(folder / f"{person}.npy", walkers.identity(5, number, 120, ("090",))[0][0])
            identify("enrol", "--gallery", gallery, "--name", person, str(folder / f"{person}.npy"))
        (folder / "poses").mkdir()
        writer = threading.Thread(target=growing, args=(folder / "poses", args.seconds))
        writer.start()
        words = ["who", "--gallery", gallery, "--follow"]
        identify(*words, "--seconds", "3", str(folder / "poses"))
        writer.join()
        server = camera(args.video, args.seconds)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        identify(*words, f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()


if __name__ == "__main__":
    main()
