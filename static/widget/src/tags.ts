import { holdQueue } from "./vendors/held";
import { tag, word } from "./vendors/tag";

/** What all adapters share, once a page: the build takes it out of each of them. */
export default { holdQueue, tag, word };
