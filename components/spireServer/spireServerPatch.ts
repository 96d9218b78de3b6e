/** The part of the SpireServer that a stack owns. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterReader } from "../cluster/cluster";
import { annotationsFor } from "../cluster/correction";
import { describeForeign } from "../cluster/foreignValue";
import type { FederationSpec } from "../route/federation";
import { type FederatedServer, readForeignFederation } from "./foreignFederation";
import { FIELD_MANAGER, OPERATOR_API, SINGLETON } from "../shared/names";
import { plainSpec, renderSpireServerSpec, secretSpireServerSpec } from "./spireServerSpec";
import { refuseInUp } from "../shared/refuseInUp";
import { orStop } from "../shared/stopProgram";

/**
 * Pulumi stores the whole live SpireServer in the state, not only our fields. Somebody else may have written a database
 * password there, and `oc apply` writes the whole object into an annotation once more.
 */
const READ_BACK = ["spec", "status", "metadata"];

/**
 * The fields of the SpireServer that the stack owns; retained.
 *
 * A patch also where the stack makes the SpireServer: of a whole object Pulumi's provider takes over every field that
 * somebody has set with oc or kubectl, and the next apply takes away all of them that the stack doesn't set.
 */
export function makeServer(
  parent: pulumi.Resource,
  cluster: ClusterReader,
  name: string,
  {
    manage,
    manageSecret,
    takeOver,
  }: { manage?: pulumi.Inputs; manageSecret?: boolean; takeOver?: pulumi.Input<boolean> },
  federation: pulumi.Output<FederationSpec>,
): SpireServerPatch {
  const object = { apiVersion: OPERATOR_API, kind: "SpireServer" };
  const managed = manage && renderSpireServerSpec(plainSpec(manage));
  const more = { "pulumi.com/patchFieldManager": FIELD_MANAGER };
  const live = pulumi
    .all([federation, takeOver])
    .apply(([asked, takes]) => orStop(readPatched(cluster, asked, takes === true), parent));
  const annotations = pulumi
    .all([live, federation])
    .apply(([found, asked]) => annotationsFor(found, { spec: { ...managed, federation: asked } }, more));
  const args = {
    ...object,
    metadata: { name: SINGLETON, annotations },
    spec: { ...(manage && secretSpireServerSpec(manage, manageSecret === true)), federation },
  };
  const opts = { parent, retainOnDelete: true, additionalSecretOutputs: READ_BACK };
  return new SpireServerPatch(name, args, opts);
}

/** The SpireServer as it is before the patch, which must not take away what somebody else has set. */
async function readPatched(
  cluster: ClusterReader,
  asked: FederationSpec,
  takeOver: boolean,
): Promise<FederatedServer | undefined> {
  const live = await cluster.get<FederatedServer>(OPERATOR_API, "SpireServer", SINGLETON);
  const foreign = takeOver ? [] : await readForeignFederation(cluster, asked, live);
  if (foreign.length === 0) return live;
  const ways =
    'ask for the same, leave the list of peers alone with federatesWithMode "dynamic", or set takeOver to true to overwrite it';
  await refuseInUp(
    new Error(`SpireServer cluster has a federation of somebody else: ${describeForeign(foreign)}; ${ways}`),
  );
  return live;
}

/** A patch with the output that is used here: Pulumi gives a resource an output for each of its arguments. */
class SpireServerPatch extends k8s.apiextensions.CustomResourcePatch {
  declare readonly spec: pulumi.Output<{ federation?: FederationSpec } | undefined>;
}

/**
 * `spec.federation` of the server once it is applied, or in the state when `--target` leaves the server out. Not secret,
 * whatever the rest of the specification is: what waits for it ends up in the outputs that the peers read.
 */
export function appliedFederation({ spec }: SpireServerPatch): pulumi.Output<FederationSpec | undefined> {
  return pulumi.unsecret(spec.apply((applied) => applied?.federation));
}
