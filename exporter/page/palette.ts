/**
 * Colours for light and dark.
 *
 * @module
 */

/** Colours by what they are for. Texts can be read on every surface; signs are seen on the track and on the surfaces that they lie on. */
export interface Palette {
  readonly surfaces: { readonly page: string; readonly card: string; readonly code: string };
  readonly texts: {
    readonly ink: string;
    readonly muted: string;
    readonly link: string;
    readonly good: string;
    readonly caution: string;
    readonly bad: string;
  };
  readonly signs: {
    readonly covered: string;
    readonly full: string;
    readonly gap: string;
    readonly failed: string;
    readonly rehearsed: string;
    readonly field: string;
  };
  /** What nothing depends on. */
  readonly quiet: { readonly rule: string; readonly track: string };
}

/** The two schemes. */
export const palettes: Readonly<Record<"light" | "dark", Palette>> = {
  light: {
    surfaces: { page: "#f6f7f9", card: "#ffffff", code: "#eef1f4" },
    texts: {
      ink: "#1b2430",
      muted: "#566270",
      link: "#1857a8",
      good: "#1a6a3f",
      caution: "#855000",
      bad: "#b3261e",
    },
    signs: {
      covered: "#2f7f9e",
      full: "#123e54",
      gap: "#b36b00",
      failed: "#b3261e",
      rehearsed: "#1a6a3f",
      field: "#7b8794",
    },
    quiet: { rule: "#dde2e8", track: "#e9edf1" },
  },
  dark: {
    surfaces: { page: "#12161b", card: "#1a2027", code: "#12171d" },
    texts: {
      ink: "#e5eaf0",
      muted: "#a3afbc",
      link: "#86b8ff",
      good: "#7ed3a0",
      caution: "#f0b45a",
      bad: "#ff8f86",
    },
    signs: {
      covered: "#4aa3c4",
      full: "#c9ecfa",
      gap: "#d08a1f",
      failed: "#ff8f86",
      rehearsed: "#7ed3a0",
      field: "#7f8b98",
    },
    quiet: { rule: "#2c343d", track: "#28303a" },
  },
};
