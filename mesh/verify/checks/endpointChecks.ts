/** MESH141 to MESH150: the bundle endpoint, as its Route says and as anybody sees it from outside. Pure. */
import { word } from "../../../components/shared/shell";
import { X509Certificate } from "node:crypto";
import { accessOf } from "../../../components/cluster/access";
import { serverSpiffeId } from "../../../components/bundle/peer";
import { isNotOffered, OFFER_MORE } from "../../../components/bundle/tlsOffer";
import { explain } from "../../../components/shared/problem";
import { BUNDLE_PORT, OPERAND_NAMESPACE, ROUTER, SPIRE_SERVER } from "../../../components/shared/names";
import { routeTls } from "../../../components/route/federationRoute";
import { routeName, routeReadiness } from "../../../components/route/routeReadiness";
import { POD } from "../../spire/serverCommands";
import { type Check, failed, NotSeen, ok, see, skipped } from "../check";
import { certManagerIssuer } from "../../../stacks/endpoint";
import { hostOf, noCertManager } from "./clusterChecks";
import { bundleIn, cureOfServed, servedBundle } from "../servedBundle";
import { type Expected, judgeDates, judgeIssuer, judgeUnwatched, namesOf, wrongName } from "../endpointTls";
import { askOperator, fact, type MemberView, oc, ocHere, renewCommand, upAgain } from "../subjects";
import { describeBundle, fingerprint, type HeldBundle, short } from "../../spire/bundle";

