import { definePlugin, type Nic, type Plumbing } from "@silkvm/core";
import { describe, expect, it } from "vitest";
import { makeSandbox } from "./sandbox.ts";
import { targets } from "./targets.ts";

/** A network that keeps books and makes nothing: an unknown TAP is made by the VMM, and goes with it. */
class Books implements Plumbing {
  readonly log: string[] = [];
  #next = 0;

  async plan(vm: { readonly config: { readonly cpus: number } }, count: number): Promise<Nic[]> {
    return Array.from({ length: count }, () => {
      const number = ++this.#next;
      return {
        tap: `silkt${process.pid}${number}`,
        mac: `52:54:00:00:00:${number.toString(16).padStart(2, "0")}`,
        queues: 2 * vm.config.cpus,
        queueSize: 0,
        provider: "books",
      };
    });
  }

  async attach(_vm: unknown, nics: readonly Nic[]): Promise<readonly Nic[]> {
    this.log.push(`attach ${nics.map(({ mac }) => mac).join(" ")}`);
    return nics;
  }

  async detach(_vm: unknown, nics: readonly Nic[]): Promise<void> {
    this.log.push(`detach ${nics.map(({ mac }) => mac).join(" ")}`);
  }

  async networks(): Promise<[]> {
    return [];
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

const [simulated] = targets.filter(({ missing }) => missing === undefined);

describe.each(simulated === undefined ? [] : [simulated])("a clone on $name", (target) => {
  it("has the NICs that a network makes for it, and gives them back when it goes", async () => {
    const books = new Books();
    const network = definePlugin({
      name: "books",
      apiVersion: 1,
      networks: [{ name: "books", description: "keeps books", open: async () => books }],
    });
    await using sandbox = await makeSandbox(target.chBinary(), [network]);
    await using engine = await sandbox.engine();
    const source = await engine.create(await target.spec());
    await source.start();
    const { id } = await source.save();
    const { vm } = await engine.clone({ snapshot: id }, { nics: 2 });
    const view = await vm.inspect();
    expect(view.nics.map(({ provider }) => provider)).toEqual(["books", "books"]);
    expect(view.observed.devices?.filter(({ kind }) => kind === "nic")).toHaveLength(2);
    await vm.delete({ force: true });
    expect(books.log).toEqual([
      "attach 52:54:00:00:00:01 52:54:00:00:00:02",
      "detach 52:54:00:00:00:01 52:54:00:00:00:02",
    ]);
  });

  it("of a snapshot without NICs needs no network, and one with NICs says that there is none", async () => {
    await using sandbox = await makeSandbox(target.chBinary());
    await using engine = await sandbox.engine();
    const source = await engine.create(await target.spec());
    await source.start();
    const { id } = await source.save();
    await expect(engine.clone({ snapshot: id }, { nics: 1 })).rejects.toMatchObject({
      code: "NETWORK_MISSING",
      hint: expect.stringContaining("--nics 0"),
    });
    await expect(engine.clone({ snapshot: id }, { bridge: "br0" })).rejects.toMatchObject({
      code: "NETWORK_MISSING",
    });
    await engine.clone({ snapshot: id }, { nics: 0 });
    expect(await engine.list()).toHaveLength(2);
  });
});
