/** A configuration with a module of one's own: `kith start --config own-modules.config.ts`. */
import { element, payload } from "@kith/protocol";
import { type Collection, defineConfig, type Module, onGet, write } from "@kith/server";

const NS = "urn:example:visits";
const Visits = payload({
  ns: NS,
  name: "visits",
  places: ["iq-get"],
  parse: () => NS,
  build: () => element(NS, "visits"),
});

/** Tells people how often they have asked. */
const visits = (counts: Collection<number>): Module => ({
  name: "visits",
  xeps: [],
  features: [NS],
  iq: [
    onGet(Visits, ["own-account"], async (_, { from }) => {
      const count = ((await counts.get(from.bare, "count")) ?? 0) + 1;
      return { before: [write(counts.put(from.bare, "count", count))], result: [element(NS, "visits", { count })] };
    }),
  ],
});

export default defineConfig({
  modules: ({ store }) => [visits(store.collection("visits"))],
});
