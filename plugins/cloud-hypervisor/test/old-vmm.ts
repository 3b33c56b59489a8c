// Answers as a VMM from before the versions that silk takes: there is none to be had for a test.
import { createServer } from "node:http";

const { argv } = process;
if (argv.includes("--version")) {
  process.stdout.write("cloud-hypervisor v51.1\n");
} else {
  createServer((_request, response) => {
    const ping = { build_version: "v51.1", version: "51.1.0", pid: process.pid, features: ["kvm"] };
    response.end(JSON.stringify(ping));
  }).listen(argv[argv.indexOf("--api-socket") + 1]);
}
