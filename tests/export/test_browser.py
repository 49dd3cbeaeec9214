"""The JavaScript of docs/browser, in Node, and its page in a browser: walks in, distances out."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from gaitjax import identify
from gaitjax.api import load
from gaitjax.data import walkers
from gaitjax.evaluation import distance_matrix
from gaitjax.export.__main__ import main
from tests.helpers import chromium
from tests.helpers.people import write_results

PAGE = Path(__file__).parents[2] / "docs" / "browser"
FRAMES = 5
# The network's place is taken by one that gives the frames themselves, as (n, 2 x 3, FRAMES).
SCRIPT = """
import {{ distance, embed, read }} from {module};
class Tensor {{ constructor(type, data, dims) {{ Object.assign(this, {{ data, dims }}); }} }}
const session = {{
  inputMetadata: [{{ name: "poses", shape: ["n", {frames}, 2, 3] }}],
  run: async ({{ poses, lengths }}) => {{
    const [n] = poses.dims, data = new Float32Array(poses.data.length);
    for (let i = 0; i < n; i++) for (let t = 0; t < {frames}; t++) for (let k = 0; k < 6; k++)
      data[(i * 6 + k) * {frames} + t] = poses.data[(i * {frames} + t) * 6 + k] + 1;
    console.log(JSON.stringify([...lengths.data]));
    return {{ embedding: {{ data, dims: [n, 6, {frames}] }} }};
  }},
}};
const walks = {walks}.map((people) => read(JSON.stringify(people), 2));
const found = await embed({{ Tensor }}, session, walks);
for (const metric of ["euc", "cos"]) {{
  const row = (_, a) => walks.map((_, b) => distance(found, a, b, metric));
  console.log(JSON.stringify(walks.map(row)));
}}
try {{ read("[{{}}]", 2); }} catch (error) {{ console.log(JSON.stringify(error.message)); }}
"""


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node")
def test_walks_are_packed_and_compared_as_in_python():
    rng = np.random.default_rng(0)
    walks = [rng.uniform(1, 9, (frames, 6)).round(3) for frames in (5, 3, 8)]
    people = [[{"keypoints": frame.tolist()} for frame in walk] for walk in walks]
    module = json.dumps((PAGE / "walks.mjs").as_uri())
    script = SCRIPT.format(module=module, frames=FRAMES, walks=json.dumps(people))
    command = ["node", "--input-type=module", "--eval", script]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    lengths, euclidean, cosine, message = map(json.loads, run.stdout.splitlines())
    assert lengths == [5, 3, 5] and "keypoints of 2 joints" in message
    middle = [walks[0], np.pad(walks[1], ((0, 2), (0, 0))), walks[2][1:6]]
    embeddings = np.stack([walk.T + 1 for walk in middle]).astype(np.float32)
    for found, metric in ((euclidean, "euc"), (cosine, "cos")):
        expected = distance_matrix(embeddings, embeddings, metric)
        np.fill_diagonal(expected, 0)  # which is rounding there, and exact here
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.skipif(not chromium.BROWSER, reason="needs Chromium or Chrome")
@pytest.mark.skipif(
    not (PAGE / "node_modules" / "onnxruntime-web").is_dir(),
    reason="needs npm install onnxruntime-web in docs/browser",
)
def test_the_page_compares_walks(tmp_path):
    """The network that comes along, in a headless browser: the distances of Python."""
    pytest.importorskip("onnxruntime", reason="the extra export is not installed")
    weights, network = Path(identify.__file__).parent / "network/weights.npz", tmp_path / "w.onnx"
    options = ["--checkpoint", str(weights), "--to=onnx", f"--output={network}"]
    assert main(["--config=gaittr_identify", *options]) == 0
    chosen = ((0, 0), (0, 1), (1, 0))  # a person, and one of its walks
    poses = [np.asarray(walkers.identity(0, person)[walk][0], float) for person, walk in chosen]
    files = [
        write_results(tmp_path / f"{person}_{walk}.json", each)
        for (person, walk), each in zip(chosen, poses, strict=True)
    ]
    with chromium.served(PAGE) as address, chromium.page(tmp_path / "profile") as page:
        page.open(f"{address}/index.html")
        page.choose("#network", network)
        page.run("document.querySelector('#metric').value = 'cos'")
        page.choose("#walks", *files)
        shown = page.wait("document.querySelector('#said, table:not([hidden])').innerText")
        (tmp_path / "page.png").write_bytes(page.picture())
    heads, *rows = [row.split("\t") for row in shown.splitlines()]
    assert heads[1:] == [name for name, *_ in rows] == ["0_0", "0_1", "1_0"], shown
    found = np.array([[float(cell.replace("–", "0")) for cell in row[1:]] for row in rows])
    embeddings = load(weights).embed([middle(walk) for walk in poses])
    expected = distance_matrix(embeddings, embeddings, "cos")
    np.testing.assert_allclose(found, expected, rtol=5e-3, atol=1e-6)  # three digits are shown


def middle(walk: np.ndarray, frames: int = 60) -> np.ndarray:
    first = max(len(walk) - frames, 0) // 2
    return walk[first : first + frames]
