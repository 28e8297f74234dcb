/**
 * `understudy web`: the process that faces the browsers. It binds its ports, gives up every right it has, and from then
 * on holds a certificate and the way to one Unix socket. It reads nothing from a disk, and ends with the control process.
 */
import { sentence } from "../errors.ts";
import { openShim } from "../shim.ts";
import { Api } from "./api.ts";
import { ASSETS } from "./assets.ts";
import { refusal } from "./headers.ts";
import type { Handler } from "./http/connection.ts";
import { Server } from "./http/server.ts";
import type { FromWeb, WebConfiguration } from "./messages.ts";
import { answerPage } from "./page.ts";
import { redirect } from "./redirect.ts";
import { askControl } from "./upstream.ts";

/** nobody, nogroup */
const NOBODY = 65_534;
const NICENESS = 10;
const HTTPS_PORT = 443;
const HTTP_PORT = 80;

export async function runWeb(): Promise<void> {
  const server = new Server();
  let started = false;
  for await (const line of console) {
    const configuration = JSON.parse(line) as WebConfiguration;
    server.refused_addresses = new Set(configuration.refused_addresses);
    if (started) continue;
    started = true;
    try {
      start(server, configuration);
    } catch (error) {
      say({ type: "failed", message: sentence(error) });
      process.exit(1);
    }
  }
  process.exit(0);
}

function start(server: Server, { hostname, port, certificate, key }: WebConfiguration): void {
  openShim().beNice(NICENESS);
  server.listen({ hostname, port, tls: { key, cert: certificate } }, handler());
  if (port === HTTPS_PORT) server.listen({ hostname, port: HTTP_PORT }, redirect);
  say({ type: "ready", rights: openShim().leaveRights(NOBODY) ? "none" : "some" });
}

function handler(): Handler {
  const api = new Api(askControl);
  return {
    bodyLimit: (head) => (Api.takes(head.path) ? api.bodyLimit(head) : 0),
    answer: async (request) => (Api.takes(request.path) ? api.answer(request) : answerPage(ASSETS, request)),
    refuse: refusal,
  };
}

function say(message: FromWeb): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
