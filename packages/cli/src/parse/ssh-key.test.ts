import { describe, expect, it } from "vitest";
import { parseSshKeys } from "./ssh-key.ts";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2mVnYd0vS1 me@laptop";
const file = (content: string) => async (): Promise<string> => content;
const noFile = async (path: string): Promise<string> => {
  throw new Error(`${path} was read`);
};

describe("parseSshKeys", () => {
  it("takes a key as it is, and touches no file then", async () => {
    expect(await parseSshKeys(` ${key}\n`, noFile)).toEqual([key]);
  });

  it("takes every key of a file, without comments and empty lines", async () => {
    const other = "ecdsa-sha2-nistp256 AAAAE2VjZHNh= you@desk";
    const content = `# mine\n${key}\r\n\n${other}\n`;
    expect(await parseSshKeys("keys.pub", file(content))).toEqual([key, other]);
  });

  it("never passes a private key on, and names the public one", async () => {
    const secret = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\n";
    await expect(parseSshKeys("/home/me/.ssh/id_ed25519", file(secret))).rejects.toMatchObject({
      message: "--ssh-key: /home/me/.ssh/id_ed25519 is a private key, which nobody else must have",
      hint: "Give the public one: /home/me/.ssh/id_ed25519.pub",
    });
    const error: unknown = await parseSshKeys(secret, noFile).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: "invalid" });
    expect((error as Error).message).not.toContain("b3BlbnNz");
  });

  it("refuses half a key, a file with none, and one with something else", async () => {
    await expect(parseSshKeys("ssh-ed25519 ???", noFile)).rejects.toThrow("is no public key");
    await expect(parseSshKeys("empty", file("# none\n"))).rejects.toThrow("empty holds no key");
    await expect(parseSshKeys("odd", file(`${key}\nhello\n`))).rejects.toThrow(
      "odd holds what is no public key",
    );
    await expect(parseSshKeys("", noFile)).rejects.toThrow("it is empty");
  });
});
