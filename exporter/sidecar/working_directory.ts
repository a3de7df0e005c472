/**
 * The File Daemon's working directory, read only.
 *
 * @module
 */

import { assess, type Assessment } from "../assessment.ts";
import type { SidecarReader, Survey } from "../survey.ts";
import {
  parseResource,
  parseSidecarName,
  type Resource,
  type SidecarKind,
  type SidecarText,
} from "./resource.ts";
import { readSidecarText, type Sidecar, statSidecar } from "./sidecar_file.ts";

type Sidecars = Readonly<Partial<Record<SidecarKind, Sidecar>>>;

/** The sidecars that are there, by resource. */
interface Listing {
  readonly sidecars: ReadonlyMap<string, Sidecars>;
  /** Whose files are read. */
  readonly owners: ReadonlySet<number | null>;
  readonly trouble: string | null;
}

interface Known {
  readonly stamp: string;
  readonly assessment: Assessment;
}

/** How long a look at the directory is as good as another one, so that many scrapers cost what one does. */
const freshMs = 250;

/** Keeps what each resource amounts to, and reads a file again when it isn't the same any more. */
export class WorkingDirectory implements SidecarReader {
  readonly #path: string;
  readonly #owner: number | null;
  readonly #say: (line: string) => void;
  #known = new Map<string, Known>();
  #survey: Survey = { resources: [], trouble: null, revision: 0 };
  #running: Promise<Survey> | null = null;
  #lookedAt = -Infinity;

  /**
   * @param owner whose files are read besides root's and those of the directory's owner
   * @param say takes a line for each thing that can't be read, when it turns out and when it is over
   */
  constructor(path: string, owner: number | null, say: (line: string) => void) {
    this.#path = path;
    this.#owner = owner;
    this.#say = say;
  }

  survey(): Promise<Survey> {
    if (this.#running !== null) return this.#running;
    if (performance.now() - this.#lookedAt < freshMs) return Promise.resolve(this.#survey);
    this.#running = this.#look().finally(() => {
      this.#running = null;
      this.#lookedAt = performance.now();
    });
    return this.#running;
  }

  async history(resource: string): Promise<Resource | null> {
    const { sidecars, owners } = this.#list();
    const found = sidecars.get(resource);
    return found === undefined ? null : await this.#read(resource, found, owners);
  }

  async #look(): Promise<Survey> {
    const { sidecars, owners, trouble } = this.#list();
    if (trouble !== this.#survey.trouble) {
      this.#say(trouble ?? `The working directory ${this.#path} can be read again`);
    }
    const known = new Map<string, Known>();
    let isSame = trouble === this.#survey.trouble && sidecars.size === this.#known.size;
    for (const [name, files] of sidecars) {
      const stamp = `${files.stats?.stamp} ${files.tip?.stamp}`;
      const before = this.#known.get(name);
      if (before?.stamp === stamp) {
        known.set(name, before);
        continue;
      }
      isSame = false;
      const assessment = assess(await this.#read(name, files, owners));
      this.#report(name, before?.assessment, assessment);
      known.set(name, { stamp, assessment });
    }
    this.#known = known;
    if (!isSame) {
      const resources = [...known.values()].map(({ assessment }) => assessment)
        .sort((a, b) => a.name < b.name ? -1 : 1);
      this.#survey = { resources, trouble, revision: this.#survey.revision + 1 };
    }
    return this.#survey;
  }

  #list(): Listing {
    const sidecars = new Map<string, Sidecars>();
    try {
      const { uid } = Deno.statSync(this.#path);
      const owners = new Set([0, uid, this.#owner]);
      for (const { name: file } of Deno.readDirSync(this.#path)) {
        const name = parseSidecarName(file);
        if (name === null) continue;
        const sidecar = statSidecar(this.#path, file, owners);
        if (sidecar === null) continue;
        sidecars.set(name.resource, { ...sidecars.get(name.resource), [name.kind]: sidecar });
      }
      return { sidecars, owners, trouble: null };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return {
        sidecars: new Map(),
        owners: new Set(),
        trouble: `The working directory ${this.#path} can't be read: ${reason}`,
      };
    }
  }

  async #read(name: string, { stats, tip }: Sidecars, owners: Listing["owners"]): Promise<Resource> {
    const texts: (SidecarText | null)[] = [];
    for (const sidecar of [stats, tip]) {
      texts.push(sidecar === undefined ? null : await readSidecarText(this.#path, sidecar, owners));
    }
    return parseResource(name, texts[0]!, texts[1]!);
  }

  #report(name: string, before: Assessment | undefined, now: Assessment): void {
    const lines = ({ problems }: Assessment) => problems.map(({ file, sentence }) => `${file}: ${sentence}`);
    const known = before === undefined ? [] : lines(before);
    const news = lines(now).filter((line) => !known.includes(line));
    for (const line of news) this.#say(line);
    if (known.length > 0 && now.problems.length === 0) this.#say(`${name} can be read again`);
  }
}
