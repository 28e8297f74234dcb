/** Line drawings of 20 by 20, made for this interface. Always beside words, so a screen reader need not know them. */

const PATHS = {
  overview: "M3 11h6V3H3zM11 17h6v-6h-6zM11 7h6V3h-6zM3 17h6v-2H3z",
  cluster: "M3 4h6v5H3zM11 11h6v5h-6zM9 6.5h3.5a1.5 1.5 0 0 1 1.5 1.5v3M6 9v3.500a1.5 1.5 0 0 0 1.5 1.500H11",
  interfaces: "M4 4h12v9H4zM7 13v3M10 13v3M13 13v3M7 7v2M10 7v2M13 7v2",
  nat: "M3 7h11l-3-3M17 13H6l3 3",
  mail: "M3 5h14v10H3zM3 6l7 5 7-5",
  server: "M4 3h12v6H4zM4 11h12v6H4zM7 6h.01M7 14h.01",
  license: "M5 2.500h7l3 3v12H5zM8 9h4M8 12h4",
  backups: "M3 4h14v4H3zM4.5 8v8.500h11V8M8 11h4",
  administrators: "M10 9.500a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 17c.5-3.5 3-5 6-5s5.5 1.5 6 5",
  events: "M4 5h12M4 10h12M4 15h8",
  checks: "M4 10.500l4 4 8-9",
  menu: "M3 5h14M3 10h14M3 15h14",
  close: "M5 5l10 10M15 5L5 15",
  plus: "M10 4v12M4 10h12",
  trash: "M4 6h12M8 6V4h4v2M6 6l.7 11h6.600L14 6",
  edit: "M4 16l.8-3.500L13 4.300l2.7 2.7-8.2 8.200z",
  warning: "M10 3l7.5 13.500h-15zM10 8v4M10 14.300v.2",
  info: "M10 17.500a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM10 9v5M10 6v.2",
  good: "M10 17.500a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM6.5 10l2.5 2.5 4.5-5",
  bad: "M10 17.500a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM7 7l6 6M13 7l-6 6",
  switch: "M4 8h11l-3-3M16 12H5l3 3",
  sun: "M10 13.500a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM10 2v2M10 16v2M2 10h2M16 10h2M4.3 4.300l1.4 1.400M14.3 14.300l1.4 1.400M4.3 15.700l1.4-1.400M14.3 5.700l1.4-1.4",
  moon: "M16 11.500A6.5 6.5 0 0 1 8.5 4a6.5 6.5 0 1 0 7.5 7.500z",
  auto: "M3 4h14v9H3zM7 17h6M10 13v4",
  logout: "M8 3H4v14h4M12 6l4 4-4 4M16 10H8",
  download: "M10 3v9M6 9l4 4 4-4M4 16.500h12",
  copy: "M7 7h9v10H7zM4 13V3h9",
  power: "M10 3v7M6 5.500a6 6 0 1 0 8 0",
  reload: "M15.5 8A6 6 0 1 0 16 11.500M16 4v4h-4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, class: extra = "" }: { name: IconName; class?: string }) {
  return (
    <svg class={`icon ${extra}`} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect class="mark-behind" x="11" y="3" width="18" height="18" rx="5" />
      <rect class="mark-front" x="3" y="11" width="18" height="18" rx="5" />
      <path class="mark-tick" d="M8.5 20l3 3 5.5-6" />
    </svg>
  );
}
