// Runs everything that can be checked on this machine, and counts it. The last line is the sum.
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, globSync, readFileSync, rmSync } from "node:fs";

const rootTasks = ["lint", "format:check", "knip", "sherif", "docs:api"];
const packageTasks = ["build", "typecheck", "check:package", "test"];

/** Those whose version makes a difference to results. */
const programs = [
  "cloud-hypervisor",
  "ch-remote",
  "mkfs.ext4",
  "qemu-img",
  "gcc",
  "qemu-system-x86_64",
];

const count = { passed: 0, failed: 0, skipped: 0 };
/** What failed, to be told once more where it is not lost among all that was printed. */
const failures = [];
for (const report of reports()) rmSync(report);

for (const task of rootTasks) tally(task, turbo([task]));
tally("boundaries", spawnSync("turbo", ["boundaries"], { stdio: "inherit" }).status === 0);
for (const task of packageTasks.slice(0, 3)) tally(task, turbo([task]));
// It goes by what is built.
tally("api:check", turbo(["api:check"]));
const testsRan = turbo(["test"]);

for (const report of reports()) {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    readFileSync(report, "utf8"),
  );
  count.passed += numPassedTests;
  count.failed += numFailedTests;
  count.skipped += numPendingTests + numTodoTests;
  for (const { name, status, message, assertionResults } of testResults) {
    const failed = assertionResults.filter((test) => test.status === "failed");
    for (const { fullName, failureMessages } of failed)
      failures.push(`${name}: ${fullName}\n${failureMessages.join("\n")}`);
    // A file that does not even load has no tests to count.
    if (status !== "failed" || assertionResults.length > 0) continue;
    count.failed += 1;
    failures.push(`${name}\n${message}`);
  }
}
// A runner that ended in failure without a failed test to show for it.
if (!testsRan && count.failed === 0) count.failed += 1;

for (const failure of failures) console.log(`\nFAILED: ${failure}`);
console.log(
  `\n${count.passed} passed, ${count.failed} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ""}`,
);
process.exitCode = count.failed > 0 ? 1 : 0;

function reports() {
  return globSync([
    "packages/*/.report/vitest.json",
    "plugins/*/.report/vitest.json",
    "examples/*/.report/vitest.json",
    "test-docs/.report/vitest.json",
    "test-e2e/.report/vitest.json",
    "test-packed/.report/vitest.json",
  ]);
}

function tally(task, ok) {
  if (ok) count.passed += 1;
  else count.failed += 1;
  console.log(`${ok ? "ok" : "FAILED"}: ${task}`);
}

function turbo(tasks) {
  const { status, error } = spawnSync(
    "turbo",
    ["run", ...tasks, "--continue", "--concurrency=2", "--output-logs=new-only"],
    {
      stdio: "inherit",
      env: { ...process.env, SILK_TEST_HOST: hostFingerprint(), TURBO_TELEMETRY_DISABLED: "1" },
    },
  );
  if (error) throw error;
  return status === 0;
}

/** What the results depend on besides the sources: a cached result of another host says nothing about this one. */
function hostFingerprint() {
  const hash = createHash("sha256");
  for (const program of programs) {
    const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
    hash.update(`${program}:${stdout ?? "none"}\n`);
  }
  hash.update(canOpenKvm() ? "kvm" : "no kvm");
  hash.update(globSync("/boot/vmlinuz-*").sort().join());
  const references = [
    process.env.CH_TRANSCRIPT,
    process.env.CH_OPENAPI,
    "../shared/reference/cloud-hypervisor-openapi.yaml",
  ];
  for (const path of references) if (path && existsSync(path)) hash.update(readFileSync(path));
  return hash.digest("hex");
}

function canOpenKvm() {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
