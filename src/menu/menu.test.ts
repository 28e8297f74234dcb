/** Every item of the menu against a node that answers as it is told, on a terminal without anybody. */
import { afterEach, describe, expect, test } from "bun:test";
import { ACTIVE, BACKUP, type FakeNode, Refusal, Session } from "../../test/menu/fake.ts";

let session: Session;

afterEach(() => session.close());

const fresh = (node: FakeNode): void => {
  node.settings = { server: { name: "understudy" }, interfaces: [] };
  for (const card of node.cards) card.used_as = "free";
  node.status = { ...node.status, name: "understudy", addresses: [], settings_revision: 0 };
};

/** A node that waits for its peer until it is told that the peer is there, or until the request is given up. */
function waiting(node: FakeNode): { finish: (failure?: Refusal) => void; given_up: () => boolean } {
  let finish: (failure?: Refusal) => void = () => undefined;
  let given_up = false;
  node.routes["POST /cluster/join"] = (_, request) => {
    const before = node.status;
    node.status = { ...before, role: "joining", pairing: { side: "joiner", seconds_left: 3600, waiting: "Waiting." } };
    return new Promise((resolve, reject) => {
      finish = (failure) => {
        node.status = failure === undefined ? BACKUP : before;
        if (failure === undefined) resolve({});
        else reject(failure);
      };
      request.signal.addEventListener("abort", () => {
        given_up = true;
        node.status = before;
      });
    });
  };
  return { finish: (failure) => finish(failure), given_up: () => given_up };
}

describe("S16: a fresh install", () => {
  test("y, card, y, name, wait, code: this server is the backup, with four items", async () => {
    let pairing: ReturnType<typeof waiting> | undefined;
    session = Session.open((node) => {
      fresh(node);
      pairing = waiting(node);
    });
    await session.talk(
      ["second node (backup) of a cluster?", "y"],
      ["Select the network card", "3"],
      ["Create the cluster on clu0?", "y"],
      ["Change server name?", "y"],
      ["Enter the new server name (2 to 42 characters)", "node-b"],
    );
    await session.sees("3,600 seconds are allowed");
    await session.sees("Ctrl+C, or c and Enter, cancels");
    await session.sees("3,600 s left");
    expect(session.node.bodies("POST /cluster/join")).toEqual([{ interface: "clu0", name: "node-b", timeout_s: 3600 }]);
    const { status } = session.node;
    session.node.status = { ...status, pairing: { side: "joiner", seconds_left: 3540, code: "407913" } };
    await session.sees("     #####  #   #    #         ####    #     ###\n");
    await session.sees("The code is 407913.");
    await session.sees("3,540 s left");
    pairing?.finish();
    await session.sees("This server is the backup node");
    await session.sees("  1. Destroy cluster\n  2. Reboot server\n  3. Turn off server\n  4. Exit\n# ");
  });

  const declined: [string, string[], string | null][] = [
    ["n: the list of a standalone server", ["n"], null],
    ["c: the list as well", ["c"], "Cancelled; nothing was changed."],
    ["y and c at the card", ["y", "c"], "Cancelled; nothing was changed."],
    ["y, card and n", ["y", "1", "n"], "Cancelled; nothing was changed."],
    ["y, card, y and c at the name", ["y", "1", "y", "c"], "Cancelled; nothing was changed."],
    ["y, card, y, y and c at its text", ["y", "1", "y", "y", "c"], "Cancelled; nothing was changed."],
  ];
  for (const [what, answers, said] of declined)
    test(what, async () => {
      session = Session.open(fresh);
      for (const answer of answers) {
        await session.sees("# ");
        session.device.type(`${answer}\n`);
      }
      if (said !== null) await session.sees(said);
      await session.sees("  1. Configure an interface");
      expect(session.node.bodies("POST /cluster/join")).toEqual([]);
    });

  test("is asked once, and not on a server that is configured", async () => {
    session = Session.open();
    await session.sees("  1. Configure an interface");
    expect(session.device.shown).not.toContain("second node");
  });

  for (const looks of [1, 2, 3, 4])
    test(`is asked also where the node is still starting when the menu looks for the first time, ${looks} looks long`, async () => {
      session = Session.open((node) => {
        fresh(node);
        const standalone = node.status;
        let looked = 0;
        node.routes["GET /status"] = () => ({ ...standalone, role: looked++ < looks ? "starting" : "standalone" });
      });
      await session.sees("second node (backup) of a cluster?");
      session.device.type("n\n");
      await session.sees("  1. Configure an interface");
    });

  for (const [what, key] of [
    ["Ctrl+C", "\x03"],
    ["c and Enter", "c\n"],
  ] as const)
    test(`${what} ends the wait, on the node too`, async () => {
      let pairing: ReturnType<typeof waiting> | undefined;
      session = Session.open((node) => {
        fresh(node);
        pairing = waiting(node);
      });
      await session.talk(["backup", "y"], ["card", "3"], ["clu0?", "y"], ["name?", "n"], ["cancels", "?"]);
      await session.sees("The server is waiting; press Ctrl+C");
      session.device.type(key);
      await session.sees("Cancelled; nothing was changed.");
      await session.sees("  1. Configure an interface");
      expect(pairing?.given_up()).toBe(true);
      expect(session.node.bodies("DELETE /cluster/pairing").length).toBe(1);
    });

  test("what the wait ended in is said", async () => {
    let pairing: ReturnType<typeof waiting> | undefined;
    session = Session.open((node) => {
      fresh(node);
      pairing = waiting(node);
    });
    await session.talk(["backup", "y"], ["card", "3"], ["clu0?", "y"], ["name?", "n"]);
    await session.sees("s left");
    pairing?.finish(new Refusal("timeout", "Nobody came within 3,600 s."));
    await session.sees("Nobody came within 3,600 s.");
    await session.sees("  1. Configure an interface");
  });
});

