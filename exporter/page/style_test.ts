/** Colours can be read and told apart, in both schemes. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { palettes } from "./palette.ts";
import { styleSheet } from "./style.ts";

/** Contrast of two colours by WCAG 2. */
function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

Deno.test("contrast() is WCAG's: black on white has 21, one and the same colour 1", () => {
  strictEqual(contrast("#000000", "#ffffff"), 21);
  strictEqual(contrast("#777777", "#777777"), 1);
  ok(Math.abs(contrast("#767676", "#ffffff") - 4.54) < 0.01);
});

for (const [scheme, { surfaces, texts, signs, quiet }] of Object.entries(palettes)) {
  Deno.test(`every text on every surface has a contrast of 4.5 in the ${scheme} scheme`, () => {
    for (const [text, colour] of Object.entries(texts)) {
      for (const [surface, ground] of Object.entries(surfaces)) {
        const found = contrast(colour, ground);
        ok(found >= 4.5, `${text} on ${surface}: ${found.toFixed(2)}`);
      }
    }
  });

  Deno.test(`every sign on a line, a card and the page has a contrast of 3 in the ${scheme} scheme`, () => {
    for (const [sign, colour] of Object.entries(signs)) {
      for (const ground of [quiet.track, surfaces.card, surfaces.page]) {
        const found = contrast(colour, ground);
        ok(found >= 3, `${sign} on ${ground}: ${found.toFixed(2)}`);
      }
    }
  });
}

Deno.test("the style sheet has colours in its palettes alone, and every one has a use", () => {
  const [, , ...rules] = styleSheet.split("\n");
  const text = rules.join("\n");
  deepStrictEqual(text.match(/#[0-9a-f]{3,8}\b|rgb|hsl/gi), null);
  const used = new Set([...text.matchAll(/var\(--([a-z]+)\)/g)].map(([, name]) => name!));
  const { surfaces, texts, signs, quiet } = palettes.light;
  deepStrictEqual([...used].sort(), Object.keys({ ...surfaces, ...texts, ...signs, ...quiet }).sort());
});

Deno.test("the style sheet loads nothing", () => {
  deepStrictEqual(styleSheet.match(/url\(|@import|@font-face/), null);
});
