/**
 * The picture of a cluster: two nodes between the networks, and the cable between them. Drawn from this node's own
 * interfaces, so that an administrator sees which of the cables at hand go where.
 */

export interface Place {
  name: string;
  state: "active" | "backup" | "absent" | "plain";
  word: string;
}

export interface Wire {
  nic: string;
  role: "internal" | "external";
}

interface TopologyProps {
  here: Place;
  there: Place;
  wires: readonly Wire[];
  cluster_nic: string | null;
  label: string;
}

const WIDTH = 640;
const LEFT = 128;
const RIGHT = WIDTH - 128;
/** The picture shows as many of a kind, and says how many more there are. */
const WIRES_MAX = 3;

export function Topology({ here, there, wires, cluster_nic, label }: TopologyProps) {
  const internal = wires.filter(({ role }) => role === "internal");
  const external = wires.filter(({ role }) => role === "external");
  return (
    <svg class="topology" viewBox={`0 0 ${WIDTH} 330`} role="img" aria-label={label}>
      <Network y={30} text="Provider, internet" note={namesOf(external)} />
      <Network y={300} text="Local network" note={namesOf(internal)} />
      <Node x={LEFT} place={here} />
      <Node x={RIGHT} place={there} />
      {[LEFT, RIGHT].map((x, side) => (
        <g key={x}>
          {external.slice(0, WIRES_MAX).map(({ nic }, index, all) => (
            <Cable key={nic} x={x + offset(index, all.length)} from={48} to={120} text={side === 0 ? nic : ""} y={92} />
          ))}
          {internal.slice(0, WIRES_MAX).map(({ nic }, index, all) => (
            <Cable
              key={nic}
              x={x + offset(index, all.length)}
              from={210}
              to={282}
              text={side === 0 ? nic : ""}
              y={246}
            />
          ))}
        </g>
      ))}
      <path class="cable cluster" d={`M${LEFT + 88} 165H${RIGHT - 88}`} />
      <text class="cable-name" x={WIDTH / 2} y={154} text-anchor="middle">
        Cluster network
      </text>
      <text class="note" x={WIDTH / 2} y={184} text-anchor="middle">
        {cluster_nic ?? "a cable of its own"}
      </text>
    </svg>
  );
}

function namesOf(wires: readonly Wire[]): string {
  if (wires.length === 0) return "no interface yet";
  return wires.length === 1
    ? "the same switch or segment for both nodes"
    : `${wires.length} networks, each on both nodes`;
}

function offset(index: number, count: number): number {
  return (index - (Math.min(count, WIRES_MAX) - 1) / 2) * 56;
}

function Network({ y, text, note }: { y: number; text: string; note: string }) {
  return (
    <g>
      <rect class="network" x={40} y={y - 18} width={WIDTH - 80} height={36} rx={8} />
      <text class="network-name" x={56} y={y + 5}>
        {text}
      </text>
      <text class="note" x={WIDTH - 56} y={y + 5} text-anchor="end">
        {note}
      </text>
    </g>
  );
}

function Node({ x, place }: { x: number; place: Place }) {
  return (
    <g class={`node ${place.state}`}>
      <rect x={x - 88} y={120} width={176} height={90} rx={10} />
      <text class="node-name" x={x} y={162} text-anchor="middle">
        {place.name.length > 20 ? `${place.name.slice(0, 19)}…` : place.name}
      </text>
      <text class="node-role" x={x} y={184} text-anchor="middle">
        {place.word}
      </text>
    </g>
  );
}

function Cable({ x, from, to, text, y }: { x: number; from: number; to: number; text: string; y: number }) {
  return (
    <g>
      <path class="cable" d={`M${x} ${from}V${to}`} />
      {text !== "" && (
        <text class="nic" x={x + 6} y={y}>
          {text}
        </text>
      )}
    </g>
  );
}
