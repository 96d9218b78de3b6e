/**
 * What the program may ask of a cluster: to read.
 *
 * Pulumi's own reads and waits are not used: a resource read with `.get` reports every changed status as drift, and
 * Pulumi's waits never fail early and pass on a stale `Ready`. So all reading and waiting goes through this interface,
 * outside the resource graph. The real one is `connect` (connect.ts); tests give a map of objects.
 */

import type { ClusterAccess } from "./access";

/** One entry of `status.conditions`. */
export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

/** A Kubernetes object, as far as this program looks into it. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata?: {
    name?: string;
    namespace?: string;
    generation?: number;
    creationTimestamp?: string;
    uid?: string;
    resourceVersion?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    deletionTimestamp?: unknown;
    managedFields?: ManagedFields[];
  };
}

/** Which fields of an object one program or person has set. */
export interface ManagedFields {
  manager?: string;
  /** For example `status`; absent for what was set through the object itself. */
  subresource?: string;
  fieldsV1?: Record<string, unknown>;
}

/** A ConfigMap with texts. */
export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

/** The API server answers, but not this to whoever asks. */
export class Forbidden extends Error {}

/** What is asked for, or what stands for it where the API server does not let it be read. */
export async function unlessForbidden<T, U>(unread: U, request: Promise<T>): Promise<T | U> {
  try {
    return await request;
  } catch (error) {
    if (!(error instanceof Forbidden)) throw error;
    return unread;
  }
}

export interface ClusterReader {
  /** How a person reaches the same cluster: for the commands in messages. */
  readonly access: ClusterAccess;

  /** The object, or undefined when it, or the kind itself, is not there. Any other failure is thrown. */
  get<T extends KubeObject>(apiVersion: string, kind: string, name: string, namespace?: string): Promise<T | undefined>;

  /** The objects of one namespace, or of all; empty when the kind itself is not there. */
  list<T extends KubeObject>(
    apiVersion: string,
    kind: string,
    namespace?: string,
    labelSelector?: string,
  ): Promise<T[]>;
}

/** The way to Services of a cluster from where only its API server can be reached. */
export interface ServiceProxy {
  /**
   * What a Service answers to `GET /` over HTTPS, asked by the API server in our place; undefined when there is no such
   * Service. The API server picks a ready pod behind the Service and does not verify its certificate. Kubernetes 1.35:
   * pkg/registry/core/service/storage/storage.go `ResourceLocation`, pkg/controlplane/apiserver/config.go
   * `CreateProxyTransport`.
   */
  ask(service: string, port: number, namespace: string): Promise<string | undefined>;
}

export type Cluster = ClusterReader & ServiceProxy;
