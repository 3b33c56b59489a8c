import { expect, test } from "vitest";
import { familiarName, isLoopback, parseReference } from "./reference.ts";

const digest = `sha256:${"a".repeat(64)}`;

test.each([
  ["debian", "docker.io/library/debian:latest"],
  ["debian:12", "docker.io/library/debian:12"],
  ["acme/web", "docker.io/acme/web:latest"],
  ["docker.io/debian", "docker.io/library/debian:latest"],
  ["index.docker.io/library/debian:12", "docker.io/library/debian:12"],
  ["ghcr.io/acme/a/b:1", "ghcr.io/acme/a/b:1"],
  ["localhost/web", "localhost/web:latest"],
  ["localhost:5000/web", "localhost:5000/web:latest"],
  ["[::1]:5000/web:2", "[::1]:5000/web:2"],
  [`debian@${digest}`, `docker.io/library/debian@${digest}`],
  [`debian:12@${digest}`, `docker.io/library/debian:12@${digest}`],
  ["a__b/c-d.e", "docker.io/a__b/c-d.e:latest"],
])("%s is %s", (text, name) => {
  expect(parseReference(text).name).toBe(name);
  expect(parseReference(name).name).toBe(name);
});

test.each([
  "",
  ":",
  "a:",
  "Debian",
  "a//b",
  "../etc",
  "a b",
  "-a",
  "a@sha256:1",
  "a@md5:00",
  "http://a/b",
  "a:b:c",
  "a/..",
  "a\n",
  "ex ample.com/a",
  "exa_mple.com:x/a",
])("%j is none", (text) => {
  expect(() => parseReference(text)).toThrow(
    expect.objectContaining({ code: "INVALID_IMAGE_NAME" }),
  );
});

test("people do not write what goes without saying", () => {
  expect(familiarName("docker.io/library/debian:12")).toBe("debian:12");
  expect(familiarName("docker.io/acme/web:1")).toBe("acme/web:1");
  expect(familiarName("ghcr.io/acme/web:1")).toBe("ghcr.io/acme/web:1");
});

test("only this very machine is one with nobody between", () => {
  expect(
    ["localhost", "localhost:5000", "127.0.0.1:1", "127.9.9.9", "[::1]:5"].every(isLoopback),
  ).toBe(true);
  expect(
    ["localhost.example.org", "127.0.0.1.example.org", "10.0.0.1:5000", "docker.io"].some(
      isLoopback,
    ),
  ).toBe(false);
});
