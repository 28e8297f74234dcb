/** A process to be killed: appends revisions to the database in a directory, and says each number once it is stored. */
import { writeSync } from "node:fs";
import { sentence } from "../../src/errors.ts";
import { SettingsDatabase } from "../../src/settings/database.ts";
import { appendNext } from "./history.ts";

const [directory = "", count = "0"] = process.argv.slice(2);
try {
  const database = new SettingsDatabase(directory);
  for (const warning of database.warnings) writeSync(2, `${warning}\n`);
  for (let i = 0; i < Number(count); i++) writeSync(1, `${appendNext(database)}\n`);
  // The copy is due, and is written here.
  database.close();
} catch (error) {
  writeSync(2, `${sentence(error)}\n`);
  process.exit(1);
}
