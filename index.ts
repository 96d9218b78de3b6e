/** One stack is one OpenShift cluster: its config in, its membership in the SPIRE federation built, its outputs out. */
import { connect } from "./components/connect";
import { federate } from "./stacks/cluster";
import { readConfig } from "./stacks/config";

export = () => federate(readConfig(), connect);