describe("S17: an installed server", () => {
  test("Create cluster offers the free cards only", async () => {
    session = Session.open(waiting);
    await session.choose("Create cluster: this server becomes the backup");
    await session.talk(
      ["  1. wan0", "2"],
      ["Create the cluster on clu0?", "y"],
      ["is node-a. Change server name?", "n"],
    );
    await session.sees("cancels");
    await session.sees("s left");
    expect(session.node.bodies("POST /cluster/join")).toEqual([{ interface: "clu0", timeout_s: 3600 }]);
  });

  test("no free card is said", async () => {
    session = Session.open((node) => {
      node.cards = node.cards.filter(({ used_as }) => used_as !== "free");
    });
    await session.choose("Create cluster: this server becomes the backup");
    await session.sees("Every network card of this server is in use");
    await session.sees("  1. Configure an interface");
  });
});

describe("the active node creates the cluster", () => {
  // The reserved one, which is not offered, comes first: it would have the number 1.
  const cards = ["eth6", "eth7", "eth8"].map((nic) => ({ nic, mac: "02:00:00:00:00:99", reserved: nic === "eth6" }));
  const prepare = (node: FakeNode): void => {
    node.routes["POST /cluster/search"] = () => ({ peer: { name: "node-b", version: "1.2.3", build: 45, cards } });
    node.routes["POST /cluster/code"] = (body) => {
      if ((body as { code: string }).code !== "123456") throw new Refusal("wrong-code", "That code is wrong.");
      return {};
    };
    node.routes["POST /cluster/test"] = (body) => {
      const { mine, theirs } = body as { mine: string; theirs: string };
      return { matches: [{ mine, theirs, advice: theirs === "eth7" ? "No frame came through." : null }] };
    };
    node.routes["POST /cluster/apply"] = () => {
      node.status = ACTIVE;
      return {};
    };
  };

  test("search, a wrong code, the right one, a wrong match, the right one, apply", async () => {
    session = Session.open(prepare);
    await session.choose("Create cluster: this server stays and becomes active");
    await session.talk(
      ["Select the network card", "2"],
      ["Found node-b, version 1.2.3 build 45", "12345"],
      ["six digits", "999 999"],
      ["That code is wrong.", "y"],
      ["Found node-b", "123456"],
      ["same network as lan0?", "1"],
      ["No frame came through.", "2"],
      ["All settings of node-b will be deleted", "y"],
    );
    await session.sees("Communication with the server has been established");
    await session.sees("Switch over to the other node");
    expect(session.node.bodies("POST /cluster/apply")).toEqual([{ matches: [{ mine: "lan0", theirs: "eth8" }] }]);
    expect(session.node.bodies("POST /cluster/search")[0]).toEqual({ interface: "clu0", timeout_s: 3600 });
  });

  test("declined at the end, the pairing is cancelled", async () => {
    session = Session.open(prepare);
    await session.choose("Create cluster: this server stays and becomes active");
    await session.talk(["card", "2"], ["Found", "123456"], ["lan0?", "2"], ["Create the cluster?", "n"]);
    await session.sees("Cancelled; nothing was changed.");
    expect(session.node.bodies("DELETE /cluster/pairing").length).toBeGreaterThan(0);
    expect(session.node.bodies("POST /cluster/apply")).toEqual([]);
  });
});