export const endpointChecks: readonly Check<MemberView>[] = [
  {
    code: "MESH141",
    title: "the Route has the endpoint's host and certificate",
    source: "the endpoint's Route",
    about:
      "The Route is there, for the host that the Certificate is for and that peers ask, and it presents the certificate from that secret. " +
      "It is the operator's spire-server-federation, or the stack's own spire-federation-endpoint beside it.",
    verifications: [6],
    // Whose Route it is and how it ends TLS follows from the SpireServer.
    needs: ["MESH131"],
    judge: (view) => {
      const route = fact(view, "route");
      const host = hostOf(view);
      if (route === undefined) return failed(`there is no Route ${nameOfRoute(view)}`, routeAgain(view));
      if (route.spec?.host !== host) {
        return failed(`its host is ${route.spec?.host ?? "none"}, the endpoint is ${host}`, routeAgain(view));
      }
      const federation = fact(view, "server")?.spec?.federation;
      const asked = federation && routeTls(federation);
      const { termination, externalCertificate } = route.spec.tls ?? {};
      if (asked && (termination !== asked.termination || externalCertificate?.name !== asked.secret)) {
        return failed(
          `it is ${termination ?? "without TLS"} with secret ${externalCertificate?.name ?? "none"}, ` +
            `not ${asked.termination} with ${asked.secret ?? "none"}`,
          routeAgain(view),
        );
      }
      return ok(`${host}, ${termination ?? "without TLS"}`);
    },
  },
  {
    code: "MESH142",
    title: "the router has admitted the Route",
    source: "status of the endpoint's Route",
    about:
      "A router serves the host by this Route. It is refused when the router may not read the certificate's secret, or another Route " +
      "has the host.",
    verifications: [6],
    needs: ["MESH141"],
    judge: (view) => {
      const federation = fact(view, "server")?.spec?.federation;
      if (federation === undefined) throw new NotSeen("the SpireServer has no federation");
      const { own } = see(view.route);
      const asked = { host: hostOf(view), federation, access: accessOf(view), ...(own && { ownRoute: own }) };
      const said = routeReadiness(asked, fact(view, "route"));
      if (said.state === "ready") return ok("Admitted=True");
      return failed(said.because, `put right what it says; ${lookAgain(view)} makes the router look again`);
    },
  },
  {
    code: "MESH143",
    title: "the endpoint answers over TLS",
    source: "this machine",
    about:
      "From where mesh runs the host resolves, a TLS connection comes about and the answer is HTTP status 200. The certificate is not " +
      "believed for this; it is judged by the checks that follow. An endpoint that refuses what this machine offers for TLS is unknown where " +
      "its OpenSSL is older than 3.5: a strict TLS profile demands the group X25519MLKEM768. Where the stack has probe: cluster and the endpoint cannot be reached from " +
      "here, this check is skipped, the checks that follow are left out, and neither changes the exit code: MESH150 asks inside the cluster, " +
      "and the peers' MESH213 shows whether their SPIRE servers reach the endpoint.",
    verifications: [6],
    // The router leads nowhere while the pod is not ready, and that takes both of its containers.
    needs: ["MESH142", "MESH134", "MESH135"],
    judge: (view) => {
      const { presented } = view;
      const cure =
        `curl -v ${word(`https://${hostOf(view)}`)}; ${oc(view, `get pods -n ${ROUTER.namespace}`)}; a NetworkPolicy or a service mesh may keep the ` +
        `router from port 8443 of the SPIRE server: ${ocHere(view, "get networkpolicies")}`;
      if ("because" in presented) {
        if (isOutOfReach(view)) return skipped(presented.because);
        if (isNotOffered(presented.because)) return { state: "unknown", evidence: presented.because, cure: OFFER_MORE };
        return failed(presented.because, cure);
      }
      if (presented.seen.status === 200) return ok(`https://${hostOf(view)} answers with status 200`);
      return failed(`it answers with HTTP status ${presented.seen.status}`, cure);
    },
  },
  {
    code: "MESH144",
    title: "the certificate that it presents is valid now",
    source: "the endpoint's TLS connection",
    about:
      "What the endpoint presents is valid now, whatever cert-manager says of the secret. Peers refuse an expired one. A web certificate that " +
      "cert-manager does not renew is a warning in its last month, or in the last sixth of a life of less than six months; when cert-manager " +
      "renews its own is judged by MESH114, and SPIRE renews SVIDs by itself.",
    verifications: [2, 6],
    needs: ["MESH143"],
    asked: isReached,
    judge: (view) => {
      const { config } = view;
      const isWatched = config.profile === "https_spiffe" || certManagerIssuer(config) !== undefined;
      return (isWatched ? judgeDates : judgeUnwatched)(see(view.presented), view.now, renewCure(view));
    },
  },
  {
    code: "MESH145",
    title: "the certificate that it presents names the endpoint",
    source: "the endpoint's TLS connection",
    about:
      "With https_web it is for the host; with https_spiffe it carries the SPIRE server's SPIFFE ID, and the host doesn't count.",
    verifications: [6],
    needs: ["MESH143"],
    asked: isReached,
    judge: (view) => {
      const presented = see(view.presented);
      const expected = expectedOf(view);
      const wrong = wrongName(presented, expected);
      if (wrong === undefined) return ok(namesOf(presented));
      const cure =
        expected.profile === "https_spiffe"
          ? `see that the Route leads to the SPIRE server: ${routeOf(view)}`
          : renewCure(view);
      return failed(wrong, cure);
    },
  },
  {
    code: "MESH146",
    title: "the configured CA vouches for it",
    source: "the endpoint's TLS connection",
    about:
      "The chain ends at a CA that peers are told to believe: endpoint.ca, else that of the issuer, else the public ones; the " +
      "trust domain's own roots with https_spiffe. A peer's SPIRE server must have the same CA in its trust store: see MESH213.",
    verifications: [6],
    needs: ["MESH144", "MESH145"],
    asked: isReached,
    judge: (view) =>
      judgeIssuer(
        see(view.presented),
        `have it issued by another CA (${renewCure(view)}), or give the CA that vouches for it as endpoint.ca`,
      ),
  },
  {
    code: "MESH147",
    title: "it serves a bundle of this trust domain",
    source: "the endpoint",
    about:
      "What is served is a JWKS with public keys alone. One of its X.509 roots at least is valid now, and none is of another trust " +
      "domain; the root of an upstream CA names none. SPIRE checks none of this when it is given a first bundle.",
    verifications: [6, 7],
    needs: ["MESH143"],
    asked: isReached,
    judge: (view) => {
      const bundle = servedBundle(view);
      if (Array.isArray(bundle)) {
        return failed(explain(bundle), cureOfServed(view, bundle, routeOf(view)));
      }
      return ok(describeBundle(bundle));
    },
  },
  {
    code: "MESH148",
    title: "it serves the SPIRE server's present keys, X.509 and JWT",
    source: "the endpoint and the SPIRE server",
    about:
      "Key by key the bundle that is served is the SPIRE server's own: nobody stands between, and no cache serves an old one.",
    verifications: [7],
    needs: ["MESH147", "MESH134"],
    asked: isReached,
    judge: (view) => {
      const served = servedBundle(view);
      if (Array.isArray(served)) throw new NotSeen(explain(served));
      const own = fact(view, "own");
      const differ = [
        ...notIn(served.roots.map(fingerprint), own.roots.map(fingerprint), "served and not its own: X.509"),
        ...notIn(own.roots.map(fingerprint), served.roots.map(fingerprint), "its own and not served: X.509"),
        ...notIn(jwtIds(served), jwtIds(own), "served and not its own: JWT"),
        ...notIn(jwtIds(own), jwtIds(served), "its own and not served: JWT"),
        ...notIn(jwtPrints(served), jwtPrints(own), "served and not its own: JWT key sha256"),
      ];
      if (differ.length === 0) return ok(`the same ${describeBundle(own)}`);
      return failed(
        differ.join("; "),
        `look again in a minute; if it stays, see where the Route leads: ${routeOf(view)}`,
      );
    },
  },
  {
    code: "MESH149",
    title: "it presents the certificate that was issued last",
    source: "the endpoint's TLS connection and the CertificateRequest",
    about: "The router has taken up the renewed certificate. It does so by itself while it may watch the secret.",
    verifications: [6],
    needs: ["MESH143", "MESH113"],
    asked: isReached,
    judge: (view) => {
      if (certManagerIssuer(view.config) === undefined) return skipped(noCertManager(view.config));
      const issued = fact(view, "issued");
      // The requests go with their Certificate, and the secret stays.
      if (issued === undefined) return skipped("no request says what was issued last");
      const last = new X509Certificate(issued.certificate).fingerprint256;
      const { fingerprint256, serialNumber } = see(view.presented).certificate;
      if (fingerprint256 === last) return ok(`serial ${serialNumber}`);
      return failed(`it presents another, serial ${serialNumber}`, `make the router look again: ${lookAgain(view)}`);
    },
  },
  {
    code: "MESH150",
    title: "the SPIRE server serves its bundle inside the cluster",
    source: `the API server, which asks Service ${SPIRE_SERVER}`,
    about:
      "For a stack with probe: cluster whose endpoint cannot be reached from here. The API server asks the SPIRE server on port 8443 and " +
      "gets a bundle of this trust domain. Whether the router can be reached from outside, and what it presents there, is not seen. What " +
      "the peers hold is compared with this bundle.",
    verifications: [7],
    needs: ["MESH134", "MESH135"],
    asked: isOutOfReach,
    judge: (view) => {
      const served = fact(view, "servedInside");
      if (served === undefined) throw new NotSeen("it was not asked");
      const path = `/api/v1/namespaces/${OPERAND_NAMESPACE}/services/https:${SPIRE_SERVER}:${BUNDLE_PORT}/proxy/`;
      const cure =
        `${oc(view, `get --raw ${path}`)}; ${ocHere(view, `get pod ${POD}`)}; a NetworkPolicy may keep the API server from port ` +
        `${BUNDLE_PORT}: ${ocHere(view, "get networkpolicies")}`;
      if ("trouble" in served) return failed(served.trouble, cure);
      const bundle = bundleIn(served.body, view);
      return Array.isArray(bundle)
        ? failed(explain(bundle), cure)
        : ok(`${describeBundle(bundle)}; the router's way was not seen`);
    },
  },
];

