/**
 * What belongs to the administration of this server beside its settings: backup copies, license, administrators. All of
 * them change the settings through the one door that every change takes, with its rules, revisions and copy on the peer.
 */
import { Failure } from "../errors.ts";
import { parseSettings, type Settings } from "../settings/model.ts";
import { Administrators } from "./administrators.ts";
import { type BackupEntry, Backups } from "./backups.ts";
import { demandLicense, type LicenseReport, readLicense } from "./license.ts";
import { demandAllowed, type Situation } from "./rules.ts";
import type { ChangeOptions, SettingsService } from "./settings-service.ts";

export type BackupSource = { name: string } | { content: string };

export class Administration {
  readonly backups: Backups;
  readonly administrators: Administrators;
  readonly #settings: SettingsService;
  readonly #situation: () => Situation;

  constructor(state_directory: string, settings: SettingsService, situation: () => Situation) {
    this.#settings = settings;
    this.#situation = situation;
    this.backups = new Backups(state_directory);
    this.administrators = new Administrators({
      list: () => settings.current.administrators,
      change: async (work, options) => {
        const change = (now: Settings) => ({ ...now, administrators: work(now.administrators) });
        await settings.change(change, by(options, "password"));
      },
    });
  }

  createBackup(passphrase?: string): Promise<BackupEntry> {
    const settings = this.#settings.current;
    return this.backups.create(settings.server.name, settings, passphrase);
  }

  /**
   * Everything of the copy becomes the settings, in one revision. Where it has no administrators the present ones stay, so
   * that it never leaves a server that takes its first password from whoever comes first.
   */
  async restoreBackup(from: BackupSource, passphrase: string | undefined, options: ChangeOptions): Promise<void> {
    demandAllowed("restore-backup", this.#situation());
    const settings = whole(await this.backups.open(from, passphrase));
    const change = ({ administrators }: Settings) => {
      // Opening takes its time: a cluster may have been created meanwhile.
      demandAllowed("restore-backup", this.#situation());
      return settings.administrators.length === 0 ? { ...settings, administrators } : settings;
    };
    await this.#settings.change(change, by(options, "backup copy"));
  }

  license(): LicenseReport {
    return readLicense(this.#settings.current.license, new Date());
  }

  /** Throws Failure `license-…`, and as a change of settings. */
  async installLicense(text: string, options: ChangeOptions): Promise<LicenseReport> {
    const report = demandLicense(text, new Date());
    await this.#settings.set({ license: text }, by(options, "license"));
    return report;
  }
}

/** The history says who, and by what. */
function by(options: ChangeOptions, what: string): ChangeOptions {
  return { ...options, author: `${options.author} (${what})` };
}

function whole(value: unknown): Settings {
  try {
    return parseSettings(value);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(error.code, `The settings in this backup copy cannot be used: ${error.message}`);
  }
}
