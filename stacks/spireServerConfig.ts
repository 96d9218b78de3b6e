import type { DatastoreArgs, SpireServerSpecArgs } from "../components/spireServerSpec";
import { type Fields, present } from "./fields";

/** The whole SpireServer, when `spireServer.manage` says that the stack is to own it. */
export function spireServerSpec(fields: Fields): SpireServerSpecArgs | undefined {
  if (fields.flag("manage") !== true) {
    const idle = fields.keys().filter((key) => key !== "manage");
    if (idle.length > 0) {
      fields.note("manage", `is not true, so that ${idle.join(", ")} would have no effect; set it, or take them out`);
    }
    return undefined;
  }
  const spec: SpireServerSpecArgs = {
    jwtIssuer: fields.requiredText("jwtIssuer"),
    caSubject: caSubject(fields.object("caSubject")),
    persistence: persistence(fields.object("persistence")),
    datastore: datastore(fields.object("datastore")),
    ...fields.texts("caValidity", "defaultX509Validity", "defaultJWTValidity"),
    ...present({
      logLevel: fields.choice("logLevel", ["debug", "info", "warn", "error"]),
      logFormat: fields.choice("logFormat", ["text", "json"]),
      caKeyType: fields.choice("caKeyType", ["rsa-2048", "rsa-4096", "ec-p256", "ec-p384"]),
    }),
  };
  fields.refuseOthers();
  return spec;
}

function caSubject(fields: Fields): SpireServerSpecArgs["caSubject"] {
  const subject = {
    country: fields.requiredText("country"),
    organization: fields.requiredText("organization"),
    commonName: fields.requiredText("commonName"),
  };
  fields.refuseOthers();
  return subject;
}

function persistence(fields: Fields): NonNullable<SpireServerSpecArgs["persistence"]> {
  const volume = {
    ...fields.texts("size", "storageClass"),
    ...present({
      accessMode: fields.choice("accessMode", ["ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany"]),
    }),
  };
  fields.refuseOthers();
  return volume;
}

function datastore(fields: Fields): DatastoreArgs {
  const database = {
    ...fields.texts("databaseType", "connectionString"),
    ...present({
      maxOpenConns: fields.integer("maxOpenConns"),
      maxIdleConns: fields.integer("maxIdleConns"),
      connMaxLifetime: fields.integer("connMaxLifetime"),
      disableMigration: fields.flag("disableMigration"),
    }),
  };
  fields.refuseOthers();
  return database;
}
