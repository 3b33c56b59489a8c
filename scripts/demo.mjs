// Shows silk's main job with the built program: a VM from create to delete. Uses the real Cloud Hypervisor where it can run, else ch-sim.
import { execFileSync, spawnSync } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const silk = join(root, "packages/cli/bin/silk.js");
const dir = mkdtempSync(join(tmpdir(), "silk-demo-"));
const vmm = chooseVmm();
const env = {
  ...process.env,
  SILK_ROOT_DIR: join(dir, "root"),
  SILK_RUN_DIR: join(dir, "run"),
  SILK_LOG_DIR: join(dir, "log"),
  SILK_CH_BINARY: vmm.binary,
};
const began = performance.now();

console.log(`This demo runs on ${vmm.name}.\n`);
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));
process.on("exit", cleanUp);

step("build silk", () =>
  execFileSync(
    "turbo",
    [
      "run",
      "build",
      "--filter=@silkvm/cli...",
      "--filter=@silkvm/ch-sim...",
      "--output-logs=errors-only",
    ],
    { cwd: root, stdio: ["ignore", "pipe", "inherit"] },
  ),
);
const kernel = await timed(vmm.kernelStep, vmm.makeKernel);

run(
  "vm",
  "create",
  "--name",
  "demo",
  "--kernel",
  kernel,
  "--cpus",
  "1",
  "--memory",
  "64M",
  "--storage",
  "64M",
);
run("vm", "start", "demo");
run("vm", "list");
const answer = run("vm", "console", "demo", { input: `${vmm.say}\n` });
if (!answer.includes(vmm.expect)) fail(`the guest did not answer "${vmm.expect}"`);
run("vm", "stop", "demo", "--force");
run("vm", "list");
run("vm", "rm", "demo");
run("vm", "list", "--json");

console.log(
  `\nDone in ${seconds(performance.now() - began)}. Next: \`node packages/cli/bin/silk.js --help\`, and the README.`,
);

function chooseVmm() {
  const real = which("cloud-hypervisor");
  const simulated = (why) => ({
    name: `ch-sim, a stand-in: ${why}`,
    binary: simulator(),
    kernelStep: "make a file that stands for a kernel",
    makeKernel: () => {
      const path = join(dir, "vmlinux");
      // ch-sim looks at the first bytes of a kernel, and runs none of it.
      writeFileSync(path, "\x7fELF");
      return path;
    },
    say: "echo hello from the guest",
    expect: "hello from the guest",
  });
  if (real === undefined) return simulated("there is no cloud-hypervisor on PATH");
  if (which("gcc") === undefined) return simulated("the test guest needs gcc");
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch (error) {
    return simulated(`/dev/kvm cannot be opened (${error.code})`);
  }
  const { stdout } = spawnSync(real, ["--version"], { encoding: "utf8" });
  return {
    name: `the real Cloud Hypervisor (${stdout.split("\n")[0]}), with a guest of ours`,
    binary: real,
    kernelStep: "compile the guest",
    makeKernel: async () =>
      (await (await import("../test-e2e/src/guest.ts")).buildGuest({ outDir: dir })).kernelPath,
    say: "echo hello from the guest",
    expect: "hello from the guest",
  };
}

/** The built ch-sim as one file that can be executed, on this Node. */
function simulator() {
  const path = join(dir, "ch-sim");
  writeFileSync(
    path,
    `#!/bin/sh\nexec '${process.execPath}' '${join(root, "plugins/ch-sim/dist/main.js")}' "$@"\n`,
    { mode: 0o755 },
  );
  return path;
}

function which(program) {
  for (const directory of (process.env.PATH ?? "").split(delimiter)) {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return join(directory, program);
    } catch {
      // Not in this one.
    }
  }
  return undefined;
}

function run(...args) {
  const options = typeof args.at(-1) === "object" ? args.pop() : {};
  const shown = `silk ${args.join(" ")}`.replaceAll(`${dir}/`, "");
  const typed =
    options.input === undefined ? shown : `echo ${JSON.stringify(options.input.trim())} | ${shown}`;
  let output = "";
  step(`$ ${typed}`, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [silk, ...args], {
      env,
      encoding: "utf8",
      ...options,
    });
    output = stdout;
    if (status !== 0) fail(`it ended with ${status}\n${stdout}${stderr}`);
  });
  // A guest's terminal ends its lines in its own way, and leaves a prompt.
  for (const line of output.trimEnd().split(/\r*\n/)) console.log(`    ${line}`);
  return output;
}

function step(name, work) {
  const start = performance.now();
  work();
  console.log(`${name}  (${seconds(performance.now() - start)})`);
}

async function timed(name, work) {
  const start = performance.now();
  const result = await work();
  console.log(`${name}  (${seconds(performance.now() - start)})`);
  return result;
}

function seconds(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function fail(message) {
  console.error(`The demo failed: ${message}`);
  process.exit(1);
}

function cleanUp() {
  spawnSync(process.execPath, [silk, "vm", "rm", "demo", "--force"], { env, stdio: "ignore" });
  rmSync(dir, { recursive: true, force: true });
}
