import { describeFaults } from "./fault-suite.ts";

describeFaults(["snapshot", "hibernate", "delete-snapshot", "export", "import"]);
