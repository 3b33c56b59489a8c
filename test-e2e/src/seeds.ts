import { execFileSync, spawnSync } from "node:child_process";

/** Whether a cidata disk can be looked into, by a program that silk has nothing to do with. */
export const hasMtools: boolean = spawnSync("mtype", ["-V"], { stdio: "ignore" }).status === 0;

/** What a file of a cidata disk says. */
export function seedFile(imagePath: string, name: string): string {
  return execFileSync("mtype", ["-i", imagePath, `::${name}`], { encoding: "utf8" });
}

/** The JSON of a file of a cidata disk, which may begin with a line for cloud-init. */
export function seedJson(imagePath: string, name: string): unknown {
  return JSON.parse(seedFile(imagePath, name).replace(/^#cloud-config\n/, ""));
}
