/** A new password, typed twice; whether the two are the same is looked at when the form is sent. */
import { TextField } from "./fields.tsx";

interface Props {
  password: string;
  again: string;
  onPassword: (text: string) => void;
  onAgain: (text: string) => void;
  autofocus?: boolean;
}

export function NewPassword({ password, again, onPassword, onAgain, autofocus = false }: Props) {
  return (
    <>
      <TextField
        label="New password"
        type="password"
        value={password}
        onInput={onPassword}
        autocomplete="new-password"
        hint="At least 12 characters; a sentence of some words is easy to remember."
        required
        autofocus={autofocus}
      />
      <TextField
        label="The same again"
        type="password"
        value={again}
        onInput={onAgain}
        autocomplete="new-password"
        required
      />
    </>
  );
}
