import { expect, test } from "vitest";
import { cniDirectories } from "./directories.ts";

test("directories come from the options, else the environment, else from custom", () => {
  const environment = { NETCONFPATH: "/a:/b", CNI_PATH: ":/c:" };
  expect(cniDirectories({}, environment)).toEqual({ configDirs: ["/a", "/b"], pluginDirs: ["/c"] });
  expect(cniDirectories({ configDirs: ["/d"], pluginDirs: ["/e"] }, environment)).toEqual({
    configDirs: ["/d"],
    pluginDirs: ["/e"],
  });
  expect(cniDirectories({}, { NETCONFPATH: "" })).toEqual({
    configDirs: ["/etc/cni/net.d"],
    pluginDirs: ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"],
  });
});

test("a relative directory is refused: what would be run would be another program in each directory", () => {
  expect(() => cniDirectories({}, { CNI_PATH: "/a:bin" })).toThrow(
    'the directory "bin" in CNI_PATH is not absolute',
  );
});
