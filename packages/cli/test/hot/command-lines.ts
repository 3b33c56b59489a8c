import * as fc from "fast-check";

/** Command lines that the launcher knows. */
const hot = [["vm", "list"], ["vm", "ls"], ["version"], ["--version"], ["-v"], ["-V"]];
const hotFlags = ["--json", "--all", "-a", "--quiet", "-q"];

/** Other ways to say the same, other things to say, and mistakes: nothing that changes a VM. */
const words = String.raw`
  vm list ls version inspect debug create config get rootDir help plugins events
  hello web lsit verison vm:list LIST - -- --- é 0 info
  --json --jsn --json=true --no-json -j --all --quiet --quiet=false -aq -qa -a -q --all=1
  --filter -f state=running --filter=name=w* -fname=x --filter=nonsense --help -h --version -v -V
  --root-dir --root-dir=stores/some stores/one --config config/root.json --log-level --log-level=warn
  --no-wait --timeout 5 --timeout=0 --= -= --vm`
  .trim()
  .split(/\s+/)
  .concat("", " ", "vm list", "\t");

/** Mostly what is nearly, or wholly, a hot command line; sometimes any words. */
export const commandLine: fc.Arbitrary<readonly string[]> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(...hot), fc.subarray(hotFlags))
      .map((parts) => parts.flat()),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...hot),
        fc.array(fc.constantFrom(...hotFlags), { maxLength: 3 }),
        fc.constantFrom(...words),
        fc.nat(5),
      )
      .map(([name, flags, word, at]) => [...name, ...flags].toSpliced(at, 0, word)),
  },
  { weight: 2, arbitrary: fc.array(fc.constantFrom(...words), { maxLength: 5 }) },
  {
    weight: 1,
    arbitrary: fc.array(
      fc.string({ maxLength: 6 }).filter((word) => !word.includes("\0")),
      { maxLength: 3 },
    ),
  },
);

/** What is in the environment besides the places. */
export const variables: fc.Arbitrary<Readonly<Record<string, string>>> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  {
    weight: 2,
    arbitrary: fc
      .uniqueArray(
        fc.constantFrom<[string, string][]>(
          ["SILK_RUN_DIR", "/nowhere"],
          ["SILK_LOG_DIR", ""],
          ["SILK_LOG_LEVEL", "info"],
          ["SILK_LOG_LEVEL", "nonsense"],
          ["SILK_CONCURRENCY", "0"],
          ["SILK_NO_SUCH", "1"],
          ["SILK_CONTENT_TYPE", "json"],
          ["SILK_DISABLE_THEME", "1"],
          ["SILK_PLUGINS", "no-such-plugin"],
          ["OCLIF_COLUMNS", "40"],
          ["NODE_ENV", "production"],
          ["NODE_ENV", "test"],
          ["NO_COLOR", "1"],
          ["FORCE_COLOR", "1"],
          ["FORCE_COLOR", "3"],
          ["TERM", "dumb"],
          ["CI", "1"],
          ["LANG", "cs_CZ.UTF-8"],
          ["SHELL", ""],
        ),
        // Of these two together Node itself warns, and says its process id with it.
        { maxLength: 3, minLength: 1, selector: ([name]) => name.replace("FORCE", "NO") },
      )
      .map((pairs) => Object.fromEntries(pairs)),
  },
);
