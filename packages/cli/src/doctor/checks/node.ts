import type { Check } from "../finding.ts";

const oldestMajor = 24;

/** Whether silk runs on a Node that it is made for. */
export const node: Check = {
  id: "node",
  title: "Node.js",
  group: "silk",
  async run({ nodeVersion }) {
    if (Number.parseInt(nodeVersion, 10) >= oldestMajor)
      return { status: "ok", evidence: nodeVersion };
    return {
      status: "failed",
      evidence: `${nodeVersion} is older than ${oldestMajor}`,
      why: "silk uses parts of Node.js that older versions lack.",
      fix: {
        description: `Install Node.js ${oldestMajor} or newer from https://nodejs.org.`,
        automatic: false,
      },
    };
  },
};
