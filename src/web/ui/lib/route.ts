/** Which page is shown: what stands behind the # of the address, so that the server need not know. */
import { useEffect, useState } from "preact/hooks";

export const ROUTES = [
  "overview",
  "cluster",
  "interfaces",
  "nat",
  "mail",
  "server",
  "update",
  "license",
  "backups",
  "administrators",
  "events",
  "checks",
] as const;
export type Route = (typeof ROUTES)[number];

export function routeOf(hash: string): Route {
  const name = hash.replace(/^#\/?/, "").split("/")[0];
  return ROUTES.find((route) => route === name) ?? "overview";
}

export function pathOf(route: Route): string {
  return `#/${route}`;
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location.hash));
  useEffect(() => {
    const look = () => setRoute(routeOf(location.hash));
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  return route;
}
