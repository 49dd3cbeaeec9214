// node compare.mjs NETWORK.onnx euc|cos WALK.json WALK.json...: distances between walks.
import { readFile } from "node:fs/promises";
import * as ort from "onnxruntime-web";
import { distance, embed, read } from "./walks.mjs";

const [network, metric, ...files] = process.argv.slice(2);
const session = await ort.InferenceSession.create(new Uint8Array(await readFile(network)));
const joints = session.inputMetadata.find((input) => input.name === "poses").shape[2];
const walks = await Promise.all(files.map(async (file) => read(await readFile(file, "utf8"), joints)));
const found = await embed(ort, session, walks);
files.forEach((_, a) => {
  console.log(files.map((_, b) => distance(found, a, b, metric).toPrecision(6)).join(" "));
});
