import { describe, expect, it } from "vitest";
import { SilkError } from "../errors.ts";
import { batch, onceEach } from "./batch.ts";

describe("batch", () => {
  it("tries every ref, tells who failed and why, and keeps the order", async () => {
    const result = await batch(["a", "bad", "b"], 2, async (ref) => {
      if (ref === "bad") throw new SilkError("no", { code: "X", kind: "failed" });
      await new Promise((resolve) => setTimeout(resolve, ref === "a" ? 20 : 1));
      return { id: `id-${ref}` };
    });
    expect(result.done).toEqual(["id-a", "id-b"]);
    expect(result.failed.map(({ ref, error }) => [ref, error.code])).toEqual([["bad", "X"]]);
  });

  it("works on no more at once than it may", async () => {
    let running = 0;
    let most = 0;
    await batch(
      Array.from({ length: 20 }, (_, index) => String(index)),
      3,
      async (id) => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return { id };
      },
    );
    expect(most).toBe(3);
  });

  it("takes a ref that is named twice once", async () => {
    let calls = 0;
    const result = await batch(["a", "a"], 2, async (id) => ({ id: `${id}${++calls}` }));
    expect(result.done).toEqual(["a1"]);
  });
});

describe("onceEach", () => {
  it("takes what is named in two ways once, and leaves what nobody knows", () => {
    const resolve = (ref: string): { readonly id: string } => {
      if (ref === "nosuch") throw new Error("there is none");
      return { id: ref.slice(0, 1) };
    };
    expect(onceEach(["a", "nosuch", "abc", "b", "nosuch"], resolve)).toEqual([
      "a",
      "nosuch",
      "b",
      "nosuch",
    ]);
  });
});
