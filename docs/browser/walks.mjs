// Walks through an exported network, in a browser or in Node: poses of a file in, distances out.
// `ort` is onnxruntime-web (or onnxruntime-node), `session` an InferenceSession of the .onnx file.

// [{image_id, keypoints: [x, y, confidence, ...]}, ...] as AlphaPose writes it: one person's frames.
export function read(text, joints) {
  let people;
  try {
    people = JSON.parse(text);
  } catch (error) {
    throw new Error(`no JSON: ${error.message}`);
  }
  if (!Array.isArray(people) || !people.length || !people.every((p) => p.keypoints?.length === 3 * joints)) {
    throw new Error(`expected a list of people with keypoints of ${joints} joints`);
  }
  return people.map((person) => person.keypoints);
}

// Embeddings of walks (lists of frames): {data, shape: [n, D, P]}. The network takes T frames at most;
// of longer walks the middle T count.
export async function embed(ort, session, walks) {
  const [, frames, joints, numbers] = session.inputMetadata.find((i) => i.name === "poses").shape;
  const size = joints * numbers;
  const poses = new Float32Array(walks.length * frames * size);
  const lengths = Int32Array.from(walks, (walk) => Math.min(walk.length, frames));
  walks.forEach((walk, n) => {
    const first = Math.floor((walk.length - lengths[n]) / 2);
    walk.slice(first, first + lengths[n]).forEach((frame, t) => {
      poses.set(frame, (n * frames + t) * size);
    });
  });
  const found = await session.run({
    poses: new ort.Tensor("float32", poses, [walks.length, frames, joints, numbers]),
    lengths: new ort.Tensor("int32", lengths, [walks.length]),
  });
  return { data: found.embedding.data, shape: found.embedding.dims };
}

// How far walks a and b are apart: the mean over the parts, "euc" or "cos".
export function distance({ data, shape: [, d, p] }, a, b, metric) {
  const at = (n, i, part) => data[(n * d + i) * p + part];
  let total = 0;
  for (let part = 0; part < p; part++) {
    let squares = 0, ab = 0, aa = 0, bb = 0;
    for (let i = 0; i < d; i++) {
      const x = at(a, i, part), y = at(b, i, part);
      squares += (x - y) ** 2;
      ab += x * y;
      aa += x * x;
      bb += y * y;
    }
    total += metric === "cos" ? 1 - ab / Math.sqrt(Math.max(aa * bb, 1e-24)) : Math.sqrt(squares);
  }
  return total / p;
}
