/** The description of the interface in OpenAPI 3.1, made from the table of routes. */
import { z } from "zod";
import { VERSION } from "../version.ts";
import { BYTES } from "./headers.ts";
import { API, ROUTES, type Route } from "./routes.ts";
import { failure } from "./shapes.ts";

export function openApi(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of ROUTES) {
    const path = `${API}${route.path}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Understudy", version: VERSION, description: "Two-node high availability for gateway appliances" },
    paths,
    components: {
      securitySchemes: {
        session: { type: "apiKey", in: "cookie", name: "__Host-session" },
        token: { type: "http", scheme: "bearer", description: "A token for automation: ust_…" },
      },
      schemas: { Failure: schemaOf(failure) },
    },
  };
}

function operation(route: Route): object {
  const security = [{ session: [] }, ...(route.people_only ? [] : [{ token: [] }])];
  return {
    summary: route.summary,
    ...(route.access === "public" ? { security: [] } : { security }),
    parameters: [
      ...[...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => parameter(name ?? "", "path")),
      ...(route.query ?? []).map((name) => parameter(name, "query")),
      ...(route.method === "GET"
        ? []
        : [{ ...parameter("x-understudy", "header"), description: "1; not with a token" }]),
    ],
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { [route.raw ? BYTES : "application/json"]: { schema: schemaOf(route.body) } },
          },
        }),
    responses: {
      200: {
        description: "Done",
        content: { [route.media_type ?? "application/json"]: { schema: schemaOf(route.answer) } },
      },
      default: {
        description: "Refused, with the reason",
        content: { "application/json": { schema: { $ref: "#/components/schemas/Failure" } } },
      },
    },
  };
}

function parameter(name: string, place: "path" | "query" | "header"): object {
  return { name, in: place, required: place === "path", schema: { type: "string" } };
}

function schemaOf(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema) as { $schema?: string };
  return rest;
}
