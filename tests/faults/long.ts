/** Whether the tests may take as long as they like: `deno task test:faults --long` says so. */
export const isLong = Deno.env.get("PODHEITOR_LONG") === "yes";
