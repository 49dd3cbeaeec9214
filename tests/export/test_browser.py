"""The JavaScript of docs/browser, in Node: what goes into the network, and distances."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from gaitjax.evaluation import distance_matrix

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
