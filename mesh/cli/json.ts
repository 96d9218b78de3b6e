/** What `--json` prints. schema.json is made of these types by `npm run schema`; fields are added, never taken away or given another meaning. */
import type { DriftMember } from "../drift/drift";
import type { PreviewMember } from "../preview/preview";
import type { Removal } from "../remove/result";
import type { StatusMember } from "../status/status";
import type { UpMember } from "../up/up";
import type { Verification } from "../verify/verification";

export type Report =
  | { command: "up"; members: UpMember[] }
  | { command: "preview"; members: PreviewMember[] }
  | { command: "drift"; members: DriftMember[] }
  | ({ command: "verify" } & Verification)
  | { command: "status"; members: StatusMember[] }
  | ({ command: "remove" } & Removal);
