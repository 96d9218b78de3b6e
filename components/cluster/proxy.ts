/** Which requests go through a proxy: HTTPS_PROXY and NO_PROXY, as curl and Go's clients understand them. */
import type { Agent } from "node:https";
import { BlockList, isIP } from "node:net";
import { HttpsProxyAgent } from "hpagent";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * An agent that connects through the proxy for that https URL; undefined where there is none.
 *
 * @throws Error for a proxy of another kind than http and https
 */
export function proxyAgent(url: string, timeoutMs: number): Agent | undefined {
  const proxy = proxyFor(url);
  if (proxy === undefined) return undefined;
  const kind = proxy.slice(0, proxy.indexOf(":"));
  if (kind !== "http" && kind !== "https") {
    throw new Error(`HTTPS_PROXY is of the kind ${kind}; endpoints are asked through http and https proxies alone`);
  }
  return new HttpsProxyAgent({ proxy, timeout: timeoutMs });
}

/** The proxy for an https URL; undefined where it is to be reached directly. Pure. */
export function proxyFor(url: string, environment: Environment = process.env): string | undefined {
  const proxy = environment["https_proxy"] || environment["HTTPS_PROXY"];
  const { protocol, hostname, port } = new URL(url);
  if (!proxy || protocol !== "https:") return undefined;
  const host = hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  if (isLoopback(host)) return undefined;
  const exceptions = (environment["no_proxy"] || environment["NO_PROXY"] || "").toLowerCase().split(/[,\s]+/);
  if (exceptions.some((exception) => exception !== "" && matches(exception, host, port || "443"))) return undefined;
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** Whether an entry of NO_PROXY is about the host: `*`, a domain with all below it, an address, or a network. */
function matches(exception: string, host: string, port: string): boolean {
  if (exception === "*") return true;
  const [network = "", bits] = exception.split("/");
  if (bits !== undefined) return isWithin(host, network, Number(bits));
  // Colons without a port are an IPv6 address.
  const [, name = exception, only] = isIP(exception) === 6 ? [] : (/^\[?(.+?)\]?(?::(\d+))?$/.exec(exception) ?? []);
  if (only !== undefined && only !== port) return false;
  const domain = name.replace(/^\*?\./, "");
  return host === domain || (isIP(host) === 0 && host.endsWith(`.${domain}`));
}

function isWithin(host: string, network: string, bits: number): boolean {
  const [family, of] = [isIP(host), isIP(network)];
  if (family === 0 || family !== of || !(bits >= 0 && bits <= (of === 4 ? 32 : 128))) return false;
  const list = new BlockList();
  const kind = of === 4 ? "ipv4" : "ipv6";
  list.addSubnet(network, bits, kind);
  return list.check(host, kind);
}
