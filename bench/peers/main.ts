/** One stack with many peers, in a lab of its own: `npm run bench:peers -- [peers…]` for other numbers than 2, 50 and 200. */
import { inLab } from "../lab";

void inLab(["--clusters", "2"], "bench/peers/inLab.ts", ...process.argv.slice(2)).then((table) => {
  process.stdout.write(table);
});
