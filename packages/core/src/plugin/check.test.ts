import { describe, expect, it } from "vitest";
import { checkPlugin, checkPlugins, withoutClashes } from "./check.ts";
import type { PluginDefinition } from "./plugin.ts";

const unused = (): Promise<never> => Promise.reject(new Error("unused"));
const thing = (name: string) => ({ name, description: "", open: unused, load: unused });

describe("checkPlugins", () => {
  it.each([
    ["backends", "BACKEND_DUPLICATE", 'the plugins a and b both bring a backend "x"'],
    ["networks", "NETWORK_DUPLICATE", 'the plugins a and b both bring a network "x"'],
    ["devices", "DEVICE_KIND_DUPLICATE", 'the plugins a and b both bring a kind of devices "x"'],
    ["images", "IMAGE_SOURCE_DUPLICATE", 'the plugins a and b both bring an image source "x"'],
  ])("refuses two %s of one name and says whose they are", (kind, code, message) => {
    const plugins = ["a", "b"].map((name) => ({ name, apiVersion: 1, [kind]: [thing("x")] }));
    expect(() => checkPlugins(plugins)).toThrow(expect.objectContaining({ code, message }));
  });

  it.each([
    [
      { images: [thing("x")] },
      { images: [thing("y")] },
      "both bring an image source for names without a scheme",
    ],
    [
      { images: [{ ...thing("x"), scheme: "s" }] },
      { images: [{ ...thing("y"), scheme: "s" }] },
      "both bring an image source for s://",
    ],
  ] as const)("refuses two of which the second would never be found", (first, second, message) => {
    const plugins = [first, second].map((parts, index) => ({
      name: `p${index}`,
      apiVersion: 1,
      ...parts,
    }));
    expect(() => checkPlugins(plugins)).toThrow(message);
  });

  it("takes networks that are named by the same word: KIND:NAME tells them apart", () => {
    const plugins = ["x", "y"].map((kind) => {
      return { name: kind, apiVersion: 1, networks: [{ ...thing(kind), namedBy: "network" }] };
    });
    checkPlugins(plugins as PluginDefinition[]);
  });

  it("takes one name for things of different kinds", () => {
    const plugin = { name: "a", apiVersion: 1, backends: [thing("x")], networks: [thing("x")] };
    checkPlugins([plugin]);
  });
});

describe("withoutClashes", () => {
  it("leaves the hooks of a plugin that it leaves out: a policy holds all the same", () => {
    const hooks = { "vm:before-start": () => ({ veto: "not today" }) };
    const plugins: PluginDefinition[] = [
      { name: "a", apiVersion: 1, backends: [thing("x")] },
      { name: "b", apiVersion: 1, backends: [thing("x")], hooks },
    ];
    expect(withoutClashes(plugins).plugins).toEqual([
      plugins[0],
      { name: "b", apiVersion: 1, hooks },
    ]);
  });

  it("leaves out the later plugin, with all that it brings", () => {
    const plugins: PluginDefinition[] = [
      { name: "a", apiVersion: 1, backends: [thing("x")] },
      { name: "b", apiVersion: 1, backends: [thing("y"), thing("x")] },
      { name: "c", apiVersion: 1, backends: [thing("y")] },
      { name: "d", apiVersion: 1, backends: [thing("z"), thing("z")] },
    ];
    const kept = withoutClashes(plugins);
    expect(kept.plugins.map(({ name }) => name)).toEqual(["a", "c"]);
    expect(kept.clashes.map(({ error }) => error.message)).toEqual([
      'the plugins a and b both bring a backend "x"',
      'the plugin d brings the backend "z" twice',
    ]);
  });
});

describe("checkPlugin", () => {
  it.each([
    [{ backends: {} }, '"backends" of the plugin a is no list'],
    [{ backends: [{}] }, "brings a backend without a name"],
    [
      { backends: [{ name: "Fast", open: unused }] },
      "brings a backend without a name of lower case",
    ],
    [{ backends: [{ name: "x" }] }, 'the backend "x" of the plugin a has no function open'],
    [{ devices: [{ name: "x" }] }, 'the kind of devices "x" of the plugin a has no function load'],
    [
      { hooks: { "vm:befor-start": unused } },
      'has a hook "vm:befor-start", which this silk does not know',
    ],
    [
      { hooks: { "vm:before-start": true } },
      "the hook vm:before-start of the plugin a is no function",
    ],
  ])("says in one line what is wrong: %j", (parts, message) => {
    expect(() => checkPlugin({ name: "a", apiVersion: 1, ...parts }, "a")).toThrow(
      expect.objectContaining({
        code: "PLUGIN_INVALID",
        message: expect.stringContaining(message),
      }),
    );
  });
});

it("backends of two plugins may bring the very same kind of devices", () => {
  const disk = { name: "disk", load: () => Promise.reject(new Error("unused")) };
  const plugins = ["a", "b"].map((name) => ({ name, apiVersion: 1, devices: [disk] }));
  expect(() => checkPlugins(plugins)).not.toThrow();
});
