import { mkdirSync, writeFileSync } from "node:fs";
import { linuxHost } from "@silkvm/sys";
import { expect, test } from "vitest";
import { credentialFiles, findCredentials } from "../src/registry/credentials.ts";
import { Bed } from "./bed.ts";

const basic = (text: string): { auth: string } => ({ auth: Buffer.from(text).toString("base64") });

function setUp(bed: Bed, config: unknown): Record<string, string> {
  mkdirSync(bed.path("docker"), { recursive: true });
  writeFileSync(
    bed.path("docker/config.json"),
    typeof config === "string" ? config : JSON.stringify(config),
  );
  return { DOCKER_CONFIG: bed.path("docker") };
}

const find = (environment: Record<string, string>, registry: string, repository: string) =>
  findCredentials(linuxHost(), environment, registry, repository, {});

test("files of several programs are looked at, the one that was named first", () => {
  expect(credentialFiles({ HOME: "/h" })).toEqual([
    "/h/.config/containers/auth.json",
    "/h/.docker/config.json",
  ]);
  expect(
    credentialFiles({
      HOME: "/h",
      DOCKER_CONFIG: "/d",
      XDG_RUNTIME_DIR: "/r",
      REGISTRY_AUTH_FILE: "/a",
      XDG_CONFIG_HOME: "/c",
    }),
  ).toEqual(["/a", "/d/config.json", "/r/containers/auth.json", "/c/containers/auth.json"]);
  expect(credentialFiles({})).toEqual([]);
});

test("the most precise name of a registry counts, and Docker Hub has one of its own", async () => {
  await using bed = new Bed();
  const environment = setUp(bed, {
    auths: {
      "ghcr.io": basic("all:1"),
      "ghcr.io/acme": basic("acme:2"),
      "https://index.docker.io/v1/": basic("hub:a:b"),
      "https://quay.io": { username: "q", password: "3" },
      "tokens.example": { identitytoken: "refresh" },
      "empty.example": {},
    },
  });
  expect(await find(environment, "ghcr.io", "acme/web")).toEqual({
    kind: "password",
    username: "acme",
    password: "2",
  });
  expect(await find(environment, "ghcr.io", "other/web")).toMatchObject({ username: "all" });
  expect(await find(environment, "docker.io", "library/debian")).toEqual({
    kind: "password",
    username: "hub",
    password: "a:b",
  });
  expect(await find(environment, "quay.io", "a/b")).toMatchObject({ username: "q" });
  expect(await find(environment, "tokens.example", "a/b")).toEqual({
    kind: "identity-token",
    token: "refresh",
  });
  expect(await find(environment, "empty.example", "a/b")).toBeUndefined();
  expect(await find(environment, "none.example", "a/b")).toBeUndefined();
});

test("helpers are asked by the name that Docker asks them by, and what they say in a failure is not told", async () => {
  await using bed = new Bed();
  mkdirSync(bed.path("bin"));
  const helper = (body: string): void =>
    writeFileSync(bed.path("bin/docker-credential-silkunit"), `#!/bin/sh\n${body}\n`, {
      mode: 0o755,
    });
  const path = process.env["PATH"];
  process.env["PATH"] = `${bed.path("bin")}:${path}`;
  bed.defer(() => void (process.env["PATH"] = path));
  const environment = setUp(bed, { credsStore: "silkunit" });
  helper('read server; echo "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"for $server\\"}"');
  expect(await find(environment, "docker.io", "library/debian")).toEqual({
    kind: "identity-token",
    token: "for https://index.docker.io/v1/",
  });
  expect(await find(environment, "ghcr.io", "a/b")).toEqual({
    kind: "identity-token",
    token: "for ghcr.io",
  });
  helper("echo credentials not found in native keychain; exit 1");
  expect(await find(environment, "ghcr.io", "a/b")).toBeUndefined();
  for (const body of ["echo s3cret; exit 1", "echo s3cret"]) {
    helper(body);
    const error: unknown = await find(environment, "ghcr.io", "a/b").catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: "CREDENTIALS_UNREADABLE", kind: "failed" });
    expect(JSON.stringify(error)).not.toContain("s3cret");
  }
  await expect(find(setUp(bed, { credsStore: "../evil" }), "ghcr.io", "a/b")).rejects.toMatchObject(
    { code: "CREDENTIALS_UNREADABLE" },
  );
  await expect(
    find(setUp(bed, { credsStore: "silk-not-there" }), "ghcr.io", "a/b"),
  ).rejects.toMatchObject({ code: "CREDENTIALS_UNREADABLE" });
});

test("a damaged file is named, and nothing of what is in it", async () => {
  await using bed = new Bed();
  for (const config of [
    '{"auths": {"x": {"auth": "s3cret"',
    { auths: { "ghcr.io": { auth: Buffer.from("s3cret").toString("base64") } } },
  ]) {
    const error: unknown = await find(setUp(bed, config), "ghcr.io", "a/b").catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: "CREDENTIALS_UNREADABLE" });
    expect(JSON.stringify(error)).not.toMatch(/s3cret|czNjcmV0/);
  }
});
