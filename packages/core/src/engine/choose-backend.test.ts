import { describe, expect, it } from "vitest";
import { defaultConfig } from "../config/defaults.ts";
import type { Host } from "../host.ts";
import type { BackendDefinition, Fitness } from "../hypervisor.ts";
import { chooseBackend } from "./choose-backend.ts";

/** What a backend looks at is not looked at here. */
const host = {} as Host;
const config = defaultConfig({}, 0);
const open = (): Promise<never> => Promise.reject(new Error("unused"));

function backend(name: string, fitness?: Partial<Fitness>): BackendDefinition {
  if (fitness === undefined) return { name, description: "", open };
  const told = { isChosen: false, isUsable: true, reason: `${name} is there`, ...fitness };
  return { name, description: "", open, fitness: async () => told };
}

const choose = (...backends: BackendDefinition[]) => chooseBackend(host, config, backends);
const missing = { isUsable: false, reason: "its program is not on PATH" };

describe("the backend of a VM that names none", () => {
  it("is the one that the settings name, whatever there is", async () => {
    const chosen = await chooseBackend(host, { ...config, backend: "b" }, [backend("a")]);
    expect(chosen).toMatchObject({ name: "b", isSubstitute: false });
  });

  it("is the first that can run VMs here, and says what speaks against those before it", async () => {
    expect(await choose(backend("a", {}), backend("b", {}))).toMatchObject({
      name: "a",
      isSubstitute: false,
    });
    expect(await choose(backend("a", missing), backend("b", {}))).toEqual({
      name: "b",
      reason: "b is there; a cannot: its program is not on PATH",
      isSubstitute: true,
    });
  });

  it("is the one whose VMM the settings name, also where it cannot run here", async () => {
    const chosen = { ...missing, isChosen: true };
    expect(await choose(backend("a", {}), backend("b", chosen))).toMatchObject({
      name: "b",
      isSubstitute: false,
    });
  });

  it("is the first where none can, so that its own error is told", async () => {
    expect(await choose(backend("a", missing), backend("b", missing))).toMatchObject({
      name: "a",
      reason: "its program is not on PATH",
      isSubstitute: false,
    });
  });

  it("may be one that does not tell", async () => {
    expect(await choose(backend("a", missing), backend("b"))).toMatchObject({
      name: "b",
      isSubstitute: true,
    });
    await expect(choose()).rejects.toMatchObject({ code: "BACKEND_UNKNOWN" });
  });
});
