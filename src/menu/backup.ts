/** Backup copies of the settings: one more, or one of them back. */
import { Failure } from "../errors.ts";
import { type Context, carryOut } from "./context.ts";

interface BackupEntry {
  name: string;
  at?: string | null;
  encrypted?: boolean;
  /** Why it cannot be used, where it cannot. */
  trouble?: string | null;
}

function backupText({ name, at, encrypted, trouble }: BackupEntry): string {
  return [name, at ?? "", encrypted ? "encrypted" : "", trouble ?? ""].filter((part) => part !== "").join("  ");
}

export async function createBackup(context: Context): Promise<void> {
  const { dialogue, node } = context;
  const passphrase = await dialogue.text({
    question: "Enter a passphrase to encrypt the copy with, or Enter alone for none (not shown):",
    secret: true,
  });
  const body = passphrase === "" ? {} : { passphrase };
  const made = await carryOut(context, () => node.ask<BackupEntry>("POST", "/backups", body));
  dialogue.print(`The backup copy ${made.name} was created.`);
}

export async function restoreBackup(context: Context): Promise<void> {
  const { dialogue, node } = context;
  const copies = await node.ask<BackupEntry[]>("GET", "/backups");
  if (copies.length === 0) throw new Failure("no-backups", "There is no backup copy on this server yet.");
  const copy = await dialogue.choose(
    "Select the backup copy to restore:",
    copies.map((value) => ({ label: backupText(value), value })),
  );
  const passphrase = copy.encrypted
    ? await dialogue.text({ question: "Enter its passphrase (not shown):", secret: true })
    : "";
  await dialogue.demand(`All present settings will be replaced by those of ${copy.name}. Go on?`);
  const body = { name: copy.name, ...(passphrase === "" ? {} : { passphrase }) };
  await carryOut(context, () => node.ask("POST", "/backups/restore", body));
  dialogue.print(`The settings of ${copy.name} were restored.`);
}
