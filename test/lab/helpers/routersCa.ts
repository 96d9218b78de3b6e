import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import type { Cluster } from "../../../lab/client/cluster";

/** The CA (PEM) that the router's default certificate comes with, as an administrator of that cluster would give it. */
export function routersCa({ host, name }: Cluster): Promise<string> {
  // For a host of no Route it presents that certificate.
  const servername = `no-route.apps.${name}.example.com`;
  return new Promise((done, fail) => {
    const socket = connect({ host, port: 443, servername, rejectUnauthorized: false }, () => {
      done(new X509Certificate(socket.getPeerCertificate(true).issuerCertificate.raw).toString());
      socket.destroy();
    });
    socket.on("error", fail);
  });
}
