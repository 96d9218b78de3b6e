/**
 * What the project uses of the Kubernetes client, which nothing imports but this file: the client is some 900 modules,
 * and `npm run build` makes one file of this one and all that it needs of them.
 */
export {
  ApiException,
  AuthorizationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  Exec,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  loadAllYaml,
  PatchStrategy,
  type RequestContext,
  setHeaderOptions,
  type V1Pod,
  V1Secret,
  type V1Status,
  type V1SubjectAccessReview,
  VersionApi,
} from "@kubernetes/client-node";
