import { expect, test } from "vitest";
import { parseChallenges } from "./challenge.ts";

test("challenges are taken apart", () => {
  expect(
    parseChallenges(
      'Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull,push"',
    ),
  ).toEqual([
    {
      scheme: "bearer",
      parameters: {
        realm: "https://auth.example/token",
        service: "reg",
        scope: "repository:a/b:pull,push",
      },
    },
  ]);
  expect(parseChallenges('Basic realm="a \\"quoted\\" word", Bearer realm=plain')).toEqual([
    { scheme: "basic", parameters: { realm: 'a "quoted" word' } },
    { scheme: "bearer", parameters: { realm: "plain" } },
  ]);
  expect(parseChallenges(["Negotiate", 'Basic realm="x"'])).toEqual([
    { scheme: "negotiate", parameters: {} },
    { scheme: "basic", parameters: { realm: "x" } },
  ]);
  expect(parseChallenges(undefined)).toEqual([]);
  expect(parseChallenges("=,=")).toEqual([]);
});
