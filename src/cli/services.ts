/** `understudy services`: the product's own services on this node. */
import type { Status } from "../control/node.ts";
import { ask } from "./client.ts";
import type { Common } from "./commands.ts";

export async function showServices(common: Common): Promise<void> {
  const { services } = await ask<Status>(common.run, "GET", "/status");
  console.log(common.json ? JSON.stringify(services, null, 2) : servicesText(services));
}

export function servicesText(services: Status["services"]): string {
  return services
    .map(({ name, title, wanted, state, failing, trouble }) => {
      const shown = wanted ? (failing ? `FAILING, ${state}` : state) : "not needed in this role";
      return `${name.padEnd(14)} ${title.padEnd(28)} ${shown}${trouble === null ? "" : `\n               ${trouble}`}`;
    })
    .join("\n");
}
