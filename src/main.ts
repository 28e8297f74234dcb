import { openShim } from "./shim.ts";
import { BUILD, VERSION } from "./version.ts";
if (process.argv[2] === "shim") console.log(openShim().now());
else console.log(`understudy ${VERSION} build ${BUILD}`);
