import type { VmSummary } from "@silkvm/core";
import { describe, expect, it } from "vitest";
import { parseFilters } from "./list-filter.ts";

function vm(
  name: string,
  state: VmSummary["state"],
  labels: Record<string, string> = {},
): VmSummary {
  return {
    id: `id-${name}`,
    name,
    state,
    backend: "cloud-hypervisor",
    cpus: 1,
    memoryBytes: 0,
    storageBytes: 0,
    nics: 0,
    image: null,
    labels,
    createdAt: "",
    startedAt: null,
    pid: null,
    problem: null,
    exitCode: null,
  };
}

const vms = [
  vm("web-1", "running", { team: "web", gpu: "" }),
  vm("web-2", "stopped", { team: "web" }),
  vm("db", "running", { team: "data", name: "odd" }),
];

function matching(...filters: string[]): string[] {
  return vms.filter(parseFilters(filters)).map(({ name }) => name);
}

describe("parseFilters", () => {
  it("lets everything through where there is none", () => {
    expect(matching()).toEqual(["web-1", "web-2", "db"]);
  });

  it("filters by field", () => {
    expect(matching("state=running")).toEqual(["web-1", "db"]);
    expect(matching("name=db")).toEqual(["db"]);
    expect(matching("id=id-db")).toEqual(["db"]);
    expect(matching("backend=qemu")).toEqual([]);
    expect(matching("image=web:*")).toEqual([]);
    const ofImage = { ...vm("job", "running"), image: "web:1.4" };
    expect([...vms, ofImage].filter(parseFilters(["image=web:*"]))).toEqual([ofImage]);
  });

  it("takes a star for anything, and every other character as it is", () => {
    expect(matching("name=web-*")).toEqual(["web-1", "web-2"]);
    expect(matching("name=*b*1")).toEqual(["web-1"]);
    expect(matching("name=web.1")).toEqual([]);
    expect(matching("name=web")).toEqual([]);
  });

  it("filters by label: its value, or that it is there", () => {
    expect(matching("team=web")).toEqual(["web-1", "web-2"]);
    expect(matching("label=team=data")).toEqual(["db"]);
    expect(matching("label=gpu")).toEqual(["web-1"]);
    expect(matching("label=name=odd")).toEqual(["db"]);
    expect(matching("constructor=x")).toEqual([]);
    expect(matching("label=constructor")).toEqual([]);
  });

  it("takes filters of one field as alternatives, and the others together", () => {
    expect(matching("name=db", "name=web-1")).toEqual(["web-1", "db"]);
    expect(matching("name=db", "name=web-2", "state=running")).toEqual(["db"]);
    expect(matching("team=web", "label=gpu")).toEqual(["web-1"]);
  });

  it.each(["", "running", "=x"])("refuses %j", (text) => {
    expect(() => parseFilters([text])).toThrow("is no filter");
  });

  it("refuses a state that there is not", () => {
    expect(() => parseFilters(["state=up"])).toThrow('--filter: there is no state "up"');
  });
});
