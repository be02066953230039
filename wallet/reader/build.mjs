// Build the reader of codes: one worker and its WebAssembly, of one version, into the package's folder `built`.
// Both are kept compressed, as browsers take them; the server unpacks them for whoever cannot.

import { build } from "esbuild";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = new URL(".", import.meta.url);
const library = new URL("../node_modules/zxing-wasm/", import.meta.url);
const target = new URL("../../src/inkan/wallet/built/", import.meta.url);

const bundle = await build({
  entryPoints: [fileURLToPath(new URL("worker.js", here))],
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  legalComments: "none", // the notices stand in their own file
  write: false,
});
const worker = bundle.outputFiles[0]?.contents;
if (worker === undefined) {
  throw new Error("the bundler made nothing");
}
// The library would fetch its WebAssembly from a third party unless told otherwise. It is told; the address goes, too.
const elsewhere = "https://fastly.jsdelivr.net/npm/zxing-wasm@";
const source = new TextDecoder().decode(worker);
if (!source.includes(elsewhere)) {
  throw new Error("the library's default address is not where it was: look at it again");
}
const script = source.replaceAll(elsewhere, "/reader/none@");
if (/https?:\/\//.test(script)) {
  throw new Error("the reader names an address");
}
const { version } = JSON.parse(await readFile(new URL("package.json", library), "utf8"));
const notices = [
  `reader.js and reader.wasm hold zxing-wasm ${version}:`,
  await readFile(new URL("LICENSE", library), "utf8"),
  "reader.wasm is made from zxing-cpp (https://github.com/zxing-cpp/zxing-cpp), under the Apache License, version 2.0,",
  "whose text is that of Inkan's own LICENSE, and holds parts of the runtime of Emscripten, under the MIT license.",
  "",
].join("\n");

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
const files = { "reader.js": new TextEncoder().encode(script), "reader.wasm": await readFile(new URL("dist/reader/zxing_reader.wasm", library)) };
for (const [name, body] of Object.entries(files)) {
  const small = gzipSync(body, { level: 9 });
  await writeFile(new URL(`${name}.gz`, target), small);
  console.log(`reader: ${name} ${Math.ceil(small.length / 1024)} kB`);
}
await writeFile(new URL("NOTICES.txt", target), notices);
