/**
 * HTTP/1.1 requests as bytes (RFC 9112), read strictly: what could be understood in two ways is refused. Bodies have a
 * length that is said beforehand; nobody who speaks to us needs chunks.
 */

export const HEAD_BYTES_MAX = 16 << 10;
const HEADERS_MAX = 64;
const REQUEST_LINE = /^([A-Z]{1,16}) (\/[\x21\x24-\x3b\x3d\x3f-\x5a\x5f\x61-\x7a\x7e%]*) HTTP\/1\.([01])$/;
/** Blanks round the value are cut off afterwards: no byte may be read in two ways here, which takes the square of the time. */
const HEADER_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}):([\t\x20-\x7e\x80-\xff]*)$/;
/** Twice, each of these would mean what the reader likes. */
const ONCE = new Set([
  "host",
  "content-length",
  "content-type",
  "authorization",
  "cookie",
  "origin",
  "sec-fetch-site",
  "x-understudy",
  "expect",
]);

export interface Head {
  method: string;
  /** As it was sent, without the query; never decoded here. */
  path: string;
  query: URLSearchParams;
  headers: ReadonlyMap<string, string>;
  content_length: number;
  keep_alive: boolean;
  expects_continue: boolean;
}

/** A request that cannot be understood; the connection ends after the answer. */
export interface Refusal {
  refused: number;
  why: string;
}

/** Where the head in `bytes` ends, after its empty line; -1 where it has not come yet. */
export function headEnd(bytes: Buffer): number {
  const end = bytes.indexOf("\r\n\r\n");
  return end === -1 ? -1 : end + 4;
}

/** @param bytes the head with its empty line. */
export function parseHead(bytes: Buffer): Head | Refusal {
  const [first = "", ...lines] = bytes.toString("latin1", 0, bytes.length - 4).split("\r\n");
  const request = REQUEST_LINE.exec(first);
  if (request === null) return { refused: 400, why: "The request line is not one of HTTP/1.1." };
  if (lines.length > HEADERS_MAX) return { refused: 431, why: "There are too many header fields." };
  const headers = new Map<string, string>();
  for (const line of lines) {
    const match = HEADER_LINE.exec(line);
    if (match === null) return { refused: 400, why: "A header field is malformed." };
    const name = (match[1] ?? "").toLowerCase();
    const value = withoutBlanks(match[2] ?? "");
    const before = headers.get(name);
    if (before !== undefined && ONCE.has(name)) return { refused: 400, why: `The header field ${name} comes twice.` };
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return meaning(request, headers);
}

/** Without spaces and tabs at either end, which are all the blanks that HTTP has (RFC 9110, 5.6.3). */
function withoutBlanks(value: string): string {
  let [start, end] = [0, value.length];
  while (start < end && isBlank(value[start])) start += 1;
  while (end > start && isBlank(value[end - 1])) end -= 1;
  return value.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}

function meaning(request: RegExpExecArray, headers: Map<string, string>): Head | Refusal {
  const [, method = "", target = "", minor = ""] = request;
  if (headers.has("transfer-encoding")) return { refused: 411, why: "Send a body with its content-length." };
  if (minor === "1" && !headers.has("host")) return { refused: 400, why: "The host is missing." };
  const length = headers.get("content-length") ?? "0";
  if (!/^\d{1,10}$/.test(length)) return { refused: 400, why: "The content-length is no number." };
  const mark = target.indexOf("?");
  const connection = (headers.get("connection") ?? "").toLowerCase();
  return {
    method,
    path: mark === -1 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark === -1 ? "" : target.slice(mark + 1)),
    headers,
    content_length: Number(length),
    keep_alive: minor === "1" && !/(^|[ ,])close($|[ ,])/.test(connection),
    expects_continue: (headers.get("expect") ?? "").toLowerCase() === "100-continue",
  };
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** A stream ends with the connection. */
  body: Uint8Array | string | ReadableStream<Uint8Array>;
}

const REASONS: Record<number, string> = {
  200: "OK",
  304: "Not Modified",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  411: "Length Required",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
};

/** The head of an answer. Header values are ours; a line break in one is a mistake of ours, and would split the answer. */
export function answerHead(answer: Answer, keep_alive: boolean, length: number | null): string {
  const lines = [`HTTP/1.1 ${answer.status} ${REASONS[answer.status] ?? "Unknown"}`];
  for (const [name, value] of Object.entries(answer.headers)) {
    if (/[\r\n\0]/.test(value)) throw new Error(`The header field ${name} of an answer has a line break.`);
    lines.push(`${name}: ${value}`);
  }
  if (length !== null && answer.status !== 304) lines.push(`content-length: ${length}`);
  lines.push(`date: ${new Date().toUTCString()}`, `connection: ${keep_alive ? "keep-alive" : "close"}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}
