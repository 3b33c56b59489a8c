// Holds a lock on the file that is its argument until it is ended.
import { linuxHost } from "@silkvm/sys";

const lock = await linuxHost().locks.acquire(process.argv[2] ?? "", 0, { waitMs: 0 });
process.stdout.write(lock === undefined ? "taken\n" : "locked\n");
setInterval(() => {}, 60_000);
