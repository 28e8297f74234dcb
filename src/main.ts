/** The one executable: what the command line asks for, and nothing else, is loaded. */
import { parseArgs } from "node:util";
import type { Common } from "./cli/commands.ts";
import { Failure, sentence } from "./errors.ts";
import { BUILD, COMMIT, VERSION } from "./version.ts";

const HELP = `understudy: two gateway nodes, one active, never two owners of a shared address

  understudy node --state DIR --run DIR [--web ADDR:PORT] [--reboot-command CMD] [--poweroff-command CMD]
                  [--watchdog DEVICE] [--hooks DIR] [--boot DIR] [--conntrackd PROGRAM]
  understudy [--run DIR] menu [--console-command CMD]
  understudy [--run DIR] status [--watch]
  understudy [--run DIR] events [--last N] | events --follow
  understudy [--run DIR] capture [FILE [NAME ...]] | capture --dissector
  understudy [--run DIR] settings get [PATH] | set PATH=VALUE ... [--alone] | revisions | show REVISION
  understudy [--run DIR] settings export [FILE] | import FILE [--alone]
  understudy [--run DIR] cluster join   --interface IF [--name NAME] [--skip-code]
  understudy [--run DIR] cluster create --interface IF --match MINE=THEIRS ... [--code NNNNNN | --skip-code]
  understudy [--run DIR] cluster cancel
  understudy [--run DIR] cluster switch
  understudy [--run DIR] cluster maintenance on|off
  understudy [--run DIR] cluster destroy --yes
  understudy [--run DIR] doctor
  understudy [--run DIR] services
  understudy [--run DIR] cards | cards assign NAME MAC | cards forget NAME
  understudy cards name --state DIR        once at boot, before the node: eth0, eth1, ... by MAC address
  understudy [--run DIR] backup create | list | show NAME | restore NAME | delete NAME   [--passphrase | --passphrase-file FILE]
  understudy [--run DIR] update status | check FILE | start FILE [--order backup-first] [--alone]
  understudy [--run DIR] update pause | resume | abort | restore --yes [--alone]
  understudy [--run DIR] license show | install FILE | check FILE
  understudy [--run DIR] password [--name admin]
  understudy [--run DIR] reboot | poweroff
  understudy --version

All commands take --json. --run defaults to /run/understudy, --state to /var/lib/understudy.`;

const OPTIONS = {
  state: { type: "string", default: "/var/lib/understudy" },
  run: { type: "string", default: "/run/understudy" },
  web: { type: "string" },
  "reboot-command": { type: "string" },
  "poweroff-command": { type: "string" },
  watchdog: { type: "string" },
  hooks: { type: "string" },
  boot: { type: "string" },
  order: { type: "string" },
  conntrackd: { type: "string" },
  "gate-socket": { type: "string" },
  "console-command": { type: "string" },
  interface: { type: "string" },
  name: { type: "string" },
  match: { type: "string", multiple: true },
  last: { type: "string" },
  follow: { type: "boolean", default: false },
  dissector: { type: "boolean", default: false },
  passphrase: { type: "boolean", default: false },
  "passphrase-file": { type: "string" },
  code: { type: "string" },
  "skip-code": { type: "boolean", default: false },
  alone: { type: "boolean", default: false },
  yes: { type: "boolean", default: false },
  watch: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
  version: { type: "boolean", default: false },
} as const;

/** Commands of one word that nothing follows. */
const ALONE = ["node", "menu", "status"];

class UsageError extends Error {}