describe("S19, S20: in a cluster", () => {
  test("the active node offers everything but what the cluster forbids", async () => {
    session = Session.open(
      (node) => {
        node.status = ACTIVE;
      },
      { console_command: "true" },
    );
    await session.sees("Exit");
    await session.sees("# ");
    const labels = [...session.device.shown.matchAll(/^ +\d+\. (.*)$/gm)].map((match) => match[1]);
    expect(labels).toEqual([
      "Configure an interface",
      "Web access from outside",
      "Create a backup copy",
      "Administrator's password",
      "Switch over to the other node",
      "Destroy cluster",
      "Version, and the previous one",
      "Diagnostics",
      "Console",
      "Reboot server",
      "Turn off server",
      "Exit",
    ]);
  });

  for (const role of ["backup", "probing", "listening", "resuming", "erased"])
    test(`${role}: just four items`, async () => {
      session = Session.open((node) => {
        node.status = { ...BACKUP, role };
      });
      await session.sees("  1. Destroy cluster\n  2. Reboot server\n  3. Turn off server\n  4. Exit\n# ");
      session.device.type("5\n");
      await session.sees("There is no item 5; type a number from 1 to 4");
    });

  test("destroy: a warning, y, alone", async () => {
    session = Session.open((node) => {
      node.status = BACKUP;
      node.routes["POST /cluster/destroy"] = () => {
        node.status = { ...BACKUP, role: "standalone", peer: null };
        return {};
      };
    });
    await session.choose("Destroy cluster");
    await session.talk(["WARNING: the cluster will be destroyed", "y"]);
    await session.sees("The cluster was destroyed");
    await session.sees("Configure an interface");
  });

  test("destroy, n: nothing is asked of the node", async () => {
    session = Session.open((node) => {
      node.status = BACKUP;
    });
    await session.choose("Destroy cluster");
    await session.talk(["WARNING", "n"]);
    await session.sees("Cancelled; nothing was changed.");
    expect(session.node.bodies("POST /cluster/destroy")).toEqual([]);
  });

  test("switch over, refused by the node: its sentence", async () => {
    session = Session.open((node) => {
      node.status = ACTIVE;
      node.routes["POST /cluster/switch"] = () => {
        throw new Refusal("peer-away", "node-b is not heard; nobody can take over.");
      };
    });
    await session.choose("Switch over to the other node");
    await session.talk(["Switch over?", "y"]);
    await session.sees("node-b is not heard; nobody can take over.");
    await session.sees("  1. Configure an interface");
  });

  test("the list follows the role, and the number typed for the other list is dropped", async () => {
    session = Session.open((node) => {
      node.status = BACKUP;
    });
    await session.sees("  4. Exit\n# ");
    session.device.type("4");
    session.node.status = ACTIVE;
    await session.sees("This server is the active node now.");
    await session.sees("Switch over to the other node");
    await session.sees("# ");
    session.device.type("\n");
    await session.sees("Nothing was typed; type a number from 1 to 11");
    expect(session.is_over).toBe(false);
  });
});

