/** What is wrong with an option's text, as the end of a sentence. It never shows what may be a secret or a part of one. */
export class ValueFault extends Error {
  override readonly name = "ValueFault";
}
