import { describeFaults } from "./fault-suite.ts";

describeFaults(["clone", "restore", "wake"]);
