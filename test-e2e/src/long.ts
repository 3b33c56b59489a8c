/** Whether the long tests run, too: every fault, and all of the host in a box. They take hours, and are skipped and counted without it. */
export const isLong: boolean = process.env["SILK_TEST_LONG"] === "1";