describe("settings", () => {
  test("an interface, from nothing to applied", async () => {
    session = Session.open();
    await session.choose("Configure an interface");
    await session.talk(
      ["Select the network card", "2"],
      ["What is connected to wan0?", "2"],
      ["Addresses of wan0", "10.2.0.1"],
      ["is no address with its prefix length", ""],
      ["At least one is needed", "10.2.0.1/24, fd00:2::1/64"],
      ["IPv4 gateway", "fd00::1"],
      ["is no IPv4 address", "10.2.0.254"],
      ["IPv6 gateway", "-"],
      ["be enabled?", "y"],
      ["Name servers", "10.2.0.253 x"],
      ["x is no IP address", "10.2.0.253"],
      ["Apply these settings?", "y"],
    );
    await session.sees("wan0 was configured.");
    const wan = { nic: "wan0", role: "external", addresses: ["10.2.0.1/24", "fd00:2::1/64"], gateway: "10.2.0.254" };
    expect(session.node.bodies("PATCH /settings?author=console")).toEqual([
      { set: { "interfaces.wan0": wan, "dns.servers": ["10.2.0.253"] } },
    ]);
  });

  test("refused by the node, what was typed is offered again; n asks again too", async () => {
    let tries = 0;
    session = Session.open((node) => {
      node.routes["PATCH /settings"] = () => {
        tries += 1;
        if (tries === 1) throw new Refusal("bad-settings", "interfaces: the address 10.1.0.9 is used twice; keep one.");
        return {};
      };
    });
    await session.choose("Configure an interface");
    await session.talk(["card", "1"], ["lan0?", "1"], ["Addresses", "10.1.0.9/24"], ["gateway", ""]);
    await session.talk(["enabled?", "n"], ["Name servers", ""], ["Apply", "y"]);
    await session.sees("is used twice; keep one.");
    await session.talk(["lan0?", "1"], ["Enter alone keeps: 10.1.0.9/24", ""], ["gateway", ""], ["is disabled", "y"]);
    await session.talk(["Name servers", ""], ["Apply", "n"]);
    await session.talk(["lan0?", "1"], ["keeps: 10.1.0.9/24", ""], ["gateway", ""], ["enabled", "y"], ["Name", ""]);
    await session.talk(["Apply", "y"]);
    await session.sees("lan0 was configured.");
    expect(session.node.bodies("PATCH /settings?author=console").at(-1)).toEqual({
      set: { "interfaces.lan0": { nic: "lan0", role: "internal", addresses: ["10.1.0.9/24"] } },
    });
  });

  test("an interface can be deleted, but not in a cluster", async () => {
    session = Session.open();
    await session.choose("Configure an interface");
    await session.talk(["card", "1"], ["nothing: delete its settings", "3"], ["will be deleted", "y"]);
    await session.sees("lan0 is a free network card now.");
    expect(session.node.bodies("PATCH /settings?author=console")).toEqual([{ set: { "interfaces.lan0": null } }]);
    session.node.status = ACTIVE;
    await session.sees("This server is the active node now.");
    await session.choose("Configure an interface");
    await session.sees("1. lan0");
    await session.talk(["cancel", "2"], ["There is no item 2", "1"], ["What is connected", "3"]);
    await session.sees("There is no item 3; type a number from 1 to 2");
  });

  test("the backup cannot store it: alone after y", async () => {
    session = Session.open((node) => {
      node.routes["PATCH /settings"] = (_, request) => {
        if (request.url.includes("alone=1")) return {};
        throw new Refusal("not-replicated", "node-b did not confirm within 5 s.");
      };
    });
    await session.choose("Web access from outside");
    await session.talk(["not reachable", "y"], ["node-b did not confirm", "y"]);
    await session.sees("Web access from outside is on now.");
  });

  test("the server's name, with wrong ones", async () => {
    session = Session.open((node) => {
      node.routes["PATCH /settings"] = () => {
        node.status = { ...node.status, name: "gateway" };
      };
    });
    await session.choose("Change the server's name");
    await session.talk(["keeps: node-a", "x"], ["must have 2 to 42", "x".repeat(43)], ["and this has 43", "gateway"]);
    await session.sees("The name of this server is gateway now.");
    await session.sees(" gateway ");
    expect(session.node.bodies("PATCH /settings?author=console")).toEqual([{ set: { "server.name": "gateway" } }]);
  });

  test("the password is asked twice and never shown", async () => {
    session = Session.open((node) => {
      node.routes["POST /administrators/password"] = (body) => {
        if ((body as { password: string }).password === "short")
          throw new Refusal("weak-password", "That password has fewer than 10 characters.");
        return {};
      };
    });
    await session.choose("Administrator's password");
    await session.talk(["new password", "short"], ["again", "short"], ["That password has fewer", "correct horse"]);
    await session.talk(["again", "incorrect"]);
    await session.talk(["differs", "correct horse"]);
    await session.sees("The password of admin was changed.");
    expect(session.device.shown).not.toContain("horse");
    expect(session.node.bodies("POST /administrators/password").at(-1)).toEqual({
      name: "admin",
      password: "correct horse",
    });
  });

  test("a backup copy, and back", async () => {
    session = Session.open((node) => {
      node.routes["POST /backups"] = () => ({ name: "node-a-1" });
      node.routes["GET /backups"] = () => [{ name: "node-a-1", encrypted: true }];
      node.routes["POST /backups/restore"] = () => ({});
    });
    await session.choose("Create a backup copy");
    await session.talk(["passphrase", ""]);
    await session.sees("The backup copy node-a-1 was created.");
    await session.choose("Restore a backup copy");
    await session.talk(["Select", "1"], ["its passphrase", "correct horse"], ["will be replaced", "y"]);
    await session.sees("The settings of node-a-1 were restored.");
    expect(session.node.bodies("POST /backups/restore")).toEqual([{ name: "node-a-1", passphrase: "correct horse" }]);
  });
});

