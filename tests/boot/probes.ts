/** What the probe is to find. */
export const expectedProbes: readonly (readonly [what: string, verdict: string])[] = [];