/** The stack says that its endpoint may be out of reach from here, and it is. */
function isOutOfReach({ config, presented }: MemberView): boolean {
  return config.probe === "cluster" && "because" in presented;
}

function isReached(view: MemberView): boolean {
  return !isOutOfReach(view);
}

/** What a member's endpoint has to present. */
export function expectedOf(view: Pick<MemberView, "config" | "route">): Expected {
  const { profile, trustDomain } = view.config;
  return profile === "https_spiffe"
    ? { profile, spiffeId: serverSpiffeId(trustDomain) }
    : { profile, host: see(view.route).host };
}

const jwtIds = ({ jwtKeys }: HeldBundle): string[] => jwtKeys.map(({ id }) => id);

/** SHA-256 of the keys themselves: the id alone proves nothing. */
const jwtPrints = ({ jwtKeys }: HeldBundle): string[] => jwtKeys.map(({ publicKey }) => fingerprint(publicKey));

function notIn(some: readonly string[], others: readonly string[], what: string): string[] {
  const only = some.filter((one) => !others.includes(one));
  return only.length === 0 ? [] : [`${what} ${only.map(short).join(", ")}`];
}

/** Whose work a new certificate is. */
function renewCure(view: MemberView): string {
  if (certManagerIssuer(view.config) !== undefined) return `see that cert-manager runs, then ${renewCommand(view)}`;
  if (view.config.profile === "https_web" && view.config.issuer.type === "router") {
    return `renew the router's default certificate: ${oc(view, `get ingresscontroller default -n ${INGRESS_OPERATOR} -o jsonpath='{.spec.defaultCertificate.name}'`)}`;
  }
  if (view.config.profile === "https_web" && view.config.issuer.type === "secret") {
    return `have whoever keeps secret ${view.config.names.secret} of namespace ${OPERAND_NAMESPACE} renew its certificate`;
  }
  return `see what the SPIRE server says of it: ${ocHere(view, `logs ${POD} -c ${SPIRE_SERVER}`)}`;
}

const INGRESS_OPERATOR = "openshift-ingress-operator";

/** The router looks at a Route again when it changes. */
const lookAgain = (view: MemberView): string =>
  ocHere(view, `annotate route ${nameOfRoute(view)} --overwrite spire-federation/look-again="$(date +%s)"`);

const routeOf = (view: MemberView): string => ocHere(view, `get route ${nameOfRoute(view)} -o yaml`);

/** The Route that serves the endpoint. */
const nameOfRoute = (view: MemberView): string => routeName(see(view.route).own);

/** The operator puts its own right by itself, when it runs and may. */
const routeAgain = (view: MemberView): string =>
  see(view.route).own === undefined ? askOperator(view) : upAgain(view);
