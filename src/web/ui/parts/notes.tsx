/** Short messages at the lower edge, and what is said while the connection to the node is lost. */
import { app, dropNote } from "../lib/app.ts";
import { useStore } from "../lib/store.ts";
import { Icon } from "./icons.tsx";

export function Notes() {
  const notes = useStore(app, ({ notes: all }) => all);
  return (
    <div class="notes" role="status" aria-live="polite">
      {notes.map(({ id, tone, text }) => (
        <div key={id} class={`note-card ${tone}`}>
          <Icon name={tone} />
          <p>{text}</p>
          <button type="button" class="bare" aria-label="Dismiss this message" onClick={() => dropNote(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}

export function ConnectionBanner() {
  const connection = useStore(app, (value) => value.connection);
  const following = useStore(app, (value) => value.following);
  if (following !== null)
    return (
      <div class="banner calm" role="status">
        <span class="spinner" aria-hidden="true" />
        {`Switching over to ${following}. This page goes on by itself as soon as the new active node answers.`}
      </div>
    );
  if (connection !== "lost") return null;
  return (
    <div class="banner bad" role="alert">
      <span class="spinner" aria-hidden="true" />
      No connection to the server. What is shown is the last that was heard; the page tries again by itself.
    </div>
  );
}
