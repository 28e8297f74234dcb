/** In the client's place: logs in, then asks for the status as fast as so many connections can. Prints one JSON line. */

const [origin = "", password = "", seconds = "10", connections = "16"] = process.argv.slice(2);

/** Self-made certificates: what is measured here is time. */
function ask(path: string, headers: Record<string, string>, body?: string): Promise<Response> {
  const init = { headers, tls: { rejectUnauthorized: false }, ...(body === undefined ? {} : { method: "POST", body }) };
  return fetch(`${origin}${path}`, init as RequestInit);
}

const page = { origin, "x-understudy": "1", "content-type": "application/json" };
const login = await ask("/api/v1/session", page, JSON.stringify({ name: "admin", password }));
const cookie = (login.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
if (!login.ok) throw new Error(`The login was refused: ${await login.text()}`);

const script = await ask("/app.js", { "accept-encoding": "gzip" });
const script_bytes = script.ok ? Number(script.headers.get("content-length")) : null;
await script.arrayBuffer();

let requests = 0;
let refused = 0;
const times_ms: number[] = [];
const started_ms = performance.now();
const end_ms = started_ms + Number(seconds) * 1000;
await Promise.all(
  Array.from({ length: Number(connections) }, async () => {
    while (performance.now() < end_ms) {
      const asked_ms = performance.now();
      const response = await ask("/api/v1/status", { cookie }).catch(() => null);
      await response?.arrayBuffer();
      requests += 1;
      if (response?.status !== 200) refused += 1;
      times_ms.push(performance.now() - asked_ms);
    }
  }),
);
const elapsed_s = (performance.now() - started_ms) / 1000;
times_ms.sort((a, b) => a - b);
const at = (share: number) => times_ms[Math.min(times_ms.length - 1, Math.floor(times_ms.length * share))] ?? 0;
console.log(
  JSON.stringify({ script_bytes, requests, refused, per_s: requests / elapsed_s, p50_ms: at(0.5), p99_ms: at(0.99) }),
);
process.exit();

export {};
