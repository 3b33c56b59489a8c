import { expect, it } from "vitest";
import { vmRunFlags } from "../flags/vm-spec.ts";
import { dashesBeforeImage, flagsOfVm, imageAndCommand } from "./image-last.ts";

const read = (line: string): readonly string[] => {
  const words = line.split(" ");
  return dashesBeforeImage(words, flagsOfVm(words) ?? 0, vmRunFlags);
};

it.each([
  ["vm run --rm -it debian:12 ls -l --help", "vm run --rm -it -- debian:12 ls -l --help"],
  [
    "vm run -e A=1 --env B -eC=2 -itw /srv web -- sh",
    "vm run -e A=1 --env B -eC=2 -itw /srv -- web sh",
  ],
  ["vm create --cpu=2 --memory 1G web", "vm create --cpu=2 --memory 1G -- web"],
  ["vm debug --json web", "vm debug --json -- web"],
  ["vm:run web --rm", "vm:run -- web --rm"],
  ["vm run --kernel vmlinux --rm", "vm run --kernel vmlinux --rm"],
  ["vm run --name x -- web ls", "vm run --name x -- web ls"],
  ["vm run --nosuch web", "vm run --nosuch web"],
  ["vm run --help", "vm run --help"],
])("%s is read as %s", (line, wanted) => {
  expect(read(line).join(" ")).toBe(wanted);
});

it("what is behind the image is in the order in which it was typed", () => {
  expect(imageAndCommand(["--rm", "--", "web", "echo", "--rm", "--", "x"])).toEqual([
    "web",
    "echo",
    "--rm",
    "--",
    "x",
  ]);
  expect(imageAndCommand(["--kernel", "vmlinux"])).toEqual([]);
});

it("only commands that make a VM have an image", () => {
  expect(flagsOfVm(["vm", "start", "web"])).toBeUndefined();
  expect(flagsOfVm(["image", "run"])).toBeUndefined();
  expect(flagsOfVm([])).toBeUndefined();
});
