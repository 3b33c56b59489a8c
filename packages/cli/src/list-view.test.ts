import type { VmSummary } from "@silkvm/core";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { renderVmList } from "./list-view.ts";

const nowMs = Date.parse("2026-03-01T12:00:00.000Z");
const running: VmSummary = {
  id: "3f9a1c2b4d5e6f70",
  name: "web",
  state: "running",
  backend: "cloud-hypervisor",
  cpus: 2,
  memoryBytes: 1024 ** 3,
  storageBytes: 10 * 1024 ** 3,
  nics: 2,
  image: null,
  labels: { team: "web" },
  createdAt: "2026-02-27T12:00:00.000Z",
  startedAt: "2026-03-01T11:57:00.000Z",
  pid: 4242,
  problem: null,
  exitCode: null,
};
const broken: VmSummary = {
  ...running,
  id: "77aa000000000000",
  name: "db",
  state: "error",
  storageBytes: 0,
  startedAt: null,
  pid: null,
  problem: { code: "VMM_EXITED", message: "the VMM ended", at: "2026-03-01T11:00:00.000Z" },
};
const view = { json: false, quiet: false, pretty: false, nowMs };

describe("renderVmList", () => {
  it("is a table for people", () => {
    expect(renderVmList([running, broken], view)).toMatchInlineSnapshot(`
      "ID                NAME  STATE               CPUS  MEMORY  STORAGE  NICS  IMAGE  CREATED     UPTIME
      3f9a1c2b4d5e6f70  web   running                2      1G      10G     2  -      2 days ago  3 minutes
      77aa000000000000  db    error (VMM_EXITED)     2      1G        -     2  -      2 days ago  -
      "
    `);
  });

  it("shows of an image that came by a URL the file alone", () => {
    const url = "https://cloud.example.org/images/12/debian-12-generic-amd64.qcow2";
    const vms = [
      { ...running, image: "ghcr.io/acme/web:1.4" },
      { ...running, image: url },
    ];
    const [, ...rows] = renderVmList(vms, view).trimEnd().split("\n");
    expect(rows.map((row) => row.split(/ {2,}/)[7])).toEqual([
      "ghcr.io/acme/web:1.4",
      "debian-12-generic-amd64.qcow2",
    ]);
  });

  it("is a header where there are no VMs", () => {
    expect(renderVmList([], view)).toBe(
      "ID  NAME  STATE  CPUS  MEMORY  STORAGE  NICS  IMAGE  CREATED  UPTIME\n",
    );
  });

  it("is one array for programs, also when it is empty", () => {
    expect(renderVmList([], { ...view, json: true })).toBe("[]\n");
    expect(JSON.parse(renderVmList([running], { ...view, json: true }))).toEqual([running]);
    expect(renderVmList([running], { ...view, json: true }).split("\n")).toHaveLength(2);
  });

  it("is indented for people who look at JSON", () => {
    expect(renderVmList([running], { ...view, json: true, pretty: true })).toContain('\n    "id"');
  });

  it("is ids alone when that is wanted, as lines or as an array", () => {
    expect(renderVmList([running, broken], { ...view, quiet: true })).toBe(
      "3f9a1c2b4d5e6f70\n77aa000000000000\n",
    );
    expect(renderVmList([], { ...view, quiet: true })).toBe("");
    expect(renderVmList([running], { ...view, quiet: true, json: true })).toBe(
      '["3f9a1c2b4d5e6f70"]\n',
    );
  });

  it("fits a terminal, and has colours there", () => {
    const text = renderVmList([running, broken], { ...view, width: 80, color: true });
    expect(text).toContain("\u001b[32mrunning");
    for (const line of stripVTControlCharacters(text).split("\n"))
      expect(line.length).toBeLessThanOrEqual(80);
  });
});
