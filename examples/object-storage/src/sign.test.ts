import { expect, it } from "vitest";
import { signRequest } from "./sign.ts";

it("signs the example of AWS's documentation as it says", () => {
  const bucket = {
    endpoint: "https://examplebucket.s3.amazonaws.com",
    name: "examplebucket",
    region: "us-east-1",
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  };
  const { authorization } = signRequest(bucket, {
    method: "GET",
    url: new URL("https://examplebucket.s3.amazonaws.com/test.txt"),
    at: new Date("2013-05-24T00:00:00Z"),
    headers: { range: "bytes=0-9" },
    bodySha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  });
  expect(authorization).toContain(
    "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  );
});
