// Shows silk's main job with the built program: a VM from create to delete. Uses the real Cloud Hypervisor where it can run, else QEMU, else ch-sim.
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
  ...vmm.env,
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
  const simulated = (why) => ({
    name: `ch-sim, a stand-in: ${why}`,
    env: { SILK_BACKEND: "cloud-hypervisor", SILK_CH_BINARY: simulator() },
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
  if (which("gcc") === undefined) return simulated("the test guest needs gcc");
  const ownGuest = {
    kernelStep: "compile the guest",
    makeKernel: async () =>
      (await (await import("../test-e2e/src/guest.ts")).buildGuest({ outDir: dir })).kernelPath,
    say: "echo hello from the guest",
    expect: "hello from the guest",
  };
  const versionOf = (program) =>
    spawnSync(program, ["--version"], { encoding: "utf8" }).stdout.split("\n")[0];
  const cloudHypervisor = which("cloud-hypervisor");
  const why = cloudHypervisor === undefined ? "there is no cloud-hypervisor on PATH" : kvmProblem();
  if (why === undefined)
    return {
      ...ownGuest,
      name: `the real Cloud Hypervisor (${versionOf(cloudHypervisor)}), with a guest of ours`,
      env: { SILK_BACKEND: "cloud-hypervisor", SILK_CH_BINARY: cloudHypervisor },
    };
  const qemu = which("qemu-system-x86_64");
  if (qemu === undefined) return simulated(`${why}, and no QEMU either`);
  return {
    ...ownGuest,
    name: `QEMU (${versionOf(qemu)}), with a guest of ours: ${why}`,
    env: { SILK_BACKEND: "qemu", SILK_QEMU_BINARY: qemu },
  };
}

/** Why KVM cannot be used here; undefined where it can. */
function kvmProblem() {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return `/dev/kvm cannot be opened (${error.code})`;
  }
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
