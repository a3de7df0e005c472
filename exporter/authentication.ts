/**
 * Basic authentication by hashes of bcrypt. They are slow on purpose, so what was found out is kept, one hash is computed at a time, and few wait for it.
 *
 * @module
 */

import { compare } from "bcryptjs";

/** Whether a request may be answered. */
export type Admission = "admitted" | "refused" | "busy";

/** Logins whose verdict is kept; a program that scrapes has one. */
const keptMax = 100;

/** Logins that may wait for their hash. */
const waitingMax = 10;

/** The users of one web configuration. */
export class Authentication {
  readonly #users: ReadonlyMap<string, string>;
  /** Verdicts by a digest of user and password, the longest unused first. Good ones outlast bad ones. */
  readonly #good = new Map<string, true>();
  readonly #bad = new Map<string, true>();
  readonly #running = new Map<string, Promise<boolean>>();
  #queue: Promise<unknown> = Promise.resolve();

  /** @param users hashes by name; at least one */
  constructor(users: ReadonlyMap<string, string>) {
    this.#users = users;
  }

  /** Judges the header `Authorization`, null for none. */
  async admit(authorization: string | null): Promise<Admission> {
    const login = parseBasic(authorization);
    if (login === null) return "refused";
    const key = await digestOf(login);
    if (touch(this.#good, key)) return "admitted";
    if (touch(this.#bad, key)) return "refused";
    let running = this.#running.get(key);
    if (running === undefined) {
      if (this.#running.size >= waitingMax) return "busy";
      running = this.#check(login).finally(() => this.#running.delete(key));
      this.#running.set(key, running);
    }
    const isGood = await running;
    keep(isGood ? this.#good : this.#bad, key);
    return isGood ? "admitted" : "refused";
  }

  /** One after another. An unknown name takes as long as a known one. */
  #check({ user, password }: Login): Promise<boolean> {
    const known = this.#users.get(user);
    const hash = known ?? [...this.#users.values()][0]!;
    const checked = this.#queue.then(() => compare(password, hash));
    this.#queue = checked.catch(() => {});
    return checked.then((isSame) => isSame && known !== undefined);
  }
}

interface Login {
  readonly user: string;
  readonly password: string;
}

function parseBasic(authorization: string | null): Login | null {
  const [, encoded] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization ?? "") ?? [];
  if (encoded === undefined) return null;
  try {
    const bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
    const [, user, password] = /^([^:]*):(.*)$/s.exec(new TextDecoder().decode(bytes)) ?? [];
    return user === undefined ? null : { user, password: password! };
  } catch {
    return null;
  }
}

/** No password is kept. */
async function digestOf({ user, password }: Login): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify([user, password]));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

function touch(verdicts: Map<string, true>, key: string): boolean {
  const isKept = verdicts.delete(key);
  if (isKept) verdicts.set(key, true);
  return isKept;
}

function keep(verdicts: Map<string, true>, key: string): void {
  verdicts.set(key, true);
  if (verdicts.size > keptMax) verdicts.delete(verdicts.keys().next().value!);
}