async function main(): Promise<void> {
  const { values, positionals } = parse();
  if (values.version) {
    const text = `understudy ${VERSION} build ${BUILD} (${COMMIT})`;
    return console.log(values.json ? JSON.stringify({ version: VERSION, build: BUILD, commit: COMMIT }) : text);
  }
  if (values.help) return console.log(HELP);
  const common = { run: values.run, json: values.json };
  const command = positionals.join(" ");
  if (ALONE.includes(positionals[0] ?? "") && positionals.length > 1)
    throw new UsageError(`${positionals[0]} takes no further words; \`understudy --help\` lists what there is.`);
  switch (positionals[0]) {
    case "heart":
      return (await import("./heart/main.ts")).runHeart({
        gate_socket: values["gate-socket"],
        watchdog: values.watchdog,
      });
    case "web":
      return (await import("./web/main.ts")).runWeb();
    case "node": {
      const { runNode } = await import("./control/run.ts");
      return runNode({
        state: values.state,
        run: values.run,
        web: values.web ?? null,
        reboot_command: values["reboot-command"] ?? null,
        poweroff_command: values["poweroff-command"] ?? null,
        watchdog: values.watchdog ?? null,
        hooks: values.hooks ?? null,
        boot: values.boot ?? null,
        conntrackd: values.conntrackd ?? null,
      });
    }
    case "menu": {
      if (values.json) throw new UsageError("The menu is for people and has no --json; use the commands instead.");
      const { openMenu } = await import("./menu/open.ts");
      return openMenu(values.run, values["console-command"] ?? process.env["SHELL"]);
    }
    case "status":
      return (await import("./cli/status.ts")).showStatus(values.run, { json: values.json, watch: values.watch });
    case "settings": {
      const { settingsCommand } = await import("./cli/settings.ts");
      return settingsCommand(common, positionals.slice(1), { alone: values.alone });
    }
    case "backup": {
      const secret = { passphrase: values.passphrase, file: values["passphrase-file"], alone: values.alone };
      return (await import("./cli/backup.ts")).backupCommand(common, positionals.slice(1), secret);
    }
    case "cards":
      process.exitCode = await (await import("./cli/cards.ts")).cardsCommand(
        common,
        positionals.slice(1),
        values.state,
      );
      return;
    case "update": {
      const { alone, yes, order } = values;
      return (await import("./cli/update.ts")).updateCommand(common, positionals.slice(1), { alone, yes, order });
    }
    case "capture": {
      const capture = await import("./cli/capture.ts");
      if (!values.dissector) return capture.captureCommand(common, positionals.slice(1));
      if (positionals.length > 1) throw new UsageError("capture --dissector prints the dissector and takes no words.");
      return capture.printDissector();
    }
    case "license":
      return (await import("./cli/license.ts")).licenseCommand(common, positionals.slice(1), { alone: values.alone });
    case "password":
      return (await import("./cli/password.ts")).passwordCommand(common, positionals.slice(1), {
        name: values.name ?? "admin",
        alone: values.alone,
      });
  }
  if (positionals[0] === "cluster") return runCluster(common, command, values);
  const commands = await import("./cli/commands.ts");
  switch (command) {
    case "events":
      return values.follow ? commands.followEvents(common) : commands.showEvents(common, values.last);
    case "doctor":
      process.exitCode = await (await import("./cli/doctor.ts")).runDoctor(common);
      return;
    case "services":
      return (await import("./cli/services.ts")).showServices(common);
    case "reboot":
    case "poweroff":
      return (await import("./cli/power.ts")).power(common, command);
  }
  throw new UsageError(
    command === ""
      ? "Say what to do; `understudy --help` lists the commands."
      : `There is no command "${command}"; \`understudy --help\` lists them.`,
  );
}

async function runCluster(common: Common, command: string, values: ReturnType<typeof parse>["values"]): Promise<void> {
  const cluster = await import("./cli/cluster.ts");
  const skip_code = values["skip-code"];
  const nic = (): string => {
    if (values.interface !== undefined) return values.interface;
    throw new UsageError("Name the network card for the cluster network with --interface IF.");
  };
  switch (command) {
    case "cluster join":
      return cluster.joinCluster(common, { nic: nic(), name: values.name, skip_code });
    case "cluster create": {
      const { code, match = [] } = values;
      return cluster.createCluster(common, { nic: nic(), matches: match, skip_code, code });
    }
    case "cluster cancel":
      return cluster.cancelPairing(common);
    case "cluster switch":
      return cluster.switchOver(common);
    case "cluster maintenance on":
    case "cluster maintenance off":
      return cluster.maintain(common, command.endsWith("on"));
    case "cluster destroy":
      if (!values.yes)
        throw new UsageError("The other node is reset to a fresh install, now or when it returns; confirm with --yes.");
      return cluster.destroyCluster(common);
  }
  throw new UsageError(`There is no command "${command}"; \`understudy --help\` lists them.`);
}

function parse() {
  try {
    return parseArgs({ options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(sentence(error));
  }
}

main().catch((error: unknown) => {
  const usage = error instanceof UsageError || (error instanceof Failure && error.code === "usage");
  if (!usage && !(error instanceof Failure)) console.error(error);
  else console.error(sentence(error));
  process.exit(usage ? 2 : 1);
});
