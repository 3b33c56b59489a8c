import { describe, expect, it } from "vitest";

import { FaultInjector } from "./injector.ts";
import { parseFaults } from "./rules.ts";

describe("faults", () => {
  it("happen at the call and the time that they are for", () => {
    const rules = parseFaults([
      { call: "vm.boot", nth: 2, action: "exit" },
      { call: "*", action: "slow", ms: 5 },
    ]);
    const injector = new FaultInjector(rules, undefined);
    expect(injector.next("vm.boot")).toMatchObject({ action: "slow", ms: 5 });
    expect(injector.next("vm.boot")).toMatchObject({ action: "exit", code: 1 });
    expect(injector.next("vm.info")).toMatchObject({ action: "slow" });
  });

  it.each([
    [{}, "faults have to be a list"],
    [[{ action: "hang" }], "fault 1 has to name a call"],
    [[{ call: "boot", action: "hang" }], 'fault 1: "boot" is no call'],
    [[{ call: "vm.boot" }], "fault 1 has to have an action"],
    [[{ call: "vm.boot", action: "slow" }], "fault 1 has to say how slow"],
    [[{ call: "vm.boot", nth: 0, action: "hang" }], "fault 1: nth counts from 1"],
    [[{ call: "vm.boot", action: "hang", why: 1 }], "why"],
  ])("are refused where they make no sense: %j", (value, message) => {
    expect(() => parseFaults(value)).toThrow(message);
  });
});