describe("the machine", () => {
  for (const [label, way, said] of [
    ["Reboot server", "reboot", "The server reboots."],
    ["Turn off server", "poweroff", "The server turns off."],
  ] as const)
    test(label, async () => {
      session = Session.open((node) => {
        node.status = BACKUP;
        node.routes[`POST /system/${way}`] = () => ({});
      });
      await session.choose(label);
      await session.talk(["?", "n"]);
      await session.sees("Cancelled");
      await session.choose(label);
      await session.talk(["?", "y"]);
      await session.sees(said);
      expect(session.node.bodies(`POST /system/${way}`).length).toBe(1);
    });

  test("diagnostics", async () => {
    session = Session.open((node) => {
      node.status = { ...ACTIVE, alarms: [{ message: "A third node is here." }] };
      node.routes["GET /doctor"] = () => [
        { code: "a", state: "good", what: "The clock is right.", advice: null },
        { code: "b", state: "bad", what: "No license.", advice: "Install one." },
      ];
    });
    await session.choose("Diagnostics");
    await session.sees("[BAD ] A third node is here.\n[ ok ] The clock is right.\n[BAD ] No license. Install one.");
  });

  test("the console is there where it was given, and asks for the administrator's password", async () => {
    session = Session.open(
      (node) => {
        node.routes["GET /administrators"] = () => [{ name: "admin" }];
        node.routes["POST /administrators/verify"] = (body) => {
          if ((body as { password: string }).password !== "right") throw new Refusal("wrong-password", "It is wrong.");
          return {};
        };
      },
      { console_command: "true" },
    );
    await session.choose("Console");
    await session.talk(["password of admin", "wrong"]);
    await session.sees("It is wrong.");
    expect(session.device.lent).toBe(0);
    await session.choose("Console");
    await session.talk(["password of admin", "right"]);
    await session.sees("Back from the console.");
    expect(session.device.lent).toBe(1);
  });

  test("Exit leaves the terminal as it was", async () => {
    session = Session.open();
    await session.choose("Exit");
    await session.ended;
    expect(session.device.closed).toBe(true);
  });
});
