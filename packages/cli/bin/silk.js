#!/usr/bin/env node
"use strict";

const { lstatSync, mkdirSync } = require("node:fs");
const { enableCompileCache } = require("node:module");

/**
 * Where Node keeps what it has compiled of the program. What is read from there is run, so it must be the user's alone; undefined where
 * it cannot be.
 */
function compileCache() {
  const { XDG_CACHE_HOME: cache, HOME: home } = process.env;
  const base = cache || (home && `${home}/.cache`);
  if (!base || !base.startsWith("/")) return undefined;
  const directory = `${base}/silk/compile-cache`;
  return isPrivate(directory, 3) ? directory : undefined;
}

/** Whether a directory is the user's alone. It is made where it is not there, with up to so many of its parents. */
function isPrivate(path, parents) {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat !== undefined)
      return stat.isDirectory() && stat.uid === process.geteuid() && (stat.mode & 0o022) === 0;
    if (parents === 0 || !isPrivate(path.slice(0, path.lastIndexOf("/")) || "/", parents - 1))
      return false;
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch {
    return false;
  }
}

if (Number.parseInt(process.versions.node, 10) < 24) {
  console.error(`Error: silk needs Node 24 or newer; this is Node ${process.versions.node}`);
  process.exitCode = 1;
} else {
  const directory = compileCache();
  if (directory !== undefined) enableCompileCache(directory);
  try {
    require("../dist/bundle/launcher.cjs");
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND" || !error.message.includes("launcher.cjs")) throw error;
    // Compiled and not bundled yet: what the bundle is made of.
    void import("../dist/main.js").then(({ main }) =>
      main(process.argv.slice(2), `${__dirname}/..`),
    );
  }
}
