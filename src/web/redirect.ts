/** Plain HTTP: the way to HTTPS, and nothing else. */
import { refusal, withHeaders } from "./headers.ts";
import type { Handler } from "./http/connection.ts";

const HOST = /^(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(:\d{1,5})?$/;

export const redirect: Handler = {
  bodyLimit: () => 0,
  refuse: refusal,
  async answer(request) {
    const host = HOST.exec(request.headers.get("host") ?? "")?.[1];
    if (host === undefined) return refusal(400, "bad-request", "The host is missing or malformed.");
    const query = request.query.toString();
    const location = `https://${host}${request.path}${query === "" ? "" : `?${query}`}`;
    return withHeaders({ status: 308, headers: { location }, body: "" });
  },
};
