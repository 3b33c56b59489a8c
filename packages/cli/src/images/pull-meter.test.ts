import type { ImageProgress } from "@silkvm/images";
import { describe, expect, it } from "vitest";
import { PullMeter } from "./pull-meter.ts";

const MiB = 1024 ** 2;

function layer(index: number, doneMiB: number, totalMiB = 100): ImageProgress {
  return {
    phase: "downloading",
    item: `sha256:${index}`,
    index,
    total: 3,
    doneBytes: doneMiB * MiB,
    totalBytes: totalMiB * MiB,
  };
}

describe("PullMeter", () => {
  it("adds up the layers that are under way, with the rate of what has come since", () => {
    const meter = new PullMeter();
    expect(meter.see({ phase: "resolving", item: "web" }, 0).line).toBe("looking it up");
    // What was there from the time before is no speed.
    meter.see(layer(1, 40), 0);
    meter.see(layer(2, 0), 0);
    expect(meter.see(layer(1, 60), 2000).line).toBe(
      "layers 1, 2 of 3: 60M of 200M, 30%, 10M/s, 14 s left",
    );
  });

  it("tells of a layer that took its time once, when it has arrived", () => {
    const meter = new PullMeter();
    meter.see(layer(2, 0), 0);
    expect(meter.see(layer(2, 50), 1000).arrived).toBeUndefined();
    expect(meter.see(layer(2, 100), 2000).arrived).toBe("layer 2 of 3: 100M in 2 s, 50M/s");
    expect(meter.see(layer(2, 100), 2100).arrived).toBeUndefined();
    meter.see(layer(3, 0, 1), 2100);
    expect(meter.see(layer(3, 1, 1), 2200).arrived).toBeUndefined();
  });

  it("says what is done when nothing is being downloaded", () => {
    const meter = new PullMeter();
    meter.see(layer(1, 100), 0);
    expect(meter.see({ phase: "converting", index: 1, total: 3 }, 10).line).toBe(
      "layer 1 of 3: making a disk of it",
    );
  });

  it("numbers nothing where there is one thing, and gives no share of what has no known size", () => {
    const meter = new PullMeter();
    const disk = { phase: "downloading", item: "https://x.example/a.qcow2" } as const;
    meter.see({ ...disk, doneBytes: 0 }, 0);
    expect(meter.see({ ...disk, doneBytes: 10 * MiB }, 1000).line).toBe("10M, 10M/s");
  });
});
